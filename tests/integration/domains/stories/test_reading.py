"""Adventures on the running app: made by its queue, across a kill, and read in a real Chromium."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from support.azurite import AzuriteProcess
from support.browser import DESKTOP, PHONE, assert_accessible, opened
from support.tickets import Desk, open_desk

ANN = {"user_id": "ann", "language": "de", "native_language": "en", "level": "A1", "genre": "fantasy", "length": 3}


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    name = f"t{uuid.uuid4().hex}"
    folder = tmp_path_factory.mktemp("stories")
    stories = {"ADVENTURE_QUEUE": f"{name}-story", "STUB_GENERATION": "true", "JOBS_LEASE_SECONDS": "3"}
    async with open_desk(azurite.connection_string, name, folder, **stories) as opened_desk:
        assert (await opened_desk.http.put("/api/users/ann", json={})).is_success
        yield opened_desk


async def begin(desk: Desk, **changes: Any) -> dict[str, Any]:
    answer = await desk.http.post("/api/adventures", json=ANN | changes)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def until(desk: Desk, adventure_id: str, status: str, seconds: float = 60) -> dict[str, Any]:
    """The adventure, once it is in a state."""
    deadline = time.monotonic() + seconds
    while (adventure := (await desk.http.get(f"/api/adventures/{adventure_id}")).json())["status"] != status:
        assert time.monotonic() < deadline, adventure
        await asyncio.sleep(0.1)
    return dict(adventure)


def read(desk: Desk, adventure: dict[str, Any]) -> str:
    return f"{desk.app.url}/api/adventures/{adventure['id']}/read"


async def choices(page: Page, entry: int) -> None:
    await expect(page.locator(".entry").nth(entry).locator(".choice").first).to_be_visible()


async def test_created_and_polled_it_is_active_within_thirty_seconds(desk: Desk) -> None:
    adventure = await begin(desk)
    assert adventure["status"] == "awaiting_first_entry"
    entry_id = (await until(desk, adventure["id"], "active", 30))["entries"][0]["entry_id"]
    entry = (await desk.http.get(f"/api/adventures/{adventure['id']}/entries/{entry_id}")).json()
    assert (entry["status"], entry["audio"]["status"]) == ("complete", "ready")
    audio = await desk.http.get(
        f"/api/adventures/{adventure['id']}/entries/{entry_id}/audio", headers={"Range": "bytes=0-3"}
    )
    assert (audio.status_code, audio.content, audio.headers["content-type"]) == (206, b"RIFF", "audio/wav")


@pytest.mark.slow
@pytest.mark.faults
async def test_a_worker_that_dies_and_comes_back_late_makes_the_entries_all_the_same(desk: Desk) -> None:
    begun = await asyncio.gather(*(begin(desk) for _ in range(4)))
    await desk.app.kill()
    await asyncio.sleep(0.5)
    await desk.app.start()
    for each in begun:
        adventure = await until(desk, each["id"], "active", 90)
        assert len(adventure["entries"]) == 1


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["light", "dark phone"])
async def test_a_story_is_read_to_its_end_with_the_keyboard(
    desk: Desk, browser: Browser, width: int, dark: bool
) -> None:
    adventure = await begin(desk)
    async with opened(browser, read(desk, adventure), width=width, dark=dark) as page:
        await choices(page, 0)
        await page.keyboard.press("j")
        await expect(page.locator(".sentence").first).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".translation").first).to_be_visible()
        await page.keyboard.press("t")
        await expect(page.locator(".gloss").first).to_be_visible()
        await assert_accessible(page)
        await page.keyboard.press("p")
        await expect(page.locator(".heard")).to_be_visible()
        await page.keyboard.press("p")
        await page.keyboard.press("2")
        await choices(page, 1)
        await expect(page.locator(".entry").nth(1).locator("h2")).to_be_focused()
        await page.keyboard.press("1")
        await expect(page.locator(".end")).to_be_visible()
        await page.locator("details").evaluate_all("(all) => all.forEach((each) => { each.open = true; })")
        await assert_accessible(page)
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(wide) == 0


async def test_another_decision_shows_another_branch_and_a_part_is_told_differently(
    desk: Desk, browser: Browser
) -> None:
    adventure = await begin(desk)
    async with opened(browser, read(desk, adventure)) as page:
        await choices(page, 0)
        await page.locator(".choice").nth(0).click()
        await choices(page, 1)
        first = page.url
        await page.locator(".entry").first.locator(".choice").nth(1).click()
        await expect(page.locator(".choice.chosen")).to_have_attribute("data-choice", "1")
        await choices(page, 1)
        assert page.url != first
        before = await page.locator(".entry").nth(1).get_attribute("data-entry")
        await page.get_by_role("button", name="Tell this part differently").last.click()
        await expect(page.locator(f"[data-entry='{before}']")).to_have_count(0)
        await choices(page, 1)
        await page.goto(first)
        await page.reload()
        await choices(page, 1)
        await expect(page.locator(".choice.chosen")).to_have_attribute("data-choice", "0")


async def test_a_word_that_is_known_is_taken_down(desk: Desk, browser: Browser) -> None:
    adventure = await begin(desk)
    async with opened(browser, read(desk, adventure)) as page:
        await choices(page, 0)
        await page.locator(".words summary").click()
        button = page.locator(".words button").first
        name = (await button.get_attribute("aria-label") or "").removeprefix("I know it: ")
        await button.click()
        await expect(button).to_have_attribute("aria-pressed", "true")
    known = (await desk.http.get("/api/users/ann/vocabulary?language=de&state=known")).json()
    assert name in [each["word"] for each in known["items"]]


async def test_what_is_not_there_and_what_does_not_answer_is_said(desk: Desk, browser: Browser) -> None:
    async with opened(browser, f"{desk.app.url}/api/adventures/{uuid.uuid4()}/read") as page:
        await expect(page.get_by_text("There is no such adventure.")).to_be_visible()
        await assert_accessible(page)
        await page.context.set_offline(True)
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_text("The app does not answer.")).to_be_visible()
        await page.context.set_offline(False)
        await expect(page.get_by_text("There is no such adventure.")).to_be_visible()
