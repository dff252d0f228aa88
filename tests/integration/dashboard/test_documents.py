"""Documents on the dashboard, in a real browser over the running app: dropped, read, mended by a password, deleted."""

from __future__ import annotations

import base64

import pytest
from playwright.async_api import FilePayload, Page, expect

from support.browser import DESKTOP, PHONE, Opener, assert_accessible
from support.documents import docx, paragraph, pdf, protected


def _file(name: str, data: bytes, media_type: str) -> list[FilePayload]:
    """A file that somebody chooses."""
    return [{"name": name, "mimeType": media_type, "buffer": data}]


_DROP = """([name, content]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(atob(content), (each) => each.charCodeAt(0))], name));
  for (const type of ['dragover', 'drop']) document.querySelector('.drop').dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true}));
}"""


async def test_files_are_chosen_and_dropped_and_one_is_opened_by_its_password(shown: Opener) -> None:
    report = pdf("The parcel was left with the neighbours.", "They were not at home.", title="A parcel")
    secret = protected(docx(paragraph("Nobody may know this.")), "sesame")
    async with shown("#/documents") as page:
        await page.get_by_label("Drop files here, or choose some").set_input_files(
            _file("parcel.pdf", report, "application/pdf")
        )
        await expect(page.locator(".uploads li")).to_contain_text("is in the queue")
        await page.evaluate(_DROP, ["secret.docx", base64.b64encode(secret).decode()])
        await expect(page.locator(".uploads li")).to_have_count(2)
        await _in_state(page, "parcel.pdf", "completed")
        await _in_state(page, "secret.docx", "failed")

        await page.get_by_role("row", name="secret.docx").get_by_role("link", name="secret.docx").click()
        await expect(page.locator(".notice.bad")).to_contain_text("protected by a password")
        await page.get_by_label("Password of the document").fill("sesame")
        await page.get_by_role("button", name="Open it").click()
        await expect(page.get_by_role("region", name="Text of the document")).to_have_text("Nobody may know this.")
        await expect(page.locator(".title .badge")).to_have_text("completed")
        await page.get_by_role("button", name="Delete").click()
        await page.get_by_role("button", name="Delete it").click()
        await expect(page.get_by_role("heading", name="Documents", level=1)).to_be_visible()
        await expect(page.locator("tbody").get_by_text("secret.docx")).to_have_count(0)


async def test_a_text_is_read_by_pages_and_in_chunks(shown: Opener) -> None:
    async with shown("#/documents") as page:
        await _upload(page, "pages.pdf", pdf("The first page.", "The second page."))
        await page.get_by_role("link", name="By pages").click()
        await expect(page.get_by_role("region", name="Text of the document")).to_have_text("The first page.")
        await page.get_by_role("link", name="Page after").click()
        await expect(page.get_by_role("region", name="Text of the document")).to_have_text("The second page.")
        await page.get_by_role("link", name="Chunks").click()
        await expect(page.get_by_role("region", name="Chunks")).to_contain_text("The first page.")
        await expect(page.locator(".events").last).to_contain_text("uploaded: pages.pdf")


async def test_what_failed_is_retried_and_cleared_at_once(shown: Opener) -> None:
    async with shown("#/documents?status=failed") as page:
        await page.get_by_label("Drop files here, or choose some").set_input_files(
            _file("broken.pdf", b"%PDF-1.4 broken", "application/pdf")
        )
        await expect(page.get_by_role("row", name="broken.pdf")).to_contain_text("damaged")
        await page.get_by_role("button", name="Retry what failed").click()
        await expect(page.locator(".said .notice")).to_contain_text("will be read again")
        await expect(page.get_by_role("row", name="broken.pdf")).to_contain_text("failed")
        await page.get_by_role("button", name="Clear what failed").click()
        await page.get_by_role("button", name="Delete them").click()
        await expect(page.locator(".list")).to_contain_text("No document fits.")


@pytest.mark.parametrize(("width", "dark"), [(DESKTOP, False), (PHONE, True)], ids=["light", "dark phone"])
async def test_both_views_can_be_used_by_everybody(shown: Opener, width: int, dark: bool) -> None:
    async with shown("#/documents", width=width, dark=dark) as page:
        await _upload(page, f"looks{width}.docx", protected(docx(paragraph(f"Looks {width}.")), "x"), "failed")
        await expect(page.get_by_label("Password of the document")).to_be_visible()
        for view in (page.url, page.url.partition("#")[0] + "#/documents"):
            await page.goto(view)
            await expect(page.locator("[aria-busy='true']")).to_have_count(0)
            await assert_accessible(page)
            cut = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(cut) == 0, view


async def _upload(page: Page, name: str, data: bytes, state: str = "completed") -> None:
    """Upload a file, wait for its end, and show it."""
    files = page.get_by_label("Drop files here, or choose some")
    await files.set_input_files(_file(name, data, "application/octet-stream"))
    await _in_state(page, name, state)
    await page.locator(".uploads").get_by_role("link", name=name).click()
    await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


async def _in_state(page: Page, name: str, state: str) -> None:
    await expect(page.get_by_role("row", name=name).locator(".badge")).to_have_text(state)
