"""Tallies: what happened in a stretch of time, as counts that add up, however many processes counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.monitor.histogram import Histogram, histogram_of
from shared.monitor.outcomes import Step

OTHER = "other"
"""The kind under which whatever this code has no kind for is counted."""


@dataclass(slots=True)
class KindTally:
    """What happened to jobs of one kind."""

    jobs: Counter[str] = field(default_factory=Counter)
    """How often a job was `submitted` or `replayed`, and how often one ended `completed`, `failed` or `cancelled`."""
    attempts: dict[str, Histogram] = field(default_factory=dict)
    """How long attempts took, by outcome: `completed`, `retried`, `failed`, `cancelled`, `released`, `lapsed`."""
    waits: Histogram = field(default_factory=Histogram)
    """How long jobs that were due waited for their attempt."""
    dead_letters: Counter[str] = field(default_factory=Counter)
    """Dead letters by reason."""

    @property
    def ended(self) -> int:
        """How many jobs came to an end."""
        return self.jobs["completed"] + self.jobs["failed"] + self.jobs["cancelled"]

    @property
    def retries(self) -> int:
        """How many attempts failed and were followed by another."""
        return self.attempts["retried"].count if "retried" in self.attempts else 0

    @property
    def durations(self) -> Histogram:
        """How long attempts took, whatever came of them."""
        return merged(self.attempts.values())

    @property
    def failure_rate(self) -> float | None:
        """Failed jobs per ended ones; None where none ended."""
        return self.jobs["failed"] / self.ended if self.ended else None

    def attempt(self, outcome: str, seconds: float) -> None:
        """Count an attempt."""
        if outcome not in self.attempts:
            self.attempts[outcome] = Histogram()
        self.attempts[outcome].add(seconds)

    def merge(self, other: KindTally) -> None:
        """Add what another tally counted."""
        self.jobs.update(other.jobs)
        self.dead_letters.update(other.dead_letters)
        self.waits.merge(other.waits)
        for outcome, histogram in other.attempts.items():
            self.attempts.setdefault(outcome, Histogram()).merge(histogram)

    def to_json(self) -> dict[str, Any]:
        """As documents hold it: what is not empty."""
        content = {
            "jobs": dict(self.jobs),
            "attempts": {outcome: histogram.to_json() for outcome, histogram in self.attempts.items()},
            "waits": self.waits.to_json() if self.waits.count else None,
            "dead_letters": dict(self.dead_letters),
        }
        return {name: value for name, value in content.items() if value}


@dataclass(slots=True)
class Tally:
    """What happened, by kind of job and beside jobs."""

    kinds: dict[str, KindTally] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    """How often the app did what concerns no single kind: `sweeps`, `resent` and `projected` (what a sweep mended),
    `put_back` and `poison_put_back` (messages sent anew because storage failed), `loop_blocked` and
    `loop_blocked_seconds` (how often, and for how long, a handler kept the event loop from turning)."""
    calls: Counter[str] = field(default_factory=Counter)
    """Storage transactions by operation, as in `blobs.read`."""

    def kind(self, name: str) -> KindTally:
        """The tally of a kind."""
        if name not in self.kinds:
            self.kinds[name] = KindTally()
        return self.kinds[name]

    def count(self, kind: str, step: Step) -> None:
        """Count what a step of a job was."""
        tally = self.kind(kind)
        if step.passed:
            tally.jobs[step.passed] += 1
        if step.ended:
            tally.attempt(step.ended.outcome, step.ended.seconds)
        if step.waited is not None:
            tally.waits.add(step.waited)

    @property
    def total(self) -> KindTally:
        """All kinds together."""
        total = KindTally()
        for each in self.kinds.values():
            total.merge(each)
        return total

    def merge(self, other: Tally) -> None:
        """Add what another tally counted."""
        self.events.update(other.events)
        self.calls.update(other.calls)
        for name, each in other.kinds.items():
            self.kind(name).merge(each)

    def to_json(self) -> dict[str, Any]:
        """As documents hold it."""
        kinds = {name: each.to_json() for name, each in sorted(self.kinds.items())}
        return {"kinds": kinds, "events": dict(self.events), "calls": dict(self.calls)}


def tally_of(content: Mapping[str, Any]) -> Tally:
    """Read a tally as `Tally.to_json` wrote it."""
    kinds = {name: _kind_of(each) for name, each in content["kinds"].items()}
    return Tally(kinds, Counter(content["events"]), Counter(content["calls"]))


def merged(histograms: Iterable[Histogram]) -> Histogram:
    """One histogram of several."""
    total = Histogram()
    for each in histograms:
        total.merge(each)
    return total


def _kind_of(content: Mapping[str, Any]) -> KindTally:
    attempts = {outcome: histogram_of(each) for outcome, each in content.get("attempts", {}).items()}
    waits = histogram_of(content["waits"]) if "waits" in content else Histogram()
    return KindTally(Counter(content.get("jobs", {})), attempts, waits, Counter(content.get("dead_letters", {})))
