"""``python -m devtools.scale``: which limit of Azure is met first as jobs a second grow, by arithmetic and by simulation.

Each limit is a token bucket. The simulation submits and runs jobs in virtual time, finds the rate at which one bucket keeps
jobs waiting, raises that limit as docs/explanation/scale.md says to, and goes on. The page holds what this prints.

Limits are Azure's published ones, counts a job's own (docs/explanation/costs.md), the rate of an instance was measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from devtools.costs import Job

INSTANCES = 40
"""`maximumInstanceCount`: of the HTTP functions together, and of each queue function by itself."""
QUOTA_GB = 500
"""Memory that a subscription has for Flex Consumption in a region unless more is asked for: 250 instances of 2 GB."""
MEMORY_GB = 2.0
IN_HAND = 24
"""Messages that an instance has in hand: `batchSize` and `newBatchThreshold` of host.json."""
BUSY = 100.0
"""Executions a second of an instance whose processor is busy: 89 to 110 were seen under the real host, on two shared cores."""


@dataclass(frozen=True)
class Limit:
    """What there is a second of something, what a job takes of it, and how to have more."""

    name: str
    rate: float
    """Tokens a second."""
    submit: float
    """Tokens that it takes to submit a job."""
    attempt: float
    """Tokens that it takes to run it, and to forget it later."""
    raised: float
    """Tokens a second after what is to be set was set."""
    setting: str

    @property
    def jobs(self) -> float:
        """Jobs a second, by arithmetic."""
        return self.rate / max(self.submit + self.attempt, 1e-9)


def limits(job_seconds: float = 0.0, job: Job | None = None) -> tuple[Limit, ...]:
    """The limits of a deployment by its defaults, for jobs that take so long."""
    each = job or Job()
    instance = min(BUSY, IN_HAND / job_seconds) if job_seconds else BUSY
    calls = each.blob_writes + each.blob_reads + 1 + each.queue_calls  # the purge deletes, too
    slots = QUOTA_GB / MEMORY_GB
    return (
        Limit("index", 5_000, each.ru / 4, each.ru * 3 / 4, 1_000_000, "`DEPLOY_COSMOS_AUTOSCALE_MAX_RU`"),
        Limit("queue", 2_000, 1, each.queue_calls - 1, 40_000, "`DEPLOY_KIND_QUEUES`: a queue for each busy kind"),
        Limit("account", 20_000, 2, calls - 2, 200_000, "a region with 40,000, or more on request; then other storage"),
        Limit(
            "instances", INSTANCES * instance, 0, 1, 1_000 * instance, "`DEPLOY_MAXIMUM_INSTANCE_COUNT`, up to 1,000"
        ),
        Limit("HTTP instances", INSTANCES * BUSY, 1, 0, 1_000 * BUSY, "the same"),
        Limit("quota", slots, 1 / BUSY, 1 / instance, slots * 4, "`DEPLOY_INSTANCE_MEMORY_MB=512`, or more on request"),
    )


class Bucket:
    """Tokens that come at a rate. None is kept for long: what is looked for is what lasts, not what a burst hides."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._tokens = 0.0

    def fill(self, seconds: float) -> None:
        """Let so much time pass."""
        self._tokens = min(self._rate / 5, self._tokens + self._rate * seconds)

    def holds(self, cost: float) -> float:
        """For how many the tokens suffice."""
        return self._tokens / cost if cost else math.inf

    def take(self, tokens: float) -> None:
        """Take tokens that are there."""
        self._tokens -= tokens


@dataclass(frozen=True)
class Outcome:
    """What a minute of load came to."""

    done: float
    """Jobs a second that ended."""
    waited_for: str
    """The limit that kept most jobs waiting; empty where none did."""


def simulate(known: Sequence[Limit], rate: float, seconds: float = 20, tick: float = 0.05) -> Outcome:
    """Submit jobs at a rate, in virtual time, and run them as far as the limits allow; the first quarter is not counted."""
    buckets = {each.name: Bucket(each.rate) for each in known}
    arrived = queued = done = 0.0
    kept: dict[str, float] = {}
    ticks = int(seconds / tick)
    for number in range(ticks):
        if number == ticks // 4:
            done, seconds = 0.0, seconds - number * tick
        for bucket in buckets.values():
            bucket.fill(tick)
        arrived += rate * tick
        ran = _serve(queued, [(each.name, each.attempt) for each in known], buckets, kept)
        queued, done = queued - ran, done + ran
        submitted = _serve(arrived, [(each.name, each.submit) for each in known], buckets, kept)
        arrived, queued = arrived - submitted, queued + submitted
    worst = max(kept, key=kept.__getitem__, default="")
    return Outcome(done / seconds, worst if done < 0.995 * rate * seconds else "")


def _serve(
    waiting: float, costs: Sequence[tuple[str, float]], buckets: dict[str, Bucket], kept: dict[str, float]
) -> float:
    """Let through as many of those that wait as all buckets suffice for; say which one kept the others."""
    allowed = {name: buckets[name].holds(cost) for name, cost in costs}
    tightest = min(allowed, key=allowed.__getitem__)
    through = min(waiting, allowed[tightest])
    if through < waiting:
        kept[tightest] = kept.get(tightest, 0.0) + waiting - through
    for name, cost in costs:
        buckets[name].take(through * cost)
    return through


@dataclass(frozen=True)
class Wall:
    """A limit that was met, at so many jobs a second."""

    limit: Limit
    jobs: float


def climb(known: Sequence[Limit], start: float = 10, end: float = 13_500, step: float = 1.02) -> Iterator[Wall]:
    """Raise the load until a limit is met; raise that limit, once; go on. Ends at a limit that was raised before."""
    now, rate = list(known), start
    while rate < end:
        outcome = simulate(now, rate)
        if not outcome.waited_for:
            rate *= step
            continue
        index = next(index for index, each in enumerate(now) if each.name == outcome.waited_for)
        yield Wall(now[index], rate)
        if now[index].rate == known[index].raised:
            return
        now[index] = replace(now[index], rate=now[index].raised)


def worst_case_gb(queue_functions: int, instances: int = INSTANCES, memory_gb: float = MEMORY_GB) -> float:
    """Memory, if every queue function and the HTTP functions had all instances that they may have."""
    return (queue_functions + 1) * instances * memory_gb


def table(job_seconds: float = 0.0) -> str:
    """The walls in their order as a Markdown table."""
    known = limits(job_seconds)
    lines = [
        "| met | jobs a second, by arithmetic | simulated | of it there is | a job takes | to set |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for wall in climb(known):
        each = wall.limit
        cost = each.submit + each.attempt
        lines.append(
            f"| {each.name} | {each.jobs:,.0f} | {wall.jobs:,.0f} | {each.rate:,.0f} | {cost:,.3g} | {each.setting} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    for length in (0.0, 1.5):
        print(f"jobs of {length:g} s\n\n{table(length)}\n")
