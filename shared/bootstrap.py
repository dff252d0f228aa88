"""The composition root: the one place where ports meet adapters. Built once per process, on first use.

Kinds of jobs are found, not listed: every module ``shared/domains/<domain>/kinds.py`` is imported, and whatever it declares with
`shared.jobs.kind` is served. So are the timers of every ``shared/domains/<domain>/timers.py``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from shared.adapters.calls import Calls
from shared.adapters.clock import SystemClock
from shared.adapters.opening import open_blobs, open_documents, open_queues
from shared.app import App, Closeable
from shared.domains.webhooks.message import callback_of
from shared.jobs.dependencies import Dependencies, Timing
from shared.jobs.engine import Engine
from shared.jobs.kinds import Kind, Queues, Registry
from shared.jobs.observe import Observers
from shared.jobs.timers.ledger import Ledger, Rules
from shared.jobs.timers.timer import Timer
from shared.monitor.stats import Stats
from shared.monitor.telemetry import Telemetry
from shared.ports import BlobStore, Clock, DocumentStore, MessageQueues
from shared.settings import Settings, settings
from shared.web.routes import Api, Route

ARTIFACTS = ("20", "digests/")
"""What the names begin with of blobs that jobs write beside `jobs/`: collected content (by the year), digests."""


@cache
def app() -> App:
    """The app of this process."""
    return build(settings())


def build(chosen: Settings) -> App:
    """Make an app for the given settings. Nothing is connected before it is needed."""
    calls, clock = Calls(), SystemClock()
    blobs, queues = open_blobs(chosen, chosen.status_container, calls), open_queues(chosen, calls)
    documents = open_documents(chosen, calls)
    made = compose(chosen, blobs, queues, documents, clock, (blobs, queues, documents))
    made.stats.start(calls.counts, chosen.stats_flush_seconds)
    return replace(made, calls=calls)


def compose(
    chosen: Settings,
    blobs: BlobStore,
    queues: MessageQueues,
    documents: DocumentStore,
    clock: Clock,
    closing: tuple[Closeable, ...] = (),
    kinds: tuple[Kind[Any], ...] = (),
) -> App:
    """Make an app of the given ports, with more kinds than those found, if some are given."""
    general = Queues(chosen.queue_high, chosen.queue_normal, chosen.queue_low)
    registry = Registry((*find_kinds(), *kinds), general, chosen)
    timing = Timing(timedelta(seconds=chosen.lease_seconds), timedelta(seconds=chosen.sweep_grace_seconds))
    stats = Stats(documents, clock, (kind.name for kind in registry), timedelta(days=chosen.stats_days))
    telemetry = _telemetry(chosen, registry)
    observer = Observers(stats, telemetry) if telemetry else stats
    deps = Dependencies(blobs, queues, documents, clock, registry, chosen, timing, callback_of, observer)
    engine = Engine(deps)
    ledger = Ledger(engine, find_timers(), _rules(chosen, os.environ))
    closing = (stats, *((telemetry,) if telemetry else ()), *closing)
    return App(chosen, engine, blobs, queues, documents, clock, ledger, stats, telemetry, _closing=closing)


def _telemetry(chosen: Settings, kinds: Registry) -> Telemetry | None:
    """What tells of traces and metrics, where it is set up; its libraries are loaded by its first word."""
    connection = chosen.insights_connection
    if connection is None:
        return None
    from shared.adapters.insights import open_exporters

    return Telemetry(partial(open_exporters, connection, chosen.insights_authentication), (kind.name for kind in kinds))


def find_kinds() -> Iterator[Kind[Any]]:
    """Every kind that a ``kinds`` module of a domain declares."""
    for path in sorted(Path(__file__).parent.glob("domains/*/kinds.py")):
        module = importlib.import_module(f"shared.domains.{path.parent.name}.kinds")
        yield from (value for value in vars(module).values() if isinstance(value, Kind))


def find_timers() -> Iterator[Timer]:
    """Every timer that a ``timers`` module of a domain declares."""
    for path in sorted(Path(__file__).parent.glob("domains/*/timers.py")):
        module = importlib.import_module(f"shared.domains.{path.parent.name}.timers")
        yield from (value for value in vars(module).values() if isinstance(value, Timer))


def find_routes() -> Iterator[Route]:
    """Every route that an ``api`` of a domain or of the engine declares."""
    folder = Path(__file__).parent
    for path in (*sorted(folder.glob("api/*.py")), *sorted(folder.glob("domains/*/api.py"))):
        module = importlib.import_module(".".join(("shared", *path.relative_to(folder).with_suffix("").parts)))
        yield from (route for value in vars(module).values() if isinstance(value, Api) for route in value.routes)


def _rules(chosen: Settings, environ: Mapping[str, str]) -> Rules:
    off = frozenset(timer.name for timer in find_timers() if _switched_off(timer.name, environ))
    return Rules(timedelta(seconds=chosen.timer_grace_seconds), timedelta(days=chosen.timer_retention_days), off)


def _switched_off(function: str, environ: Mapping[str, str]) -> bool:
    """Whether the host was told to leave a function alone; on Linux no dot is in the name of a variable."""
    names = (f"AzureWebJobs{dot}{function}{dot}Disabled" for dot in (".", "_", "__"))
    return any(environ.get(name, "").strip().lower() in ("1", "true") for name in names)
