"""Real input: every feed and listing of the set through the scraper, and real pages with a price or without."""

from __future__ import annotations

import asyncio
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import collect as bench
from bench import default_data
from shared.domains.sources.checkpoint import Checkpoint, identified
from shared.domains.sources.model import Found, Source, SourceKind
from shared.domains.sources.products import page_itself
from shared.domains.sources.reading import Reader, Reading
from shared.domains.sources.selecting import Page
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError
from support.lab import Lab, close_lab, open_memory_lab
from support.scraping import Night
from support.sites import Site

NOW = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def data() -> Path:
    folder = default_data()
    if absent := bench.missing(folder):
        pytest.skip(f"no real input at {folder / absent[0]}; set NIGHTSHIFT_DATA")
    return folder


def source_of(kind: SourceKind, **fields: Any) -> Source:
    return Source(id="s", kind=kind, label="s", created_at=NOW, updated_at=NOW, due_at=NOW, **fields)


async def readings(documents: list[bench.Document], kind: SourceKind) -> list[Reading | str]:
    """What the scraper reads of each document; why, where it reads nothing."""

    async def one(reader: Reader, source: Source) -> Reading | str:
        try:
            reading = await reader.read(source)
            assert reading is not None
            return reading
        except ContentRefusedError as error:
            return f"{error.reason}: {error}"

    async with bench.served(documents) as (address, settings):
        reader = Reader(settings)
        feeds = kind is SourceKind.RSS
        sources = [
            source_of(kind, url=f"{address}/feeds/{n}") if feeds else source_of(kind, subreddit=f"s{n}")
            for n in range(len(documents))
        ]
        return [await one(reader, source) for source in sources]


async def test_every_feed_brings_what_feedparser_finds_in_it(data: Path) -> None:
    """Every third of the set; of all 290 that can be read, docs/reference/sources.md tells the same."""
    documents = bench.feeds(data)[::3]
    found = await readings(documents, SourceKind.RSS)
    refused = {reading for reading in found if isinstance(reading, str)}
    assert refused <= {"unreadable: no feed: neither RSS nor Atom"}
    pairs = list(zip(documents, found, strict=True))
    assert [one.name for one, reading in pairs if isinstance(reading, str) and one.items] == []
    counts = [(one.name, one.items, r.total) for one, r in pairs if not isinstance(r, str)]
    assert len(counts) > 90
    assert [name for name, items, total in counts if items != total] == []
    lost = [one.name for one, r in pairs if not isinstance(r, str) and len(r.things) < min(r.total, 1000)]
    assert len(lost) / len(counts) < 0.1, lost
    merged = [
        one.name
        for one, r in pairs
        if not isinstance(r, str) and len(identified(r.things, Checkpoint())) != len(r.things)
    ]
    assert merged == []


async def test_every_listing_brings_its_posts(data: Path) -> None:
    documents = bench.listings(data)[::3]
    found = await readings(documents, SourceKind.REDDIT)
    assert [reading for reading in found if isinstance(reading, str)] == []
    assert [r.total for r in found if not isinstance(r, str)] == [one.items for one in documents]


async def test_a_night_of_real_feeds_and_the_next(data: Path, tmp_path: Path) -> None:
    documents = [one for one in bench.feeds(data) if one.items and "real" in one.name][:10]
    async with bench.served(documents) as (address, settings):
        lab: Lab = open_memory_lab("night", tmp_path)
        lab.settings = settings
        lab.start()
        night = Night(lab, Site())
        night.site.port = int(address.rpartition(":")[2])
        for number in range(len(documents)):
            await night.add("rss", f"/feeds/{number}")
        first = await night.all()
        assert (first["children"], first["failed"], first["tally"]["failed"]) == (10, 0, 0)
        assert first["tally"]["found"] == sum(one.items for one in documents)
        stored = len(await night.items())
        assert stored == first["tally"]["new"] > 200
        lab.clock.advance(86400)
        second = await night.all()
        tally = second["tally"]
        assert (second["children"], tally["new"], tally["changed"]) == (10, first["tally"]["left"], 0)
        await close_lab(lab)


def pages(data: Path) -> list[tuple[bytes, str]]:
    folder = data / bench.ARTICLES
    known = json.loads(gzip.decompress((folder / "ground-truth.json.gz").read_bytes()))
    return [
        (gzip.decompress(path.read_bytes()), known[name].get("url") or "https://site.example/")
        for name in sorted(known)
        if (path := folder / "html" / f"{name}.html.gz").is_file()
    ]


async def test_real_pages_say_what_they_are_about(data: Path) -> None:
    def read(body: bytes, url: str) -> Found | None:
        return page_itself(Page.of(Fetched(body, "text/html", url)))

    found = [await asyncio.to_thread(read, body, url) for body, url in pages(data)[:60]]
    titled = [each for each in found if each]
    assert len(titled) >= 58
    assert sum(bool(each.image_url) for each in titled) > 40
    assert all(len(each.title) <= 300 and "<" not in each.title for each in titled)
