"""A run of a workflow on the page of its job: drawn, live, by keyboard, on a phone."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from support.browser import DESKTOP, PHONE, Opener, assert_accessible
from support.tickets import Desk


async def test_a_run_is_drawn_and_leads_to_its_jobs(desk: Desk, shown: Opener) -> None:
    answer = await desk.http.post("/api/workflows/letter", json={"payload": {"lines": ["one", "two"]}})
    run = answer.json()["job_id"]
    async with shown(f"#/jobs/{run}", width=DESKTOP) as page:
        graph = page.get_by_role("group", name="Steps of the run")
        waits = graph.get_by_label("signature: running, waits for the event 'signature'")
        await expect(waits).to_be_visible()
        await expect(graph.get_by_label("regret: skipped")).to_be_visible()
        await page.get_by_role("button", name="Send signature").click()
        await expect(graph.get_by_label("post: completed")).to_be_visible(timeout=30_000)
        check = graph.get_by_role("link", name="check: completed")
        await check.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(".title strong")).to_have_text("fails")
        await expect(page.get_by_role("link", name=run[:8])).to_be_visible()


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["light", "dark phone"])
async def test_everybody_can_use_it(desk: Desk, shown: Opener, width: int, dark: bool) -> None:
    body = {"payload": {"lines": ["one", "two", "three"], "until_replays": 1}}
    run = (await desk.http.post("/api/workflows/letter", json=body)).json()["job_id"]
    await desk.until(run, "failed")
    async with shown(f"#/jobs/{run}", width=width, dark=dark) as page:
        await expect(page.get_by_role("group", name="Steps of the run")).to_be_visible()
        await expect(page.get_by_role("link", name="regret: completed")).to_be_visible(timeout=30_000)
        await assert_accessible(page)
        hidden = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert await page.evaluate(hidden) == 0
