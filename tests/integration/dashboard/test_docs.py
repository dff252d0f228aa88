"""The API as a page, in a real browser over the running app: it is read, tried, and its examples run as they are shown."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from support.browser import Opener
from support.tickets import Desk


async def operation(page: Page, name: str) -> Locator:
    found = page.locator(f"#{name}")
    await found.locator("summary").first.click()
    return found


async def test_an_operation_is_found_read_and_tried(desk: Desk, shown: Opener) -> None:
    job_id = await desk.ticket("echo", payload={"text": "for the docs"})
    async with shown("/../docs") as page:
        await page.get_by_label("Find").fill("why a job is not running")
        await expect(page.locator(".operation")).to_have_count(1)
        explain = await operation(page, "ExplainJob")
        await expect(explain).to_contain_text("Any function key.")
        await explain.get_by_label("job_id").fill(job_id)
        await explain.get_by_role("button", name="Send GET").click()
        await expect(explain.locator(".answer")).to_contain_text(job_id)
        await page.get_by_label("Find").fill("no such thing")
        await expect(page.locator(".empty")).to_be_visible()


async def test_a_job_is_submitted_from_the_example(desk: Desk, shown: Opener) -> None:
    async with shown("/../docs") as page:
        echo = await operation(page, "SubmitJob-echo")
        await echo.get_by_role("button", name="Send POST").click()
        await expect(echo.locator(".answer")).to_contain_text('"job_id"')
        ticket = json.loads(await echo.locator(".answer").inner_text())
    assert (await desk.until(ticket["job_id"]))["status"] == "completed"


@pytest.mark.parametrize(
    ("language", "command"),
    [
        ("curl", ["bash", "-c"]),
        ("python", [sys.executable, "-c"]),
        ("javascript", ["node", "--input-type=module", "-e"]),
    ],
)
async def test_examples_run_as_they_are_shown(desk: Desk, shown: Opener, language: str, command: list[str]) -> None:
    async with shown("/../docs") as page:
        await page.get_by_label("Examples in").select_option(language)
        example = (await operation(page, "SubmitJob-steps")).locator(".example")
        text = await example.inner_text()
    program = shutil.which(command[0])
    assert program, command
    process = await asyncio.create_subprocess_exec(
        program, *command[1:], text, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "KEY": "none is asked for"}, cwd=Path(__file__).parent,
    )  # fmt: skip
    said, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    ticket = json.loads(said)
    assert (await desk.job(ticket["job_id"]))["kind"] == "steps", text


async def test_whoever_comes_without_a_question_is_told_where_to_go(desk: Desk) -> None:
    answers = [await desk.http.get(path) for path in ("/api", "/api/")]
    for answer in answers:
        assert (answer.status_code, answer.json()["name"]) == (200, "Nightshift")
        assert answer.json()["links"]["docs"] == f"{desk.app.url}/api/docs"
    for name in ("docs", "openapi.json", "dashboard", "health", "jobs"):
        assert (await desk.http.get(answers[0].json()["links"][name])).status_code == 200
