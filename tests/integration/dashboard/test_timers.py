"""Timers on the dashboard, in a real browser over the running app."""

from __future__ import annotations

from playwright.async_api import expect

from support.browser import Opener
from support.tickets import Desk


async def test_a_timer_is_run_by_hand(desk: Desk, shown: Opener) -> None:
    async with shown("#/timers") as page:
        await page.get_by_role("link", name="PluckItWeeklyDigest").click()
        await expect(page.get_by_role("heading", name="PluckItWeeklyDigest")).to_be_visible()
        await page.get_by_role("button", name="Run now").click()
        await expect(page.locator(".said .notice")).to_contain_text("was begun")
        entry = page.locator(".calendar .today .occurrence.completed")
        await expect(entry).to_contain_text("completed")
        await expect(page.get_by_role("cell", name="manual")).to_be_visible()
    found = (await desk.http.get("/api/timers/PluckItWeeklyDigest/occurrences")).json()["items"]
    assert [(each["trigger"], each["state"]) for each in found] == [("manual", "completed")]


async def test_the_calendar_goes_from_month_to_month(shown: Opener) -> None:
    async with shown("#/timers/PluckItScraper?month=2026-03") as page:
        await expect(page.get_by_role("heading", name="March 2026")).to_be_visible()
        assert await page.locator(".calendar .day").all_inner_texts() == [str(day) for day in range(1, 32)]
        first_week = page.locator(".calendar tbody tr").first.locator("td")
        await expect(first_week.nth(6)).to_have_text("1")  # the first of March 2026 is a Sunday
        await page.get_by_role("link", name="Month before").click()
        await expect(page.get_by_role("heading", name="February 2026")).to_be_visible()


async def test_the_calendar_shows_what_is_to_come(desk: Desk, shown: Opener) -> None:
    ahead = (await desk.http.get("/api/timers/PluckItScraper/upcoming", params={"limit": 1})).json()["items"][0]
    async with shown(f"#/timers/PluckItScraper?month={ahead['scheduled_at'][:7]}") as page:
        planned = page.locator(".calendar .occurrence.planned")
        await expect(planned.first).to_contain_text("07:00")
    refused = await desk.http.get("/api/timers/Nobody/upcoming")
    assert refused.status_code == 404
