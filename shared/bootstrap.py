"""The composition root: the one place where ports meet adapters, and with what the domains declare. Built once per process."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from shared import declarations
from shared.adapters.clock import SystemClock
from shared.adapters.opening import OpenedContainers, open_blobs, open_documents, open_queues
from shared.app import App
from shared.calls import Calls
from shared.domains.webhooks.message import callback_of
from shared.jobs.dependencies import Dependencies, Timing, no_containers
from shared.jobs.engine import Engine
from shared.jobs.kinds import Kind, Queues, Registry
from shared.jobs.observe import Observers
from shared.jobs.timers.ledger import Ledger, Rules
from shared.jobs.timers.timer import Timer
from shared.monitor.monitor import Monitor
from shared.monitor.stats import Stats
from shared.monitor.telemetry import Telemetry
from shared.ports import BlobStore, Clock, Containers, DocumentStore, MessageQueues, OwnBlobs
from shared.settings import Settings

_UNTIL_MENDED = timedelta(minutes=5)
"""How long a message stays away that comes while the app cannot be composed."""


@cache
def app() -> App:
    """The app of this process."""
    return build(declarations.settings())


def build(chosen: Settings) -> App:
    """Make an app for the given settings. Nothing is connected before it is needed."""
    calls, clock = Calls(), SystemClock()
    blobs, queues = open_blobs(chosen, chosen.status_container, calls), open_queues(chosen, calls)
    documents = open_documents(chosen, calls)
    containers = OpenedContainers(chosen, calls)
    again = partial(open_blobs, chosen, chosen.status_container, calls)
    made = compose(chosen, blobs, queues, documents, clock, calls=calls, open_again=again, containers=containers)
    made.stats.start(calls.counts, chosen.stats_flush_seconds)
    return made.closing(blobs, queues, documents, containers)


async def postpone(queue: str, text: str) -> None:
    """Put a message back for some minutes, as it is: for an app that cannot be composed, of which this needs the queues alone."""
    queues = open_queues(declarations.settings(), Calls())
    try:
        await queues.send(queue, text, _UNTIL_MENDED)
    finally:
        await queues.close()


def compose(  # noqa: PLR0913, PLR0917 - what an app is made of
    chosen: Settings,
    blobs: BlobStore,
    queues: MessageQueues,
    documents: DocumentStore,
    clock: Clock,
    kinds: tuple[Kind[Any], ...] = (),
    calls: Calls | None = None,
    open_again: Callable[[], OwnBlobs] | None = None,
    containers: Containers = no_containers,
) -> App:
    """Make an app of the given ports. A kind that is given takes the place of the one of its name, if there is one.

    `open_again` opens the blobs once more, for the thread that watches the event loop.
    """
    declarations.check()
    general = Queues(chosen.queue_high, chosen.queue_normal, chosen.queue_low)
    known = {kind.name: kind for kind in (*declarations.kinds(), *kinds)}
    registry = Registry(known.values(), general, chosen, _longest_seconds(os.environ))
    timing = Timing(timedelta(seconds=chosen.lease_seconds), timedelta(seconds=chosen.sweep_grace_seconds))
    stats = Stats(documents, clock, (kind.name for kind in registry), timedelta(days=chosen.stats_days))
    telemetry = _telemetry(chosen, registry)
    observer = Observers(stats, telemetry) if telemetry else stats
    deps = Dependencies(
        blobs, queues, documents, clock, registry, chosen, timing, callback_of, observer, open_again, containers
    )
    engine = Engine(deps)
    timers = declarations.timers()
    ledger = Ledger(engine, timers, _rules(chosen, timers, os.environ))
    calls = calls or Calls()
    monitor = Monitor(engine, ledger, stats, telemetry, calls)
    made = App(chosen, engine, blobs, queues, documents, clock, ledger, stats, monitor, calls, (stats,))
    return made.closing(telemetry) if telemetry else made


def _telemetry(chosen: Settings, kinds: Registry) -> Telemetry | None:
    """What tells of traces and metrics, where it is set up; its libraries are loaded by its first word."""
    connection = chosen.insights_connection
    if connection is None:
        return None
    from shared.adapters.insights import open_exporters

    return Telemetry(partial(open_exporters, connection, chosen.insights_authentication), (kind.name for kind in kinds))


def _longest_seconds(environ: Mapping[str, str]) -> float | None:
    """How long the host lets a function run, in seconds; None where it says so, or where no host.json is found."""
    path = Path(__file__).parents[1] / "host.json"
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = environ.get("AzureFunctionsJobHost__functionTimeout") or content.get("functionTimeout", "")
    found = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})", text)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _rules(chosen: Settings, timers: Iterable[Timer], environ: Mapping[str, str]) -> Rules:
    off = frozenset(timer.name for timer in timers if _switched_off(timer.name, environ))
    return Rules(timedelta(seconds=chosen.timer_grace_seconds), timedelta(days=chosen.timer_retention_days), off)


def _switched_off(function: str, environ: Mapping[str, str]) -> bool:
    """Whether the host was told to leave a function alone; on Linux no dot is in the name of a variable."""
    names = (f"AzureWebJobs{dot}{function}{dot}Disabled" for dot in (".", "_", "__"))
    return any(environ.get(name, "").strip().lower() in ("1", "true") for name in names)
