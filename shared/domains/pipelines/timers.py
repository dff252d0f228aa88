"""The timer that sees to it that vaults are looked at."""

from __future__ import annotations

from datetime import timedelta

from shared.domains.pipelines.settings import PipelineSettings
from shared.jobs import Missed, Timer

WATCH = Timer(
    "PipelineVaults",
    schedule=lambda settings: settings.of(PipelineSettings).watch_schedule,
    kind="watch-vaults",
    missed=Missed.ONCE,
    meaning="Sees to it that every vault is looked at: a crawl that was lost is begun anew.",
    healthy_for=timedelta(hours=36),
)
