"""Collected items for the site, as a collection writes them, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from shared.domains.collect.public import Item
from shared.domains.site.editions import Editions, Page, Shown
from shared.domains.site.kinds import EnrichItem, enrich_item
from shared.domains.site.model import Article
from shared.domains.site.store import ArticleStore
from shared.jobs.testing import MemoryApp
from shared.ports import AlreadyExistsError, BlobStore
from shared.storage import iso

TOPIC = "https://news.example/feed"
LONG = "The council met on Monday to talk about the new library. " * 8


def item(number: int, **changes: Any) -> Item:
    """An item of a feed, whose page need not be read."""
    fields: dict[str, Any] = {
        "id": f"i{number}", "title": f"Story number {number}", "url": f"https://news.example/{number}", "source": "rss",
        "topic": TOPIC, "published": f"2026-01-0{1 + number % 5}T0{number % 10}:00:00Z", "text": LONG, "tags": ("Libraries",),
    }  # fmt: skip
    return Item(**{**fields, **changes})


async def write_items(blobs: BlobStore, at: Any, items: Sequence[Item], name: str = "news") -> list[EnrichItem]:
    """Write items as a collection does; return what enriches each."""
    blob = f"{at:%Y%m%d_%H%M%S}_rss_{name.replace(' ', '-')}.json"
    content = {
        "job_id": "j",
        "source": "rss",
        "topic": TOPIC,
        "submitted_at": iso(at),
        "items": [asdict(each) for each in items],
    }
    try:
        await blobs.create(blob, json.dumps(content).encode())
    except AlreadyExistsError:
        raise AssertionError("two collections of one name and second") from None
    return [EnrichItem(blob_name=blob, number=number) for number in range(len(items))]


async def enrich(app: MemoryApp, items: Sequence[Item], name: str = "news") -> list[Any]:
    """Collect and enrich items; return the results."""
    wanted = await write_items(app.blobs, app.clock.now(), items, name)
    tickets = [await app.submit(enrich_item, each) for each in wanted]
    await app.drain()
    return [(await app.job(ticket)).results for ticket in tickets]


async def articles(app: MemoryApp) -> list[Article]:
    """All articles, the newest first."""
    return await ArticleStore(app.documents, app.clock, timedelta(days=90)).newest(1000)


async def shown(app: MemoryApp) -> Shown:
    """What is shown, and what is kept."""
    return (await Editions(app.blobs, app.clock).shown()).value


async def pages(app: MemoryApp, edition_id: str = "") -> dict[str, bytes]:
    """The pages of the edition that is shown, or of another; each of them has to be there, as its manifest says."""
    editions = Editions(app.blobs, app.clock)
    manifest = await editions.manifest(edition_id or (await shown(app)).current)
    return {path: await _content(editions, page) for path, page in manifest.items()}


async def _content(editions: Editions, page: Page) -> bytes:
    import hashlib

    data = await editions.page(page)
    assert data is not None, f"{page.blob} is missing"
    assert hashlib.sha256(data).hexdigest().startswith(page.sha256)
    return data
