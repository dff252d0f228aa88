"""Pages in a real Chromium: opened, watched for what goes wrong in them, and checked for accessibility."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from typing import Any

from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from devtools.browser import find
from support.node import ToolMissingError, node_modules

Opener = Callable[..., AbstractAsyncContextManager[Page]]
"""What opens a page for a test, given which, and options of `opened`."""
PHONE, DESKTOP = 390, 1280
"""Widths in CSS pixels."""
_PATIENCE = 30_000
"""Milliseconds that a page may take on a busy machine for what it is expected to do."""
_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
_WATCH = """addEventListener('securitypolicyviolation', (event) =>
    console.error(`policy violated: ${event.violatedDirective} by ${event.blockedURI} ${event.sample}`))"""
_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations.map(
    ({id, help, nodes}) => ({id, help, nodes: nodes.map((node) => `${node.html}\\n${node.failureSummary}`)}))"""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A browser with a new profile. The fixture `browser` is one for the whole run.

    Raises:
        ToolMissingError: there is none on this machine.
    """
    path = find()
    if path is None:
        raise ToolMissingError("no Chromium on this machine: run `python dev.py test`, which sets one up")
    expect.set_options(timeout=_PATIENCE)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_OPTIONS))
        yield browser
        await browser.close()


@asynccontextmanager
async def opened(
    browser: Browser, url: str | None = None, *, width: int = DESKTOP, height: int = 900, dark: bool = False
) -> AsyncIterator[Page]:
    """A page of its own session, at `url` if one is given, that asks for no motion.

    Fails at the end where a script of the page failed, or where the page did what its security policy forbids.
    """
    scheme: Any = "dark" if dark else "light"
    context = await browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce", locale="en-GB", timezone_id="UTC"
    )  # fmt: skip
    try:
        await context.add_init_script(_WATCH)
        page = await context.new_page()
        page.set_default_timeout(_PATIENCE)
        wrong = _watched(page)
        if url is not None:
            await page.goto(url)
        yield page
        assert wrong == []
    finally:
        await context.close()


async def assert_accessible(page: Page, *, max_nodes: int = 5) -> None:
    """Fail with what axe-core finds wrong with the page as it is shown now."""
    await page.evaluate(_axe())  # not as a script tag, which a strict policy would refuse
    found: list[dict[str, Any]] = await page.evaluate(_RUN)
    told = [f"{each['id']}: {each['help']}\n" + "\n".join(each["nodes"][:max_nodes]) for each in found]
    assert not told, "\n\n".join(told)


def _watched(page: Page) -> list[str]:
    """A list into which everything goes that is wrong, answers with an error status aside: pages are to cope with them."""
    wrong: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            wrong.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    return wrong


@cache
def _axe() -> str:
    path = node_modules() / "axe-core" / "axe.min.js"
    if not path.exists():
        raise ToolMissingError(f"{path} is missing; {ToolMissingError.__doc__}")
    return path.read_text(encoding="utf-8")
