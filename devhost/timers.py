"""Timer triggers: NCRONTAB schedules, their kept state, and the lock that lets one host run them."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.functions import meta

from devhost.index import Function
from devhost.invoke import Invoker
from devhost.lock import SingletonLock
from shared.jobs.timers.schedule import Schedule

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

logger = logging.getLogger("devhost.timers")

NEVER = datetime.min.replace(tzinfo=UTC)
_LONGEST_SLEEP = 60.0  # so that a clock that is set, or a machine that slept, is noticed


@dataclass(frozen=True, slots=True)
class Status:
    """What is kept of a schedule: its last run, its next occurrence, and from when that was reckoned."""

    last: datetime
    next: datetime | None
    updated: datetime

    def to_json(self) -> dict[str, str | None]:
        """Return the shape of the host's status blob and of ``TimerRequest.schedule_status``."""
        upcoming = self.next.isoformat() if self.next else None
        return {"Last": self.last.isoformat(), "Next": upcoming, "LastUpdated": self.updated.isoformat()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Status:
        """Read a status blob; ValueError, KeyError or TypeError if it is none."""
        moments = {name: datetime.fromisoformat(content[name]) for name in ("Last", "LastUpdated") if content[name]}
        upcoming = datetime.fromisoformat(content["Next"]) if content["Next"] else None
        return cls(moments.get("Last", NEVER), upcoming, moments.get("LastUpdated", NEVER))


class Surroundings(Protocol):
    """The host that a listener belongs to."""

    @property
    def id(self) -> str:
        """Under which its locks and the states of its timers are kept."""
        ...

    @property
    def lock_seconds(self) -> int:
        """How long the lease of a lock lasts."""
        ...

    def fail(self, what: str, error: BaseException) -> None:
        """Stop the whole host."""
        ...


class TimerListener:
    """Runs one timer function at its occurrences, while it holds the timer's lock."""

    def __init__(
        self, function: Function, zone: tzinfo, invoker: Invoker, state: ContainerClient, host: Surroundings
    ) -> None:
        self.name = function.name
        self._function = function
        self._schedule = Schedule(str(function.trigger["schedule"]), zone)
        self._invoker = invoker
        full_name = f"Host.Functions.{function.name}"
        self._blob = state.get_blob_client(f"timers/{host.id}/{full_name}/status")
        lock = f"locks/{host.id}/{full_name}.Listener"
        self._lock = SingletonLock(state, lock, host.lock_seconds, host.fail)
        self._monitored = bool(function.trigger.get("useMonitor", True)) and self._schedule.is_monitored
        self._stopping = asyncio.Event()
        self._status = Status(NEVER, None, NEVER)

    async def run(self) -> None:
        """Fire until stopped; an invocation under way is finished first."""
        while not self._stopping.is_set():
            if await self._lock.acquire():
                try:
                    await self._serve()
                finally:
                    await self._lock.release()
            else:
                await self._pause(self._lock.poll_seconds)

    def stop(self) -> None:
        """Start no more runs."""
        self._stopping.set()

    def wake(self) -> None:
        """Nothing: a timer knows its time."""

    async def _serve(self) -> None:
        past_due = await self._load()
        if past_due or self._function.trigger.get("runOnStartup"):
            await self._fire(past_due=past_due, scheduled=False)
        while not self._stopping.is_set() and self._lock.held:
            wait = self._seconds_to_next()
            if wait > 0:
                await self._pause(min(wait, _LONGEST_SLEEP))
            else:
                await self._fire(past_due=False, scheduled=True)

    def _seconds_to_next(self) -> float:
        upcoming = self._status.next
        return (upcoming - datetime.now(UTC)).total_seconds() if upcoming else _LONGEST_SLEEP

    async def _load(self) -> bool:
        """Take up the kept state, and say whether an occurrence was missed."""
        now = datetime.now(UTC)
        kept = await self._read() if self._monitored else None
        if kept is None:
            self._status = Status(NEVER, self._schedule.after(now), now)
            await self._write()
            return False
        self._status = kept
        if (moved := moved_status(kept, self._schedule, now)) is not None:
            self._status = moved
            await self._write()
        return self._status.next is not None and now > self._status.next

    async def _fire(self, *, past_due: bool, scheduled: bool) -> None:
        started = datetime.now(UTC)
        status = self._status if self._monitored else None
        await self._invoker.invoke(self._function, partial(_argument, self._function, past_due, status))
        # A clock that runs slow must not name the same occurrence as the next one again.
        upcoming = self._status.next
        reckoned = upcoming if scheduled and upcoming and upcoming > started else started
        self._status = Status(reckoned, self._schedule.after(reckoned), reckoned)
        await self._write()

    async def _read(self) -> Status | None:
        try:
            content = await (await self._blob.download_blob()).readall()
            return Status.from_json(json.loads(content))
        except ResourceNotFoundError:
            return None
        except (AzureError, ValueError, KeyError, TypeError) as error:
            logger.warning("timer %s: its kept state cannot be read: %s", self.name, type(error).__name__)
            return None

    async def _write(self) -> None:
        """Keep the state, as far as storage lets us: a run is never held up for it."""
        if not self._monitored:
            return
        try:
            await self._blob.upload_blob(json.dumps(self._status.to_json()).encode(), overwrite=True)
        except AzureError as error:
            logger.warning("timer %s: its state could not be kept: %s", self.name, type(error).__name__)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


def moved_status(kept: Status, schedule: Schedule, now: datetime) -> Status | None:
    """Reckon the state anew where the schedule was edited since it was kept; None where it was not.

    An edited schedule is not past due: its next occurrence is in the future.
    """
    since = next((moment for moment in (kept.last, kept.updated) if moment != NEVER), now)
    expected = schedule.after(since)
    if kept.next == expected:
        return None
    if expected is not None and now > expected:
        expected, since = schedule.after(now), now
    return replace(kept, last=NEVER, next=expected, updated=since)


def by_hand(function: Function) -> Callable[[], Any]:
    """Return what makes the argument of a timer function that is run by hand."""
    return partial(_argument, function, False, None)


def _argument(function: Function, past_due: bool, status: Status | None) -> Any:
    content = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status.to_json() if status else None,
        "IsPastDue": past_due,
    }
    return function.decode(meta.Datum(json.dumps(content), "json"), {})
