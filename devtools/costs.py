"""``python -m devtools.costs``: what a month costs, for three workloads, with every price and count in one place.

Prices are assumptions to replace by those of one's own region and contract; the counts are measured (docs/explanation/benchmarks.md)
or said to be estimates. docs/explanation/costs.md holds what this prints.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

MONTH_HOURS = 730


@dataclass(frozen=True)
class Prices:
    """Public prices in US dollars, one of the cheaper regions, pay as you go."""

    gb_second: float = 0.000026
    free_gb_seconds: float = 100_000
    million_executions: float = 0.40
    free_executions: float = 250_000
    blob_writes_10k: float = 0.05
    blob_reads_10k: float = 0.004
    queue_calls_10k: float = 0.004
    blob_gb: float = 0.0208
    million_ru: float = 0.25
    document_gb: float = 0.25
    log_gb: float = 2.30
    free_log_gb: float = 5
    alerts: float = 1.50 + 5 * 0.50
    """One rule looked at every 5 minutes, four every 15 or more."""
    private_endpoint_hour: float = 0.01
    dns_zone: float = 0.50


@dataclass(frozen=True)
class Job:
    """What one plain job uses, from its submission over HTTP to its purge."""

    blob_writes: float = 3
    """Create, claim, outcome."""
    blob_reads: float = 1
    """The purge looks at the blob; that it deletes it costs nothing."""
    queue_calls: float = 2.07
    """Send, delete, and its share of a receive."""
    ru: float = 6.7 + 13.4 + 6.7
    """Estimate: create the index document of 1 KB, replace it, delete it, each with 7 of 20 properties indexed.

    5.5 for the document and 3.5 / 20 * 7 for its indexes (docs/explanation/night-costs.md has the source).
    """
    executions: float = 2
    """The request that submits it, and the attempt."""
    kept_kb: float = 3
    """Blob and document, while they are kept."""
    log_kb: float = 7
    """Estimate: two requests of the host and the app's own two spans, never sampled, and what is left of some traces."""


@dataclass(frozen=True)
class Idle:
    """What the app uses in a month with nothing to do."""

    executions: float = MONTH_HOURS * (2 * 12 + 1 + 0.5) + 30.4 * 11
    """Timers: a sweep, with the alarms, and the look at the vaults of pipelines every five minutes, one an hour, the purge
    every two, some eleven a day."""
    seconds: float = 1.0
    """The least that an execution is charged for."""
    blob_writes: float = MONTH_HOURS * (2 * 12 + 1) * 2.0
    """The host's lock and the timer's state."""
    queue_calls: float = MONTH_HOURS * 3600 / 2 * 12
    """At most: twelve queues asked every two seconds, as if an instance of each function were always there."""
    ru: float = MONTH_HOURS * 12 * 50
    """Estimate: the queries of sweeps and alarms."""
    log_gb: float = 0.10


@dataclass(frozen=True)
class Workload:
    """A month's jobs, and how they come."""

    name: str
    jobs: int
    job_seconds: float
    """How long the instance is busy with one execution, at least one second if it is alone there."""
    at_once: float
    """How many executions share an instance on average."""
    memory_gb: float = 2.0
    days_kept: int = 30


WORKLOADS = (
    Workload("a beginning: 10,000 jobs, one by one", 10_000, 1.0, 1),
    Workload("a product: 1 million jobs, a few at once", 1_000_000, 1.0, 4),
    Workload("a large one: 10 million jobs, in bursts", 10_000_000, 1.0, 16),
)


def bill(load: Workload, price: Prices, job: Job, idle: Idle) -> dict[str, float]:
    """The month's bill in dollars, by line."""
    executions = load.jobs * job.executions + idle.executions
    gb_seconds = load.memory_gb * (
        load.jobs * job.executions * load.job_seconds / load.at_once + idle.executions * idle.seconds
    )
    kept_gb = load.jobs * load.days_kept / 30 * job.kept_kb / 1e6
    return {
        "compute": max(0, gb_seconds - price.free_gb_seconds) * price.gb_second,
        "executions": max(0, executions - price.free_executions) / 1e6 * price.million_executions,
        "blobs": (load.jobs * job.blob_writes + idle.blob_writes) / 1e4 * price.blob_writes_10k
        + load.jobs * job.blob_reads / 1e4 * price.blob_reads_10k,
        "queues": (load.jobs * job.queue_calls + idle.queue_calls) / 1e4 * price.queue_calls_10k,
        "documents": (load.jobs * job.ru + idle.ru) / 1e6 * price.million_ru,
        "kept data": kept_gb * (price.blob_gb * 2 / 3 + price.document_gb / 3),
        "telemetry": max(0, load.jobs * job.log_kb / 1e6 + idle.log_gb - price.free_log_gb) * price.log_gb,
        "alerts": price.alerts,
    }


def private_networking(price: Prices, endpoints: int = 5) -> float:
    """What private networking adds: an endpoint and a zone for blobs, queues, tables, documents and the vault."""
    return endpoints * (price.private_endpoint_hour * MONTH_HOURS + price.dns_zone)


def table(price: Prices | None = None) -> str:
    """The bills of the three workloads as a Markdown table."""
    return "\n".join(_rows(price or Prices()))


def _rows(price: Prices) -> Iterator[str]:
    bills = [bill(load, price, Job(), Idle()) for load in WORKLOADS]
    yield "| $ a month | " + " | ".join(load.name for load in WORKLOADS) + " |"
    yield "|---|" + "---:|" * len(WORKLOADS)
    for line in bills[0]:
        yield f"| {line} | " + " | ".join(f"{each[line]:,.2f}" for each in bills) + " |"
    yield "| **all** | " + " | ".join(f"**{sum(each.values()):,.2f}**" for each in bills) + " |"
    per_million = [sum(each.values()) / load.jobs * 1e6 for load, each in zip(WORKLOADS, bills, strict=True)]
    yield "| per million jobs | " + " | ".join(f"{each:,.2f}" for each in per_million) + " |"


if __name__ == "__main__":
    print(table())
