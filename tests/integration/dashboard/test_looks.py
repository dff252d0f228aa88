"""Every view, as everybody can use it: axe-core, the keyboard alone, a phone, and a strict security policy."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from support.browser import DESKTOP, PHONE, Opener, assert_accessible
from support.tickets import Desk


@pytest.fixture(scope="session")
async def views(desk: Desk) -> list[str]:
    """The address of each view, with something to show in each."""
    failed = await desk.until(await desk.ticket("fails", payload={}), "failed")
    queued = await desk.ticket("apart", payload={"text": "waits"})
    letter = (await desk.http.get(f"/api/dead-letters/{failed['dead_letter_id']}")).json()
    source = {"kind": "rss", "url": "https://example.org/feed.xml", "label": "Example"}
    assert (await desk.http.post("/api/sources", json=source)).is_success
    return [
        "#/", "#/jobs", f"#/jobs/{failed['job_id']}", f"#/jobs/{queued}", "#/dead-letters",
        f"#/dead-letters?fingerprint={letter['fingerprint']}", f"#/dead-letters/{letter['id']}",
        "#/timers", "#/timers/PluckItScraper", "#/sources", "#/nowhere",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["light", "dark phone"])
async def test_axe_finds_nothing_and_nothing_is_cut_off(
    views: list[str], shown: Opener, width: int, dark: bool
) -> None:
    async with shown(width=width, dark=dark) as page:
        for view in views:
            await page.evaluate("(hash) => { location.hash = hash; }", view)
            await expect(page.locator(f"[data-at='{view}']")).to_be_attached()
            await _settled(page)
            await page.evaluate("document.querySelectorAll('main details').forEach((each) => { each.open = true; })")
            await assert_accessible(page)
            hidden = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(hidden) == 0, view


async def test_dialogs_are_accessible(shown: Opener) -> None:
    async with shown("#/sources") as page:
        await _settled(page)
        for button in ("Key", "Keyboard shortcuts"):
            await page.get_by_role("button", name=button, exact=True).click()
            await expect(page.get_by_role("dialog")).to_be_visible()
            await assert_accessible(page)
            await page.keyboard.press("Escape")
            await expect(page.get_by_role("button", name=button, exact=True)).to_be_focused()


async def test_a_dead_letter_is_replayed_without_a_mouse(desk: Desk, shown: Opener) -> None:
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 1}), "failed")
    async with shown() as page:
        await _settled(page)
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()

        await page.keyboard.press("g")
        await page.keyboard.press("j")
        await expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_focused()
        await page.keyboard.press("/")
        await page.keyboard.type(job["job_id"])
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Retry")).to_be_visible()
        await _tab_to(page, "Retry")
        assert await page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await page.keyboard.press("Enter")
        await expect(page.locator(".title .badge")).to_have_text("completed")


async def test_single_keys_are_left_alone_where_somebody_types_or_wants_none(shown: Opener) -> None:
    async with shown("#/jobs") as page:
        await _settled(page)
        await page.get_by_label("Id, or how it starts").press("r")
        await page.keyboard.type("?gd")
        await expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await page.get_by_role("button", name="Keyboard shortcuts").click()
        await page.get_by_label("Shortcuts of single keys are on").uncheck()
        await page.keyboard.press("Escape")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_have_count(0)


async def _settled(page: Page) -> None:
    await expect(page.locator(".view > *")).not_to_have_count(0)
    await expect(page.locator("main [aria-busy]")).to_have_count(0)
    await page.wait_for_load_state("networkidle")


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        if await page.evaluate("document.activeElement.textContent") == name:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{name} is not reached by Tab")
