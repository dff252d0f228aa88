"""Copies for a static website, over real storage: each page of its type, and what did not change is not written again."""

from __future__ import annotations

from typing import Any, cast

from azure.storage.blob.aio import BlobServiceClient

from shared.adapters.opening import OpenedContainers
from shared.domains.site.copying import copy
from shared.domains.site.editions import Edition, Editions, Page
from shared.storage import iso
from support.azurite import AzuriteProcess
from support.lab import Lab

TYPES = {
    "index.html": "text/html",
    "style.css": "text/css",
    "feed.xml": "application/rss+xml",
    "robots.txt": "text/plain",
}


class Job:
    """Of a job, what copying needs."""

    def __init__(self, lab: Lab) -> None:
        self.blobs, self.clock = lab.blobs, lab.clock

    async def progress(self, step: str, completed: int, total: int) -> None:
        """Nobody looks."""


async def show(lab: Lab, edition_id: str, texts: dict[str, str]) -> None:
    """Make an edition of these pages, and show it."""
    editions = Editions(lab.blobs, lab.clock)
    pages = {}
    for path, text in texts.items():
        blob = await editions.write_page(edition_id, path, text.encode())
        pages[path] = Page(blob, f"{path}-{text}".replace("/", "-"), TYPES.get(path, "text/html"), text)
    await editions.write_manifest(edition_id, pages)
    now = iso(lab.clock.now())
    await editions.show(Edition(edition_id, now, "j", 1, len(pages), len(pages)), await editions.shown(), now, 5)


async def test_the_website_follows_what_is_shown(lab: Lab, azurite: AzuriteProcess) -> None:
    opened = OpenedContainers(lab.settings)
    web, job = opened("$web"), cast("Any", Job(lab))
    texts = dict.fromkeys((*TYPES, "items/1.html"), "one")
    try:
        await show(lab, "one", texts)
        assert await copy(job, web) == {"written": 5, "deleted": 0}
        assert await copy(job, web) == {"written": 0, "deleted": 0}
        async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
            types = {}
            async for blob in service.get_container_client("$web").list_blobs():
                types[blob.name] = blob.content_settings.content_type
        assert types == {
            "index.html": "text/html; charset=utf-8", "items/1.html": "text/html; charset=utf-8", "style.css": "text/css; charset=utf-8",
            "feed.xml": "application/xml", "robots.txt": "text/plain; charset=utf-8",
        }  # fmt: skip
        await show(lab, "two", {**dict.fromkeys(TYPES, "one"), "index.html": "two"})
        assert await copy(job, web) == {"written": 1, "deleted": 1}
        front = await web.read("index.html")
        assert front is not None
        assert front.data == b"two"
        assert await web.read("items/1.html") is None
    finally:
        await opened.close()
