"""How well collection reads what is out there: articles, feeds and listings, each compared with what is known of it.

    python -m bench.collect --data DIR [--json FILE]

Feeds and listings are served by a server on this machine and fetched by the app's own fetcher, so that a figure is of all
that happens to a topic: robots.txt, the fetch, decoding, parsing, duplicates, limits.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bench import default_data
from shared.declarations import settings_of
from shared.domains.collect.model import MOST_ITEMS
from shared.domains.collect.pages import parse_page
from shared.domains.collect.sources import Source, sources
from shared.fetch import Fetched, FetchError
from shared.fetch.errors import ContentRefusedError
from shared.settings import Settings

ARTICLES = Path("html") / "article-extraction-benchmark"
FEEDS = Path("feeds") / "INDEX.csv"
LISTINGS = Path("reddit") / "listing_json"
TARGETS = {
    "collect_article_token_f1": 0.93,
    "collect_feed_agreement": 0.97,
    "collect_listing_agreement": 0.97,
}
SLOWEST_SECONDS = 5.0
_TOKEN = re.compile(r"\w+")


# --- articles ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """Agreement of two texts: of their tokens, and as the benchmark itself counts, of their runs of four tokens."""

    f1: float
    hits: float
    extra: float
    missed: float


def articles(folder: Path) -> Iterator[tuple[bytes, str, str]]:
    """Page, address and human-marked body of each article whose page is there."""
    truth = json.loads(gzip.decompress((folder / "ground-truth.json.gz").read_bytes()))
    for name, known in truth.items():
        path = folder / "html" / f"{name}.html.gz"
        if path.is_file():
            yield (
                gzip.decompress(path.read_bytes()),
                known.get("url") or "https://site.example/page",
                known["articleBody"],
            )


def article_text(page: bytes, url: str) -> str:
    """What the app makes of a page; nothing where it finds no article."""
    try:
        return parse_page(Fetched(page, "text/html", url), "article").items[0].text
    except ContentRefusedError:
        return ""


def score(truth: str, found: str) -> Score:
    """Compare two texts. Each page's counts add up to one, so that long pages weigh no more than short ones."""
    wanted, given = _tokens(truth), _tokens(found)
    runs, given_runs = Counter(_runs(wanted)), Counter(_runs(given))
    hits, extra, missed = (runs & given_runs).total(), (given_runs - runs).total(), (runs - given_runs).total()
    whole = (hits + extra + missed) or 1
    same = (Counter(wanted) & Counter(given)).total()
    f1 = 2 * same / (len(wanted) + len(given)) if wanted or given else 1.0
    return Score(f1, hits / whole, extra / whole, missed / whole)


def measure_articles(folder: Path) -> dict[str, float]:
    """Mean token F1 over the pages, and the F1 that the benchmark's own script computes."""
    begun = time.process_time()
    scores = [score(body, article_text(page, url)) for page, url, body in articles(folder)]
    hits, extra, missed = (sum(getattr(one, name) for one in scores) for name in ("hits", "extra", "missed"))
    return {
        "collect_article_token_f1": round(sum(one.f1 for one in scores) / len(scores), 4),
        "collect_article_benchmark_f1": round(2 * hits / (2 * hits + extra + missed), 4),
        "collect_articles": len(scores),
        "collect_article_cpu_seconds": round(time.process_time() - begun, 1),
    }


def _tokens(text: str) -> list[str]:
    return _TOKEN.findall(text)


def _runs(tokens: list[str], length: int = 4) -> list[tuple[str, ...]]:
    return [tuple(tokens[n : n + length]) for n in range(max(1, len(tokens) - length + 1))]


# --- feeds and listings ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Document:
    """Something to serve, and how many items it is known to hold."""

    name: str
    body: bytes
    content_type: str
    items: int


@dataclass(frozen=True, slots=True)
class CollectionResult:
    """What collecting a document came to."""

    document: Document
    seconds: float
    found: int = 0
    kept: int = 0
    refused: str = ""

    @property
    def agrees(self) -> bool:
        """Whether as many items were found as are known to be there."""
        return not self.refused and self.found == self.document.items

    @property
    def whole(self) -> bool:
        """Whether they were also all kept, up to the largest limit."""
        return self.agrees and self.kept == min(self.found, MOST_ITEMS)


def feeds(data: Path) -> list[Document]:
    """Every feed of the index that is there, with the number of entries that feedparser found in it."""
    with (data / FEEDS).open(encoding="utf-8", newline="") as index:
        rows = [row for row in csv.DictReader(index) if (data / row["path"]).is_file()]
    return [
        Document(row["path"], (data / row["path"]).read_bytes(), "application/xml", int(row["entries"] or 0))
        for row in rows
    ]


