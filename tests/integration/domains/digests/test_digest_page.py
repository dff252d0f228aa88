"""Digests over HTTP on the running app, and their page in a real browser: phone and desktop, light and dark."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Page, Route

from shared.adapters.sqlite import SqliteDocuments
from shared.domains.digests.weeks import week_of
from shared.domains.items.store import ItemStore
from shared.domains.moods.model import Mood, Signals, Support, counting
from shared.domains.moods.store import MoodStore
from support.azurite import AzuriteProcess
from support.browser import DESKTOP, PHONE, assert_accessible, opened
from support.digests import item
from support.tickets import Desk, open_desk

LONG = "The long and winding headline that no editor had the heart to shorten, about a navy wool blazer and its wearers"
TITLES = (
    "معطف شتوي أنيق من الصوف",
    "秋の新しいコートとスカーフ",
    LONG,
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik",
)
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 500"><rect width="400" height="500" fill="#9ab"/></svg>"""


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """The app with two weeks of items, a mood, and Ann, whose digest was run by hand."""
    folder = tmp_path_factory.mktemp("digest")
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder) as opened_desk:
        await _stock(opened_desk.documents)
        settings = {"name": "Ann", "time_zone": "Europe/Berlin"}
        assert (await opened_desk.http.put("/api/users/ann", json=settings)).status_code == 201
        owned = {"title": "White jeans", "category": "jeans", "colours": ["white"]}
        assert (await opened_desk.http.put("/api/users/ann/wardrobe/jeans-1", json=owned)).status_code == 201
        ticket = await opened_desk.http.post("/api/digests/ann/run")
        assert ticket.status_code == 202, ticket.text
        job = await opened_desk.until(ticket.json()["job_id"])
        assert job["results"]["made"] == 1, job
        yield opened_desk


async def _stock(documents: SqliteDocuments) -> None:
    now = datetime.now(UTC)
    items = ItemStore(documents, _Now())
    for n in range(40):
        picture = f"https://pictures.example/{n}.svg" if n % 3 else None
        title = TITLES[n % 40 // 4] if n % 4 == 0 and n < 16 else None
        await items.put(item(n, now - timedelta(hours=1 + n / 10), title, picture))
    appearance = Signals(
        palette=("navy", "white", "cream"), patterns=("striped",), fabrics=("linen",), key_pieces=("shirt",)
    )
    mood = Mood("coastal", "Coastal", "Coastal", now, now, "Salt air and washed linen.", signals=appearance)
    article = Support("a", "By the sea", "https://shop.example/0", now, 1.0)
    await MoodStore(documents).put_newer(counting(mood, [article], timedelta(days=14)))


class _Now:
    """The system's clock, as the stores want it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


async def test_a_digest_is_read_by_its_latest_its_week_and_its_list(desk: Desk) -> None:
    latest = await desk.http.get("/api/digests/ann/latest")
    digest = latest.json()
    assert latest.headers["content-type"] == "application/json"
    assert (digest["digest_id"], len(digest["suggestions"])) == (f"ann~{digest['week']}", 10)
    again = await desk.http.get("/api/digests/ann/latest", headers={"If-None-Match": latest.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await desk.http.get(f"/api/digests/ann/{digest['week']}")).json() == digest
    (record,) = (await desk.http.get("/api/digests/ann")).json()["items"]
    assert (record["digest_id"], record["state"], record["suggestions"]) == (digest["digest_id"], "made", 10)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/digests/nobody/latest", 404),
        ("/api/digests/ann/2020-W01", 404),
        ("/api/digests/ann/someday", 422),
        ("/api/digests/ann/latest?format=pdf", 422),
        ("/api/digests/ann?limit=0", 422),
        ("/api/digests/a%20b/latest", 422),
        ("/api/users/nobody", 404),
        ("/api/users/ann/wardrobe/nothing", 404),
    ],
)
async def test_what_is_not_there_or_does_not_fit_is_a_problem(desk: Desk, path: str, status: int) -> None:
    answer = await desk.http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_feedback_is_what_the_digest_says_it_is(desk: Desk) -> None:
    digest = (await desk.http.get("/api/digests/ann/latest")).json()
    told = digest["feedback"]
    item_id = next(each["item_id"] for each in digest["suggestions"] if each["image_url"] is None)
    answer = await desk.http.request(told["method"], told["path"], json={"item_id": item_id, "signal": "up"})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"{desk.app.url}/api/jobs/{answer.json()['job_id']}"
    assert (await desk.until(answer.json()["job_id"]))["status"] == "completed"
    assert (await desk.http.get("/api/taste/ann")).json()["evidence"]["ups"] == 1


async def test_a_user_can_be_forgotten(desk: Desk) -> None:
    await desk.http.put("/api/users/short.lived", json={})
    await desk.until((await desk.http.post("/api/digests/short.lived/run")).json()["job_id"])
    assert (await desk.http.get("/api/digests/short.lived/latest")).status_code == 200
    assert (await desk.http.delete("/api/users/short.lived")).status_code == 204
    for path in (
        "/api/users/short.lived",
        "/api/digests/short.lived/latest",
        f"/api/digests/short.lived/{week_of(datetime.now(UTC))}",
    ):
        assert (await desk.http.get(path)).status_code == 404


async def test_the_page_comes_with_a_policy_that_lets_nothing_run(desk: Desk) -> None:
    page = await desk.http.get("/api/digests/ann/latest", headers={"Accept": "text/html"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "'unsafe" not in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_the_page_is_accessible_and_fits(desk: Desk, browser: Browser, width: int, dark: bool) -> None:
    async with opened(browser, width=width, dark=dark) as page:
        await _show(desk, page)
        await assert_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth") == width, "it can be scrolled sideways"
        assert await page.locator("article").count() == 10
        ratios = await page.locator("img.picture").evaluate_all(
            "all => all.map((one) => one.clientWidth / one.clientHeight)"
        )
        assert ratios
        assert all(abs(ratio - 4 / 3) < 0.02 for ratio in ratios), "pictures of any shape take the same room"


async def test_pictures_are_fetched_when_they_come_into_sight(desk: Desk, browser: Browser) -> None:
    async with opened(browser, width=PHONE, height=600) as page:
        fetched = await _show(desk, page)
        pictures = await page.locator("img.picture").count()
        assert len(fetched) < pictures
        for _ in range(pictures):
            await page.locator("img.picture").nth(pictures - 1).scroll_into_view_if_needed()
        await page.wait_for_function("[...document.images].at(-1).complete")
        assert "no-referrer" in (await page.locator("meta[name=referrer]").get_attribute("content") or "")


async def test_it_prints(desk: Desk, browser: Browser) -> None:
    async with opened(browser) as page:
        await _show(desk, page)
        printed = await page.pdf(format="A4")
        await page.emulate_media(media="print")
        assert printed.startswith(b"%PDF")
        assert await page.locator(".address").first.is_visible(), "on paper nobody can follow a link"


async def _show(desk: Desk, page: Page) -> list[str]:
    """Open the digest's page, with pictures that are served here; return the addresses asked for, as they come."""
    fetched: list[str] = []

    async def picture(route: Route) -> None:
        fetched.append(route.request.url)
        await route.fulfill(status=200, content_type="image/svg+xml", body=PICTURE)

    await page.route("https://pictures.example/**", picture)
    answer = await page.goto(f"{desk.app.url}/api/digests/ann/latest?format=html")
    assert answer is not None
    assert answer.status == 200
    return fetched
