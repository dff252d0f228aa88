"""How well documents are read: words compared with what is known of each, pages a second, and the memory of the child that reads.

    python dev.py bench documents --data DIR

Every file of the set is read in the sandbox, as the app reads it, by one child: what is measured is all that an upload goes through.
"""

from __future__ import annotations

import asyncio
import csv
import re
import resource
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.declarations import settings_of
from shared.domains.documents.public import Refusal, Text
from shared.domains.documents.reader import EmbeddedReader
from shared.domains.documents.reading import extra
from shared.domains.documents.text import Outcome

INDEX = Path("documents") / "INDEX.csv"
_TOKEN = re.compile(r"\w+")
_QUICK = 5
"""Of the files without an expected text, one of so many is read where time is short."""
_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """One file of the set."""

    path: Path
    password: str | None
    expected: Path | None
    """Text that is known of it."""

    @property
    def ending(self) -> str:
        """What its name ends with, without the dot."""
        return self.path.suffix.removeprefix(".").lower()


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a file."""

    sample: Sample
    found: Text | Refusal
    seconds: float

    @property
    def f1(self) -> float | None:
        """Agreement of its words with those that are known; None where none are."""
        if self.sample.expected is None:
            return None
        known = self.sample.expected.read_text(encoding="utf-8", errors="replace")
        return f1(self.found.text if isinstance(self.found, Text) else "", known)


def samples(data: Path) -> Iterator[Sample]:
    """The files of the set that are there."""
    with (data / INDEX).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            path, expected = data / row["path"], data / row["expected_path"]
            if path.is_file():
                known = expected if row["expected_path"] and expected.is_file() else None
                yield Sample(path, row["password"] or None, known)


def f1(one: str, other: str) -> float:
    """The harmonic mean of precision and recall of the words of two texts, whatever their order and case."""
    words, known = (Counter(_TOKEN.findall(each.lower())) for each in (one, other))
    total = words.total() + known.total()
    return 2 * (words & known).total() / total if total else 1.0


async def read_all(chosen: list[Sample]) -> tuple[list[Reading], float, int]:
    """Read files one after the other; return what became of each, the largest memory in MiB, and how many children ended over it."""
    reader = EmbeddedReader(settings_of({"DOCUMENT_PROCESSES": "1"}))
    await reader.read(b"Words, so that the child and the dictionaries are there.", "warm.txt")
    readings, largest = [], 0
    for sample in chosen:
        data = sample.path.read_bytes()
        started = time.perf_counter()
        found = await reader.read(data, sample.path.name, sample.password)
        readings.append(Reading(sample, found, time.perf_counter() - started))
        largest = max(largest, reader.sandbox.peak_memory())
    return readings, largest / _MIB, reader.sandbox.figures.killed


def measure(data: Path, *, quick: bool = False) -> dict[str, float]:
    """Read the set; print what became of it, and return the figures."""
    chosen = [each for number, each in enumerate(samples(data)) if each.expected or not quick or number % _QUICK == 0]
    if not chosen:
        return {}
    readings, largest, killed = asyncio.run(read_all(chosen))
    figures = {**scores(readings), "documents_files": float(len(readings))}
    figures["documents_slowest_seconds"] = max(each.seconds for each in readings)
    figures["documents_pages_per_second"] = speed(readings)
    figures |= {"documents_largest_memory_mib": largest, "documents_children_ended": float(killed)}
    show(readings)
    return figures


def scores(readings: list[Reading]) -> dict[str, float]:
    """F1 in all and by format; and in all, were the optional package not installed."""
    known = [(each, score) for each in readings if (score := each.f1) is not None]
    by: Mapping[str, list[float]] = defaultdict(list)
    for each, score in known:
        by[each.sample.ending].append(score)
    plain = [0.0 if each.found.format in extra.FORMATS else score for each, score in known]
    figures = {"documents_f1": _mean([score for _, score in known]), "documents_f1_without_extra": _mean(plain)}
    return figures | {f"documents_f1_{ending}": _mean(by[ending]) for ending in sorted(by)}


def speed(readings: list[Reading]) -> float:
    """Pages of PDFs that one processor reads in a second, all that happens to an upload included; the children's start apart."""
    read = [each for each in readings if isinstance(each.found, Text) and each.found.format == "pdf"]
    pages = sum(len(each.found.pages) for each in read if isinstance(each.found, Text))
    seconds = _processor_seconds([each.sample for each in read]) - _processor_seconds([])
    return pages / seconds if seconds > 0 else 0.0


def _processor_seconds(chosen: list[Sample]) -> float:
    """Seconds of processor that it takes, in this process and in children of its own, to start and to read these files."""
    before = _used()
    settings = settings_of({"DOCUMENT_PROCESSES": "1", "SANDBOX_PROCESSES": "1"})
    asyncio.run(_read(EmbeddedReader(settings), chosen))
    return _used() - before


async def _read(reader: EmbeddedReader, chosen: list[Sample]) -> None:
    await reader.read(b"Words, so that the child and the dictionaries are there.", "warm.txt")
    for sample in chosen:
        await reader.read(sample.path.read_bytes(), sample.path.name, sample.password)
    reader.close()


def _used() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in spent)


def show(readings: list[Reading]) -> None:
    """Print how the reading of each format ended."""
    ends: Mapping[str, Counter[Outcome]] = defaultdict(Counter)
    for each in readings:
        ends[each.sample.ending][each.found.outcome] += 1
    for ending, counts in sorted(ends.items()):
        told = ", ".join(f"{outcome.value} {count}" for outcome, count in sorted(counts.items()))
        print(f"{ending:10} {counts.total():4}   {told}")


def _mean(values: list[float]) -> float:
    return sum(values) / len(values) if values else 0.0
