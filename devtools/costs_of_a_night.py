"""``python -m devtools.costs_of_a_night``: what a night of many sources and users costs, and how long it takes.

Counts are measured (``dev.py bench night``, and the tests that count calls) or said to be assumptions; prices are those of
`devtools.costs`. docs/explanation/night-costs.md holds what this prints.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from devtools.costs import Prices

SHELF = 2_000
"""Items that digests choose from: the default of `WEEKLY_DIGEST_SHELF`."""
IN_HAND = 24
"""Messages for each instance: `batchSize` and `newBatchThreshold` of host.json; the platform scales by it."""
RATE = 0.33
"""Children a second for each unit of width, where each is at work for 1.5 s."""
_INDEXED = 3.5
"""What the indexes of a document add to the 5.5 request units of a write of 1 KB: an assumption."""


def read(kb: float = 1) -> float:
    """Request units of a read: one for each KB."""
    return math.ceil(kb)


def create(kb: float = 1) -> float:
    """Request units of a creation; what is beyond 1 KB is mostly text, which is not indexed."""
    return 5.5 * kb + _INDEXED


def replace(kb: float = 1) -> float:
    """Request units of a replacement: twice a creation."""
    return 2 * create(kb)


def query(kb: float = 0) -> float:
    """Request units of a query: some 3, and what it returns."""
    return 3 + kb


INDEX = create() + read() + replace()
"""The index document of a job: created at its submission, read and replaced at its end."""


@dataclass(frozen=True)
class Part:
    """One fan-out of a night: what each child uses, its share of the parent's included."""

    name: str
    children: int
    width: int
    ru: dict[str, float]
    """Request units by container."""
    listing: float
    """Request units of finding the children."""
    cpu_seconds: float
    blob_writes: float = 3.05
    """Created, claimed, completed, and the parent's."""
    blob_reads: float = 3.6
    """The parent looks: 3.0 to 3.8, whatever the width."""
    queue_calls: float = 2.07
    memory_gb: float = 2.0

    @property
    def instances(self) -> int:
        """How many the platform starts: it sees as many messages as the width."""
        return math.ceil(self.width / IN_HAND)

    @property
    def seconds(self) -> float:
        """How long it takes: as the width allows, or the processors, one for each instance."""
        return max(self.children / (self.width * RATE), self.children * self.cpu_seconds / self.instances)

    @property
    def request_units(self) -> float:
        """All of them."""
        return self.children * sum(self.ru.values()) + self.listing

    @property
    def busiest(self) -> tuple[str, float]:
        """The container that is asked most, and its request units a second."""
        name = max(self.ru, key=lambda each: self.ru[each])
        return name, self.children * self.ru[name] / self.seconds

    def bill(self, price: Prices) -> float:
        """Dollars."""
        each = (
            self.blob_writes * price.blob_writes_10k / 1e4
            + self.blob_reads * price.blob_reads_10k / 1e4
            + self.queue_calls * price.queue_calls_10k / 1e4
            + price.million_executions / 1e6
        )
        compute = self.seconds * self.instances * self.memory_gb * price.gb_second
        return self.children * each + self.request_units * price.million_ru / 1e6 + compute


def scraper(width: int, new_items: int = 15) -> Part:
    """10,000 sources, each with new items of 1.5 KB; a checkpoint of 3 KB."""
    ru = {
        "jobs": INDEX,
        "locks": read() + 2 * replace(),
        "sources": read() + replace() + 2 * read(3) + replace(3),
        "items": new_items * create(1.5),
    }
    return Part("10,000 sources", 10_000, width, ru, 100 * query(100), 0.05)


def digests(width: int, shelf: int = SHELF) -> Part:
    """100,000 users, each with a wardrobe of 5 KB."""
    ru = {
        "jobs": INDEX,
        "digests": query(1) + query() + create(),
        "users": query(5) + read(),
        "taste": read(2) + query(),
    }
    return Part(
        "100,000 digests" + (f", {shelf:,} items" if shelf > SHELF else ""),
        100_000,
        width,
        ru,
        100 * query(250),
        0.02 + shelf * 50e-6,
        blob_writes=5.05,
    )


NIGHT = (scraper(8), scraper(64), digests(16), digests(64), digests(200), digests(200, shelf=20_000))


def table(price: Prices | None = None) -> str:
    """The parts of a night, at several widths, as a Markdown table."""
    return "\n".join(_rows(price or Prices()))


def _rows(price: Prices) -> Iterator[str]:
    yield "| part | width | instances | hours | blob writes | blob reads | request units | busiest container, a second | $ |"
    yield "|---|---:|---:|---:|---:|---:|---:|---|---:|"
    for part in NIGHT:
        name, rate = part.busiest
        yield (
            f"| {part.name} | {part.width} | {part.instances} | {part.seconds / 3600:.1f}"
            f" | {part.children * part.blob_writes:,.0f} | {part.children * part.blob_reads:,.0f}"
            f" | {part.request_units / 1e6:.1f} million | `{name}`: {rate:,.0f} | {part.bill(price):.2f} |"
        )


if __name__ == "__main__":
    print(table())
