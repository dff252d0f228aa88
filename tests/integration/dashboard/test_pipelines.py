"""Pipelines on the dashboard, in a real browser over the running app: written, checked, tried, executed, looked at item by item."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from support.browser import DESKTOP, PHONE, Opener, assert_accessible

TEXT = """
executors:
  - {id: read, type: pass_through, description: Takes it in}
  - {id: short, type: pass_through}
  - {id: long, type: pass_through}
  - {id: both, type: pass_through}
edges:
  - from: read
    to:
      - {target: short, condition: "len(text) < 20"}
      - {target: long, condition: "len(text) >= 20"}
  - {from: [short, long], to: both, type: join}
"""
_POST = """async ([path, body]) => (await (await fetch(path, {method: 'POST', body: JSON.stringify(body)})).json())"""


async def _made(page: Page, name: str) -> None:
    await page.get_by_text("New pipeline").click()
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("File (YAML)").fill(TEXT)
    await page.get_by_role("button", name="Make it").click()
    await expect(page.get_by_role("heading", name="Pipeline", level=1, exact=True)).to_be_visible()


async def _execute(page: Page, pipeline: str, **body: Any) -> str:
    begun = await page.evaluate(_POST, [f"pipelines/{pipeline}/execute", body])
    return str(begun["id"])


async def test_a_pipeline_is_written_checked_and_executed(shown: Opener) -> None:
    async with shown("#/pipelines") as page:
        await page.get_by_text("New pipeline").click()
        await page.get_by_label("File (YAML)").fill(
            TEXT.replace("id: both, type: pass_through", "id: both, typ: pass_through")
        )
        await page.get_by_role("button", name="Check").click()
        await expect(page.locator("details .said")).to_contain_text("did you mean 'type'?")
        await page.get_by_text("New pipeline").click()
        await _made(page, "Browsed")
        await expect(page.locator("svg.graph .step, svg .step")).to_have_count(4)
        items = [{"text": "short"}, {"text": "a text that is rather long"}]
        execution = await _execute(page, "browsed", items=items, execution_id="browsed-1")
        await page.goto(page.url.split("#")[0] + f"#/executions/{execution}")
        await expect(page.locator("dl.facts")).to_contain_text("completed", timeout=30_000)
        await expect(page.get_by_role("row", name="both")).to_contain_text("2 items")
        await page.get_by_role("row", name="long").get_by_role("link", name="1 item").click()
        await expect(page.get_by_role("heading", name="Items that came out of long")).to_be_visible()
        await expect(page.locator("pre.json")).to_contain_text("rather long")
        await page.get_by_role("button", name="Execute by the present version").click()
        await page.get_by_role("button", name="Execute", exact=True).click()
        await expect(page).to_have_url(re.compile("browsed-1~"))


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["light", "dark phone"])
async def test_the_views_can_be_used_by_everybody(shown: Opener, width: int, dark: bool) -> None:
    async with shown("#/pipelines", width=width, dark=dark) as page:
        await _made(page, f"Seen {width}")
        execution = await _execute(page, f"seen-{width}", items=[{"text": "x"}], execution_id=f"seen-{width}")
        base = page.url.partition("#")[0]
        for view in (f"#/pipelines/seen-{width}", f"#/executions/{execution}", "#/pipelines"):
            await page.goto(base + view)
            await expect(page.locator("[aria-busy='true']")).to_have_count(0)
            if "executions" in view:
                await expect(page.locator("dl.facts")).to_contain_text("completed")
            await assert_accessible(page)
            if folder := os.environ.get("NIGHTSHIFT_SCREENSHOTS"):
                await page.screenshot(
                    path=f"{folder}/pipelines-{width}-{view.strip('#/').replace('/', '-')}.png", full_page=True
                )
            cut = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(cut) == 0, view
