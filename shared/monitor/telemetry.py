"""OpenTelemetry: spans of submissions and attempts, and metrics, for whoever exports them.

Its libraries take more than a second to import. They are loaded on a thread, when there is something to tell for the
first time; what happens meanwhile is remembered, and told afterwards. Where no exporter is set up, none of this is used.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from shared.jobs.dead_letters.vault import DeadLetter
from shared.jobs.model import Job
from shared.monitor.outcomes import step_of
from shared.monitor.spans import spans_of
from shared.monitor.tally import OTHER

if TYPE_CHECKING:
    from shared.monitor.pipeline import Pipeline

LOG = logging.getLogger("nightshift.monitor")

_MOST = 4096
"""Things that are remembered until they can be told; more of them push out the oldest."""

State = Literal["ok", "failing", "off", "not started"]
"""How something stands that the app depends on."""
Tell = Callable[["Pipeline"], None]


class Telemetry:
    """Tells what the engine tells (`shared.jobs.observe.Observer`), once the libraries are there."""

    def __init__(self, open_exporters: Callable[[], tuple[Any, Any]], kinds: Iterable[str]) -> None:
        """Name what opens the exporters of spans and of metrics, and the kinds that may stand in metrics."""
        self._open = open_exporters
        self._kinds = frozenset(kinds)
        self._waiting: deque[Tell] = deque(maxlen=_MOST)
        self._pipeline: Pipeline | None = None
        self._loading: asyncio.Task[None] | None = None
        self._trouble: tuple[str, datetime] | None = None

    @property
    def state(self) -> State:
        """`not started` until there is something to tell."""
        if self._pipeline is None:
            return "failing" if self._trouble else "not started"
        return "failing" if self._pipeline.failing else "ok"

    @property
    def trouble(self) -> tuple[str, datetime] | None:
        """What went wrong last, and when."""
        return self._trouble or (self._pipeline.trouble if self._pipeline else None)

    def changed(self, before: Job | None, after: Job) -> None:
        """Tell the spans that ended, and count."""
        spans, step = tuple(spans_of(before, after)), step_of(before, after)
        kind = after.kind if after.kind in self._kinds else OTHER

        def tell(pipeline: Pipeline) -> None:
            for span in spans:
                pipeline.span(span)
            if step.passed:
                pipeline.jobs.add(1, {"kind": kind, "event": step.passed})
            if step.ended:
                pipeline.attempts.record(step.ended.seconds, {"kind": kind, "outcome": step.ended.outcome})

        if spans or step.passed:
            self._tell(tell)

    def dead_lettered(self, letter: DeadLetter) -> None:
        """Count a dead letter."""
        kind = letter.kind if letter.kind in self._kinds else OTHER
        self._tell(lambda pipeline: pipeline.dead_letters.add(1, {"kind": str(kind), "reason": letter.reason.value}))

    def happened(self, event: str, count: int = 1) -> None:
        """Count what concerns no single job."""
        if count:
            self._tell(lambda pipeline: pipeline.events.add(count, {"event": event}))

    def measured(self, queue: str, messages: int, oldest_seconds: float | None) -> None:
        """Tell how a queue stands."""

        def tell(pipeline: Pipeline) -> None:
            pipeline.queue_messages.set(messages, {"queue": queue})
            pipeline.queue_oldest.set(oldest_seconds or 0.0, {"queue": queue})

        self._tell(tell)

    async def close(self) -> None:
        """Send what is waiting, and stop."""
        if self._loading is not None:
            await self._loading
        if self._pipeline is not None:
            await asyncio.to_thread(self._pipeline.close)

    def _tell(self, tell: Tell) -> None:
        if self._pipeline is not None:
            tell(self._pipeline)
            return
        self._waiting.append(tell)
        if self._loading is None:
            self._loading = asyncio.get_running_loop().create_task(self._load())

    async def _load(self) -> None:
        try:
            pipeline = await asyncio.to_thread(self._made)
        except Exception as error:  # noqa: BLE001 - work goes on without telemetry
            LOG.warning("telemetry not started: cause=%s", type(error).__name__)
            self._trouble = type(error).__name__, datetime.now(UTC)
            return
        self._pipeline = pipeline
        while self._waiting:
            self._waiting.popleft()(pipeline)

    def _made(self) -> Pipeline:
        from shared.monitor.pipeline import Pipeline

        return Pipeline(*self._open(), resource_of(os.environ.get))


def resource_of(environ: Callable[[str], str | None]) -> dict[str, str]:
    """Who tells: the app and its instance, by the names that Azure gives them; Flex Consumption knows no WEBSITE_INSTANCE_ID."""
    given = map(environ, ("WEBSITE_POD_NAME", "CONTAINER_NAME", "WEBSITE_INSTANCE_ID"))
    instance = next((each for each in given if each), None) or platform.node()
    return {"service.name": environ("WEBSITE_SITE_NAME") or "nightshift", "service.instance.id": instance}
