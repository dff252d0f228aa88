"""Every HTTP operation of the app, as the OpenAPI document tells it. A test holds this table to the app's routes."""

from __future__ import annotations

from shared.web.operations import (
    collect,
    dashboard,
    dead_letters,
    digests,
    jobs,
    moods,
    operate,
    sources,
    taste,
    timers,
    users,
)
from shared.web.operations.model import Operation, Parameter, Schema

__all__ = ["OPERATIONS", "Operation", "Parameter", "Schema"]

OPERATIONS: tuple[Operation, ...] = (
    *jobs.OPERATIONS,
    *dead_letters.OPERATIONS,
    *timers.OPERATIONS,
    *collect.OPERATIONS,
    *sources.OPERATIONS,
    *moods.OPERATIONS,
    *digests.OPERATIONS,
    *users.OPERATIONS,
    *taste.OPERATIONS,
    *operate.OPERATIONS,
    *dashboard.OPERATIONS,
)
