"""Everything that watches an app, made when it is first asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shared.monitor.metrics import Metrics
from shared.monitor.status import Readiness
from shared.monitor.watch import Watch

if TYPE_CHECKING:
    from shared.app import App


class Monitor:
    """What watches an app."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def round(self) -> None:
        """What is to be done every few minutes: evaluate the alarms, and write the statistics that wait for it."""
        try:
            await self.watch.board()
        finally:
            await self._app.stats.tick()

    @cached_property
    def readiness(self) -> Readiness:
        """Whether it can do its work."""
        return Readiness(self._app)

    @cached_property
    def watch(self) -> Watch:
        """Its alarms."""
        return Watch(self._app)

    @cached_property
    def metrics(self) -> Metrics:
        """Its metrics page."""
        return Metrics(self._app)
