"""The key: asked for when the app refuses, kept for the tab, sent with every call and nowhere else."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, Route, expect

from support.browser import Opener
from support.tickets import Desk

SECRET = "a key that nobody guesses"


class Door:
    """What the platform does before the app: it lets in who has the key."""

    def __init__(self, *, operator: bool = True) -> None:
        self.operator = operator
        self.keys: list[str | None] = []

    async def __call__(self, route: Route) -> None:
        key = await route.request.header_value("x-functions-key")
        self.keys.append(key)
        if key != SECRET:
            await route.fulfill(status=401, body="")
        elif route.request.method == "POST" and not self.operator:
            await route.fulfill(status=403, json={"title": "Forbidden", "status": 403, "detail": "Not with this key."})
        else:
            await route.continue_()


async def _guarded(page: Page, desk: Desk, door: Door, view: str) -> None:
    await page.route(lambda url: "/api/" in url and "/api/dashboard" not in url, door)
    await page.goto(f"{desk.app.url}/api/dashboard{view}")


@pytest.mark.parametrize(
    ("view", "path", "trouble"),
    [
        ("", "queues", "The app answered 503."),
        ("#/jobs", "jobs?", "The app answered 503."),
        ("#/timers/PluckItScraper", "occurrences", "The app answered 503."),
    ],
)
async def test_an_error_goes_away_with_its_cause_though_nothing_else_has_changed(
    desk: Desk, shown: Opener, view: str, path: str, trouble: str
) -> None:
    down = False

    async def answer(route: Route) -> None:
        await (route.fulfill(status=503, body="") if down else route.continue_())

    async with shown() as page:
        await page.route(lambda url: f"/{path}" in url, answer)
        await page.goto(f"{desk.app.url}/api/dashboard{view}")
        await expect(page.get_by_text(trouble)).to_have_count(0)
        for down in (True, False):
            await page.wait_for_load_state("networkidle")
            await page.get_by_role("button", name="Refresh").click()
            await expect(page.get_by_text(trouble)).to_have_count(1 if down else 0)


async def test_the_key_is_asked_for_and_kept_for_the_tab(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("echo", payload={"text": "behind the door"})
    await desk.until(job_id)
    door = Door()
    async with shown() as page:
        await _guarded(page, desk, door, f"#/jobs/{job_id}")
        await expect(page.get_by_role("dialog")).to_be_visible()
        await page.get_by_role("textbox", name="Key").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("textbox", name="Key")).to_have_value("")
        await page.get_by_role("textbox", name="Key").fill(SECRET)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("region", name="Result")).to_contain_text("behind the door")
        await page.reload()
        await expect(page.get_by_role("region", name="Result")).to_contain_text("behind the door")
        assert SECRET not in await page.content()
        assert await page.evaluate("JSON.stringify(localStorage)") == "{}"
        assert await page.context.cookies() == []
    assert door.keys[0] is None
    assert {"wrong", SECRET} <= set(door.keys)


async def test_who_declines_is_told_and_may_come_back(desk: Desk, shown: Opener) -> None:
    async with shown() as page:
        await _guarded(page, desk, Door(), "#/dead-letters")
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Use another key").click()
        await page.get_by_role("textbox", name="Key").fill(SECRET)
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("Those that were never replayed")).to_be_visible()
        await expect(page.locator(".notice.bad")).to_have_count(0)


async def test_what_needs_an_operator_asks_for_an_operators_key(desk: Desk, shown: Opener) -> None:
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 1}), "failed")
    door = Door(operator=False)
    async with shown() as page:
        await page.evaluate("(key) => sessionStorage.setItem('nightshift.key', key)", SECRET)
        await _guarded(page, desk, door, f"#/jobs/{job['job_id']}")
        await page.get_by_role("button", name="Retry").click()
        await expect(page.get_by_role("dialog")).to_contain_text("An operator's key is needed")
        door.operator = True
        await page.get_by_role("textbox", name="Key").fill(SECRET)
        await page.keyboard.press("Enter")
        await expect(page.locator(".title .badge")).to_have_text("completed")