def listings(data: Path) -> list[Document]:
    """Every listing, with the number of its children."""
    paths = sorted(path for path in (data / LISTINGS).rglob("*.json*") if path.is_file())
    return [
        Document(path.name, body, "application/json", _children(body)) for path in paths if (body := _unzipped(path))
    ]


def _unzipped(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def _children(body: bytes) -> int:
    content = json.loads(body)
    return sum(len(each["data"]["children"]) for each in (content if isinstance(content, list) else [content]))


@asynccontextmanager
async def served(documents: Iterable[Document]) -> AsyncIterator[tuple[str, Settings]]:
    """Serve documents as `/feeds/N` and as the subreddits `sN`; yield the server's address, and settings that allow it."""
    by_number = {str(number): one for number, one in enumerate(documents)}

    async def answer(request: web.Request) -> web.Response:
        found = by_number.get(request.match_info["number"])
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found.body, content_type=found.content_type)

    site = web.Application()
    site.router.add_get("/feeds/{number}", answer)
    site.router.add_get("/r/s{number}/hot.json", answer)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = f"127.0.0.1:{runner.addresses[0][1]}"
    settings = settings_of(
        {"FETCH_ALLOWED_HOSTS": host, "FETCH_HOST_INTERVAL_SECONDS": "0", "REDDIT_URL": f"http://{host}"}
    )
    try:
        yield f"http://{host}", settings
    finally:
        await runner.cleanup()


async def collect_all(documents: list[Document], source: str) -> list[CollectionResult]:
    """Collect every document, one after the other."""
    async with served(documents) as (address, settings):
        chosen: Source = sources(settings)["rss" if source == "rss" else "reddit"]
        topics = [f"{address}/feeds/{n}" if source == "rss" else f"s{n}" for n in range(len(documents))]
        return [await _collect(chosen, topic, one) for topic, one in zip(topics, documents, strict=True)]


async def _collect(source: Source, topic: str, document: Document) -> CollectionResult:
    begun = time.perf_counter()
    try:
        harvest = await source.collect(topic, "hot", MOST_ITEMS)
    except (FetchError, ContentRefusedError) as error:
        return CollectionResult(document, time.perf_counter() - begun, refused=f"{error.reason}: {error}")
    return CollectionResult(document, time.perf_counter() - begun, harvest.found, len(harvest.items))


def figures_of(name: str, outcomes: list[CollectionResult]) -> dict[str, float]:
    """Agreement over the documents that hold items, and what became of the rest."""
    holding = [one for one in outcomes if one.document.items]
    return {
        f"collect_{name}_agreement": round(sum(one.agrees for one in holding) / len(holding), 4),
        f"collect_{name}_kept_whole": round(sum(one.whole for one in holding) / len(holding), 4),
        f"collect_{name}s": len(outcomes),
        f"collect_{name}s_with_items": len(holding),
        f"collect_{name}s_refused": sum(bool(one.refused) for one in outcomes),
        f"collect_{name}_slowest_seconds": round(max(one.seconds for one in outcomes), 3),
    }


# --- all of it ---------------------------------------------------------------------------------------------------


def missing(data: Path) -> list[Path]:
    """What of the real input is not there."""
    return [path for path in (ARTICLES / "ground-truth.json.gz", FEEDS, LISTINGS) if not (data / path).exists()]


def measure(data: Path) -> dict[str, float]:
    """Measure all."""
    return (
        measure_articles(data / ARTICLES)
        | figures_of("feed", asyncio.run(collect_all(feeds(data), "rss")))
        | figures_of("listing", asyncio.run(collect_all(listings(data), "reddit")))
    )


def short_of(figures: Mapping[str, float]) -> list[str]:
    """The figures that fall short of what is to be reached."""
    slow = [name for name in figures if name.endswith("_slowest_seconds") and figures[name] > SLOWEST_SECONDS]
    return [name for name, target in TARGETS.items() if figures[name] < target] + slow


def main(arguments: list[str] | None = None) -> int:
    """Run from a shell; 1 where a figure falls short, 2 where there is no data."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of real input")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args(arguments)
    if absent := missing(options.data):
        sys.stderr.write(f"no {absent[0]} in {options.data}; set NIGHTSHIFT_DATA or pass --data\n")
        return 2
    figures: dict[str, Any] = measure(options.data)
    for name, value in figures.items():
        sys.stdout.write(f"{name:34} {value:10.4g}\n")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(bool(short_of(figures)))


if __name__ == "__main__":
    sys.exit(main())
