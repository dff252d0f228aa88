"""Dead letters on the dashboard: found, edited, checked, compared and replayed, in a real browser over the running app."""

from __future__ import annotations

from typing import Any

from playwright.async_api import expect

from support.browser import Opener
from support.tickets import Desk


async def test_a_dead_letter_is_edited_checked_and_replayed(desk: Desk, shown: Opener) -> None:
    job = await _failed(desk, until_replays=1000)
    async with shown(f"#/jobs/{job['job_id']}") as page:
        await expect(page.locator(".failure .frames")).to_contain_text("tests/support/ticket_app.py")
        await expect(page.locator(".failure .frames")).to_contain_text("in fails")
        await page.get_by_role("link", name="Edit and replay").click()
        payload = page.get_by_label("Payload", exact=True)
        await expect(payload).to_have_value('{\n  "until_replays": 1000\n}')

        await payload.fill('{"until_replays": ')
        await expect(page.locator(".problem")).to_contain_text("Not JSON")
        await payload.fill('{\n  "until_replays": -1\n}')
        await page.get_by_role("button", name="Validate").click()
        await expect(page.locator(".notice.bad")).to_contain_text("until_replays")

        await payload.fill('{\n  "until_replays": 1\n}')
        changes = page.get_by_role("region", name="What was changed")
        await expect(changes.locator(".removed")).to_contain_text('"until_replays": 1000')
        await expect(changes.locator(".added")).to_contain_text('"until_replays": 1')
        await page.get_by_role("button", name="Validate").click()
        await expect(page.locator(".notice.good")).to_contain_text("would be replayed")
        assert (await desk.job(job["job_id"]))["status"] == "failed", "a dry run changes nothing"

        await page.get_by_role("button", name="Replay", exact=True).click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator(".notice.good")).to_contain_text("replayed")
        await expect(page.locator(".facts")).to_contain_text("edited")
    assert (await desk.until(job["job_id"]))["results"] == "mended"


async def test_a_payload_keeps_digits_that_javascript_cannot_hold(desk: Desk, shown: Opener) -> None:
    job = await _failed(desk, until_replays=12345678901234567890)
    async with shown(f"#/dead-letters/{job['dead_letter_id']}") as page:
        await expect(page.get_by_label("Payload", exact=True)).to_have_value(
            '{\n  "until_replays": 12345678901234567890\n}'
        )


async def test_those_that_look_alike_are_replayed_together(desk: Desk, shown: Opener) -> None:
    jobs = [await _failed(desk, until_replays=1) for _ in range(2)]
    letter = (await desk.http.get(f"/api/dead-letters/{jobs[0]['dead_letter_id']}")).json()
    async with shown("#/dead-letters") as page:
        await page.locator(f'a[data-focus="{letter["fingerprint"]}"]').click()
        for job in jobs:
            await page.get_by_label(f"Choose {job['dead_letter_id']}").check()
        await page.get_by_role("button", name="Dry run the 2 chosen").click()
        await expect(page.locator(".said .notice")).to_contain_text("2 would be replayed")
        await page.get_by_role("button", name="Replay the 2 chosen").click()
        await page.locator("#confirm-yes").click()
        await expect(page.locator(".said .notice")).to_contain_text("2 replayed")
        await expect(page.get_by_label(f"Choose {jobs[0]['dead_letter_id']}")).to_have_count(0)
    for job in jobs:
        assert (await desk.until(job["job_id"], "completed"))["results"] == "mended"


async def test_all_of_a_group_are_replayed_with_one_button(desk: Desk, shown: Opener) -> None:
    job = await _failed(desk, until_replays=1)
    again = await _failed(desk)
    async with shown("#/dead-letters") as page:
        group = page.locator(".group", has=page.get_by_role("link", name="fails", exact=True))
        await group.get_by_role("button", name="Replay all").click()
        await expect(page.locator("#confirm-title")).to_contain_text("dead letters?")
        count = int((await page.locator("#confirm-title").inner_text()).split()[1])
        assert count >= 2
        await page.locator("#confirm-yes").click()
        await expect(page.locator(".said .notice")).to_contain_text(f"{count} replayed")
        await expect(page.locator(".said .notice.warn .aftermath")).to_contain_text("failed again")
    assert (await desk.until(job["job_id"], "completed"))["results"] == "mended"
    assert (await desk.until(again["job_id"], "failed"))["replays"] == 1


async def _failed(desk: Desk, **payload: Any) -> dict[str, Any]:
    return await desk.until(await desk.ticket("fails", payload=payload), "failed")
