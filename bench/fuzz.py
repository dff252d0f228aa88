"""Strangers' bytes, made worse: mutated feeds, pages, maps and listings, read as the app reads them, beside a loop that ticks.

    python -m bench.fuzz [--minutes 10] [--count N] [--seed N] [--data DIR] [--keep DIR]

What counts as a failure: an input that makes the event loop late by more than half a second, or that a child of the sandbox cannot read
within its limits of time and memory, or that crashes it. Such inputs are written to the folder `--keep`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import default_data
from shared.domains.collect.feeds import parse_feed
from shared.domains.collect.listings import parse_listing
from shared.domains.collect.pages import parse_page
from shared.domains.sources.brands import parse_brand_page
from shared.domains.sources.model import Selectors
from shared.domains.sources.sitemaps import parse_sitemap
from shared.fetch import Fetched
from shared.fetch.errors import FetchError
from shared.fetch.unpacking import unpacked
from shared.sandbox import Failure, Why
from shared.sandbox.pool import Sandbox

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LATEST = 0.5
"""Seconds by which a tick may be late."""
_TICK = 0.1
_LARGEST_SEED = 100_000
_LARGEST = 1_000_000
_URL = "https://shop.example/a/b"
_CHARSETS = (
    None,
    None,
    None,
    "utf-8",
    "iso-8859-1",
    "utf-16",
    "punycode",
    "windows-1252",
    "gb2312",
    "x-unknown",
    "idna",
)
_PACKINGS = ("", "", "", "", "gzip", "br", "deflate")
_SELECTORS = Selectors(item="li", title="h3", image="img", price=".price", link="a")
_WAYS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "feed": (parse_feed, ("fuzz",)),
    "page": (parse_page, ("fuzz",)),
    "map": (parse_sitemap, (1000,)),
    "listing": (parse_listing, ("fuzz",)),
    "brand": (parse_brand_page, (_SELECTORS, "EUR")),
}
_SEEDS: dict[str, tuple[str, ...]] = {
    "feed": (
        ("<?xml version='1.0'?><rss version='2.0'><channel><title>t</title><item><title>One &amp; two</title><link>https://a.example/1</link>"
        "<author>a@b.example (Ann)</author><pubDate>Thu, 05 Sep 2024 10:00:00 GMT</pubDate><description><![CDATA[<p>x<img src='/i.png'></p>]]>"
        "</description><guid>g</guid></item></channel></rss>"),
        ('<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.example/"><entry><id>1</id><title type="html">A &lt;b&gt;</title>'
        '<link href="a/1"/><updated>2025-08-11T13:52:21Z</updated><content type="xhtml"><div>x</div></content></entry></feed>'),
    ),
    "page": (
        '<!doctype html><html><head><meta charset="utf-8"><title>T</title><script type="application/ld+json">{"@type":"Article","headline":"x"}'
        "</script></head><body><article><h1>T</h1><p>" + "Words of an article, and more of them. " * 20 + "</p></article></body></html>",
    ),
    "map": (
        ('<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://shop.example/p?a=1&amp;b=2</loc><lastmod>2026-01-01'
        "</lastmod></url></urlset>"),
        "https://shop.example/a\nhttps://shop.example/b\n",
    ),
    "listing": ('{"kind":"Listing","data":{"children":[{"kind":"t3","data":{"name":"t3_1","title":"x","url":"https://a.example/"}}]}}',),
    "brand": (
        ('<ul><li><a href="/p"><h3>Coat</h3><img srcset="/a.jpg 1x, /b.jpg 2x" data-src="/c.jpg"></a><b class="price">\u20ac49<sup>99</sup></b>'
        '</li></ul><script type="application/ld+json">{"@type":"Product","name":"Coat","offers":{"price":"49.950"}}</script>'),
    ),
}  # fmt: skip
_TOKENS = tuple(
    each.encode("utf-8", "surrogatepass")
    for each in (
        "<", ">", "&", '"', "'", '\\"', "<a ", "<a>", "<br>", "<div>", "</", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE x [", "<?xml ", "<item>",
        "<entry>", "<url>", "<loc>", "<svg>", "<template>", "<p ", "\n", " ", "\t", "\0", "\ufeff", "\u202e", "\ud800", "&#55357;", "&#1114112;", "&amp;",
        "&lt;", "&x;", "a@a.", "a.", "[", "{", '{"a":', "1,", "9", "%", "%41", "http://", "http://[::1]@]/", "data:,", "//", "/*", "*/", ";", "charset=", "\xe9",
    )
)  # fmt: skip


@dataclass
class Tally:
    """What came of the inputs."""

    read: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    latest: float = 0.0
    """Seconds by which the loop was late at worst."""
    largest_child: int = 0
    """Bytes of memory that a child held at worst."""

    @property
    def inputs(self) -> int:
        """How many there were."""
        return self.read + self.refused.total() + len(self.failures)


def seeds(data: Path) -> dict[str, list[bytes]]:
    """What is mutated: some documents of our own, and those of the folder of real input, where it is there."""
    found = {kind: [each.encode() for each in own] for kind, own in _SEEDS.items()}
    for kind, folder, pattern in (
        ("feed", "feeds", "**/*.xml"),
        ("page", "html", "**/*.html"),
        ("listing", "reddit", "**/*.json"),
    ):
        paths = sorted(path for path in (data / folder).glob(pattern) if path.stat().st_size < _LARGEST_SEED)
        found[kind] += [path.read_bytes() for path in paths[:200]]
    found["brand"] += found["page"]
    return found


def mutated(body: bytes, other: bytes, dice: random.Random) -> bytes:
    """A document with a few things wrong with it."""
    for _ in range(dice.randint(1, 4)):
        body = dice.choice(_MUTATIONS)(body, other, dice)[:_LARGEST]
    return body


def _flip(body: bytes, _: bytes, dice: random.Random) -> bytes:
    made = bytearray(body or b" ")
    for _each in range(dice.randint(1, 20)):
        made[dice.randrange(len(made))] = dice.randrange(256)
    return bytes(made)


def _cut(body: bytes, _: bytes, dice: random.Random) -> bytes:
    start, end = sorted((dice.randint(0, len(body)), dice.randint(0, len(body))))
    return body[:start] + body[end:]


def _splice(body: bytes, other: bytes, dice: random.Random) -> bytes:
    return body[: dice.randint(0, len(body))] + other[dice.randint(0, len(other)) :]


def _insert(body: bytes, _: bytes, dice: random.Random) -> bytes:
    at = dice.randint(0, len(body))
    return body[:at] + dice.choice(_TOKENS) * int(10 ** dice.uniform(0, 4.8)) + body[at:]


def _repeat(body: bytes, _: bytes, dice: random.Random) -> bytes:
    start = dice.randint(0, len(body))
    piece = body[start : start + dice.randint(1, 200)]
    return body[:start] + piece * int(10 ** dice.uniform(0, 3.5)) + body[start:]


def _recode(body: bytes, _: bytes, dice: random.Random) -> bytes:
    return body.decode("utf-8", "replace").encode(
        dice.choice(("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037")), "replace"
    )


_MUTATIONS = (_flip, _cut, _splice, _insert, _insert, _insert, _repeat, _repeat, _recode)


async def fuzz(
    box: Sandbox,
    found: dict[str, list[bytes]],
    dice: random.Random,
    until: Callable[[int], bool],
    keep: Path | None = None,
) -> Tally:
    """Read mutated documents, two at a time, until it is enough."""
    tally, numbers = Tally(), count()

    async def worker() -> None:
        while not until(next(numbers)):
            await _one(box, found, dice, tally, keep)

    async with ticking(tally):
        await asyncio.gather(worker(), worker())
    return tally


@asynccontextmanager
async def ticking(tally: Tally) -> AsyncIterator[None]:
    """A job that ticks ten times a second, and writes down how late it was at worst.

    Late by what this process itself did meanwhile: on a busy machine it may be kept waiting by others.
    """

    async def tick() -> None:
        while True:
            begun, busy = time.monotonic(), time.process_time()
            await asyncio.sleep(_TICK)
            late = time.monotonic() - begun - _TICK
            tally.latest = max(tally.latest, min(late, time.process_time() - busy))

    task = asyncio.create_task(tick())
    try:
        yield
    finally:
        task.cancel()


async def _one(
    box: Sandbox, found: dict[str, list[bytes]], dice: random.Random, tally: Tally, keep: Path | None
) -> None:
    kind = dice.choice(tuple(_WAYS))
    parse, more = _WAYS[kind]
    body = mutated(dice.choice(found[kind]), dice.choice(found[dice.choice(tuple(found))]), dice)
    charset, packing, before = dice.choice(_CHARSETS), dice.choice(_PACKINGS), tally.latest
    try:
        whole = unpacked(body, packing, _LARGEST, truncate=kind == "map")
    except FetchError as error:
        tally.refused[error.reason] += 1
        return
    answer = await box.run(parse, Fetched(whole, "text/html", _URL, charset), *more)
    tally.largest_child = max(tally.largest_child, box.peak_memory())
    failed = isinstance(answer, Failure) and answer.why is not Why.RAISED
    if failed or tally.latest > max(LATEST, before):
        why = answer.why.value if isinstance(answer, Failure) else "late"
        tally.failures.append(f"{kind}: {why}, {len(whole)} bytes, charset {charset}")
        if keep:
            (keep / f"{kind}-{why}-{len(tally.failures)}").write_bytes(whole)
    elif isinstance(answer, Failure):
        tally.refused[_reason(answer)] += 1
    else:
        tally.read += 1


def _reason(failure: Failure) -> str:
    return failure.detail if failure.type == "ContentRefusedError" else failure.type


def report(tally: Tally) -> Iterator[str]:
    """The tally in lines."""
    yield f"inputs {tally.inputs}, read {tally.read}, refused {tally.refused.total()}, failures {len(tally.failures)}"
    yield f"latest tick {tally.latest:.3f} s, largest child {tally.largest_child / 2**20:.0f} MiB"
    yield from (f"  {times:6}  {reason}" for reason, times in tally.refused.most_common())
    yield from (f"  FAILED  {each}" for each in tally.failures)


def main(arguments: list[str] | None = None) -> int:
    """Run from a shell; 1 where something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--count", type=int, default=sys.maxsize, help="inputs at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=default_data(), help="the folder of real input")
    parser.add_argument("--keep", type=Path, help="a folder for the inputs that fail")
    options = parser.parse_args(arguments)
    end = time.monotonic() + 60 * options.minutes
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)

    def enough(number: int) -> bool:
        return bool(number >= options.count or time.monotonic() > end)

    box = Sandbox()
    try:
        tally = asyncio.run(fuzz(box, seeds(options.data), random.Random(options.seed), enough, options.keep))
    finally:
        box.close()
    sys.stdout.write("\n".join(report(tally)) + "\n")
    return int(bool(tally.failures))


if __name__ == "__main__":
    sys.exit(main())
