"""Jobs on the dashboard, in a real browser over the running app."""

from __future__ import annotations

from playwright.async_api import expect

from support.browser import Opener
from support.tickets import Desk

HOSTILE = "</script><img src=x onerror=alert(1)>"


async def test_a_job_is_watched_to_its_end(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 12, "seconds": 0.25})
    async with shown(f"#/jobs/{job_id}") as page:
        state = page.locator(".title .badge")
        await expect(page.locator("progress")).to_be_visible()
        await expect(state).to_have_text("running")
        await expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        await expect(state).to_have_text("completed")
        await expect(page.get_by_role("region", name="Result")).to_have_text("12")
        await expect(page.locator("#announcer")).to_have_text("The job is completed")
        await expect(page.locator(".timeline rect.completed")).to_have_count(1)
        await expect(page.locator(".events li strong")).to_contain_text(["submitted", "claimed"])
        await expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


async def test_a_job_that_has_ended_is_not_asked_for_again(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("echo", payload={"text": "once"})
    await desk.until(job_id)
    asked: list[str] = []
    async with shown() as page:
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(f"{desk.app.url}/api/dashboard#/jobs/{job_id}")
        await expect(page.get_by_role("region", name="Result")).to_contain_text("once")
        before = len([url for url in asked if url.endswith(job_id)])
        await page.wait_for_timeout(1500)  # longer than between two looks at a job that runs
        assert len([url for url in asked if url.endswith(job_id)]) == before == 1


async def test_a_large_result_is_shown_from_its_start_and_whole_on_demand(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("large", payload={"bytes": 300_001})
    async with shown(f"#/jobs/{job_id}") as page:
        await expect(page.get_by_role("region", name="Start of the result")).to_have_text('"' + "é" * 2047)
        await expect(page.locator(".outcome")).to_contain_text("bytes, which begin:")
        await page.get_by_role("button", name="Show all of it").click()
        await expect(page.get_by_role("region", name="Result", exact=True)).to_have_text(f'"{"é" * 149_999}x"')
        await expect(page.get_by_role("button", name="Show all of it")).to_have_count(0)


async def test_a_queued_job_says_why_and_is_cancelled(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("apart", payload={"text": HOSTILE})
    async with shown(f"#/jobs/{job_id}") as page:
        await expect(page.get_by_role("heading", name="Why is it not running?")).to_be_visible()
        await expect(page.locator(".why")).to_contain_text("apart-queue")
        await page.locator("details.payload summary").click()
        await expect(page.get_by_role("region", name="Payload")).to_contain_text(HOSTILE)
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("button", name="Cancel the job").click()
        await expect(page.locator(".title .badge")).to_have_text("cancelled")
    assert (await desk.job(job_id))["status"] == "cancelled"


async def test_hostile_text_is_shown_as_text(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("echo", payload={"text": HOSTILE})
    await desk.until(job_id)
    async with shown(f"#/jobs/{job_id}") as page:
        await expect(page.get_by_role("region", name="Result")).to_contain_text(HOSTILE)
        assert await page.locator("main img").count() == 0


async def test_the_list_is_searched(desk: Desk, shown: Opener) -> None:
    wanted = await desk.ticket("fails", payload={})
    await desk.until(wanted)
    other = await desk.ticket("echo", payload={"text": "not looked for"})
    await desk.until(other)
    async with shown("#/jobs") as page:
        await expect(page.locator(f'a[title="{other}"]')).to_be_visible()
        await page.get_by_label("State").select_option("failed")
        await page.get_by_label("Kind").select_option("fails")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator(f'a[title="{wanted}"]')).to_be_visible()
        await expect(page.locator(f'a[title="{other}"]')).to_have_count(0)
        assert "kind=fails" in page.url
        await page.get_by_label("Id, or how it starts").fill(other)
        await page.get_by_label("Id, or how it starts").press("Enter")
        await expect(page.locator(".title")).to_contain_text(other)


async def test_the_list_goes_on_with_older_jobs(desk: Desk, shown: Opener) -> None:
    for n in range(3):
        await desk.until(await desk.ticket("echo", payload={"text": f"page {n}"}))
    async with shown("#/jobs?kind=echo&limit=2") as page:
        newest = await page.locator("td a.id").first.get_attribute("title")
        await page.get_by_role("link", name="Older").click()
        await expect(page.get_by_role("link", name="Newest")).to_be_visible()
        await expect(page.locator(f'td a[title="{newest}"]')).to_have_count(0)
        await expect(page.locator("td a.id").first).to_be_visible()
