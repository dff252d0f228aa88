"""The published site on the running app: over HTTP, and in a real browser on phone and desktop, light and dark."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, Route

from shared.domains.site.model import Article, Source
from shared.domains.site.store import ArticleStore
from shared.ports import DocumentStore
from shared.storage import iso
from support.azurite import AzuriteProcess
from support.browser import DESKTOP, PHONE, assert_accessible, opened
from support.tickets import Desk, open_desk

TITLES = (
    "The long and winding headline that no editor had the heart to shorten, about a library and those who read in it",
    "معطف شتوي أنيق من الصوف",
    "Donaudampfschifffahrtsgesellschaftskapitänsmützenfabrik",
    "<script>alert(1)</script>",
)
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 250"><rect width="400" height="250" fill="#9ab"/></svg>"""


class _Now:
    """The system's clock, as the store wants it."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        del seconds


def article(number: int) -> Article:
    return Article(
        article_id=f"{number:016x}",
        title=TITLES[number] if number < len(TITLES) else f"Story number {number}",
        url=f"https://news.example/{number}",
        at=iso(datetime.now(UTC) - timedelta(hours=number + 1)),
        author="Ann Example" if number % 2 else None,
        summary="The council met on *Monday*. See [the minutes](https://news.example/minutes)." if number % 3 else "",
        topics=("Libraries", "World") if number % 4 else ("بحث",),
        minutes=3 if number % 2 else None,
        language=("en", "ar", "de")[number % 3],
        image=f"https://pictures.example/{number}.svg" if number % 3 else None,
        sources=(Source("reddit", "books", f"t3_{number}"), Source("rss", "https://news.example/feed", "x")),
        length=number,
        fingerprint="f",
    )


async def publish(desk: Desk, documents: DocumentStore, *numbers: int) -> str:
    """Publish what there is and these articles; return the edition's id."""
    store = ArticleStore(documents, _Now(), timedelta(days=90))
    for number in numbers:
        await store.put(article(number))
    ticket = await desk.http.post("/api/site-editions")
    assert ticket.status_code == 202, ticket.text
    job = await desk.until(ticket.json()["job_id"])
    return str(job["results"]["edition_id"])


async def seen(desk: Desk, words: str) -> bool:
    """Whether the front page comes to say this: a process looks every two seconds which edition is shown."""
    for _ in range(300):
        if words in (await desk.http.get("/api/site/")).text:
            return True
        await asyncio.sleep(0.1)
    return False


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """The app, with a site of two editions."""
    folder = tmp_path_factory.mktemp("site")
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder) as opened_desk:
        before = await opened_desk.http.get("/api/site/")
        assert (before.status_code, before.json()["detail"]) == (404, "nothing has been published yet")
        await publish(opened_desk, opened_desk.documents, *range(9))
        await publish(opened_desk, opened_desk.documents, *range(9, 14))
        yield opened_desk


async def test_pages_are_served_with_their_types_and_policy_and_not_sent_twice(desk: Desk) -> None:
    moved = await desk.http.get("/api/site")
    assert (moved.status_code, moved.headers["location"]) == (308, "site/")
    types = {
        "": "text/html", "index.html": "text/html", "topics/libraries.html": "text/html", "style.css": "text/css",
        "feed.xml": "application/rss+xml", "feed.json": "application/feed+json", "sitemap.xml": "application/xml", "robots.txt": "text/plain",
    }  # fmt: skip
    for path, kind in types.items():
        page = await desk.http.get(f"/api/site/{path}")
        assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, kind), path
        assert "default-src 'none'" in page.headers["content-security-policy"]
        again = await desk.http.get(f"/api/site/{path}", headers={"If-None-Match": page.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        head = await desk.http.head(f"/api/site/{path}")
        assert (head.status_code, head.headers["etag"], head.content) == (200, page.headers["etag"], b"")


async def test_what_is_not_there_is_a_page_for_readers_and_a_problem_for_machines(desk: Desk) -> None:
    for path in ("nothing.html", "topics", "current.json"):
        page = await desk.http.get(f"/api/site/{path}", headers={"Accept": "text/html"})
        assert page.status_code == 404, path
    assert (
        "There is no such page" in (await desk.http.get("/api/site/nothing.html", headers={"Accept": "text/html"})).text
    )
    problem = await desk.http.get("/api/site/nothing.html", headers={"Accept": "application/json"})
    assert (problem.status_code, problem.headers["content-type"].partition(";")[0]) == (404, "application/problem+json")


async def test_an_operator_goes_back_by_one_call_and_forward_again(desk: Desk) -> None:
    listed = (await desk.http.get("/api/site-editions")).json()
    newest, first = listed["items"][0], listed["items"][-1]
    assert (listed["current"], listed["held"]) == (newest["edition_id"], False)
    answer = await desk.http.post(f"/api/site-editions/{first['edition_id']}/show")
    assert (answer.status_code, answer.json()["current"], answer.json()["held"]) == (200, first["edition_id"], True)
    assert await seen(desk, "Story number 8")
    assert "Story number 12" not in (await desk.http.get("/api/site/")).text
    current = (await desk.http.get("/api/site-editions/current")).json()
    assert (current["edition_id"], current["items"], current["current"]) == (first["edition_id"], 9, True)
    for wrong in ("20200101T000000-0-1", "current"):
        assert (await desk.http.post(f"/api/site-editions/{wrong}/show")).status_code == 404
    released = await publish(desk, desk.documents)
    assert released != first["edition_id"]
    assert await seen(desk, "Story number 12")


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["light", "dark phone"])
async def test_every_sort_of_page_is_whole_and_accessible(desk: Desk, browser: Browser, width: int, dark: bool) -> None:
    async def picture(route: Route) -> None:
        await route.fulfill(content_type="image/svg+xml", body=PICTURE)

    async with opened(browser, width=width, dark=dark) as page:
        await page.route("https://pictures.example/**", picture)
        for path in ("", "items/0000000000000001.html", "topics.html", "archive.html", "nothing/of/the/kind.html"):
            await page.goto(f"{desk.http.base_url}/api/site/{path}")
            await page.wait_for_load_state("networkidle")
            await assert_accessible(page)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) == 0, path
            assert await page.evaluate("document.scripts.length") == 0
            assert await page.evaluate("getComputedStyle(document.querySelector('.name')).fontSize") != "16px", "styled"


async def test_the_keyboard_alone_gets_to_an_item_and_its_source(desk: Desk, browser: Browser) -> None:
    async with opened(browser, f"{desk.http.base_url}/api/site/") as page:
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        while await page.evaluate("!document.activeElement.closest('h2')"):
            await page.keyboard.press("Tab")
        title = await page.evaluate("document.activeElement.textContent")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/items/*.html")
        assert await page.locator("h1").text_content() == title
        assert await page.locator(".read a").get_attribute("href") == "https://news.example/0"
