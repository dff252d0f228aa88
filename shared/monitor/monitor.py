"""Everything that watches an app."""

from __future__ import annotations

from shared.calls import Calls
from shared.jobs.engine import Engine
from shared.jobs.timers.ledger import Ledger
from shared.monitor.metrics import Metrics
from shared.monitor.stats import Stats
from shared.monitor.status import Readiness
from shared.monitor.telemetry import Telemetry
from shared.monitor.watch import Watch


class Monitor:
    """What watches an app: it is handed what it reads, and knows nothing of the app itself."""

    def __init__(self, engine: Engine, ledger: Ledger, stats: Stats, telemetry: Telemetry | None, calls: Calls) -> None:
        self._stats = stats
        self.readiness = Readiness(engine.deps, telemetry, calls)
        """Whether the app can do its work."""
        self.watch = Watch(engine, ledger, stats, telemetry)
        """Its alarms."""
        self.metrics = Metrics(engine, ledger, stats, self.watch)
        """Its metrics page."""

    async def round(self) -> None:
        """What is to be done every few minutes: evaluate the alarms, and write the statistics that wait for it."""
        try:
            await self.watch.board()
        finally:
            await self._stats.tick()
