"""A year of timers in virtual time: two instances, and everything that can befall them, drawn by a seed.

Each instance has a clock of its own, which may jump; a process that dies is started again. What was asked of the ledger
is kept, so that a test can say what must have become of each occurrence.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from shared.adapters.sqlite import SqliteDocuments
from shared.jobs import JobContext, job
from shared.jobs.dependencies import Dependencies
from shared.jobs.engine import Engine
from shared.jobs.kinds import Queues, Registry
from shared.jobs.testing import (
    Died,
    FakeClock,
    Faults,
    FaultyBlobs,
    FaultyDocuments,
    FaultyQueues,
    Host,
    MemoryBlobs,
    MemoryQueues,
    Mode,
)
from shared.jobs.timers.ledger import Ledger, Rules
from shared.jobs.timers.occurrence import Occurrence
from shared.jobs.timers.schedule import Schedule
from shared.jobs.timers.timer import Missed, Timer
from shared.ports import StorageError
from shared.settings import Settings

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2027, 1, 1, tzinfo=UTC)
RULES = Rules()
_DAY = timedelta(days=1)


class Night(BaseModel):
    """The payload of every timer's job."""

    timer: str
    scheduled_at: datetime


def _timer(name: str, schedule: str, missed: Missed) -> Timer:
    def payload(scheduled_at: datetime) -> dict[str, Any]:
        return {"timer": name, "scheduled_at": scheduled_at.isoformat()}

    return Timer(name, lambda settings: schedule, "night", missed, "Works at night.", payload)


TIMERS = (
    _timer("PluckItScraper", "0 0 7 * * *", Missed.ONCE),
    _timer("PluckItMoodProcessor", "0 0 6 * * *", Missed.ONCE),
    _timer("PluckItWeeklyDigest", "0 0 9 * * 1", Missed.SKIP),
)


@dataclass(frozen=True)
class Chances:
    """How often, a day, each thing befalls the app."""

    outage: float = 0.02
    jump: float = 0.04
    fault: float = 0.25
    """Of each call to the ledger."""
    restart: float = 0.1
    """Before each call to the ledger."""
    both: float = 0.3
    """That both instances act at once."""
    lost: float = 0.05
    """That the host's trigger does not fire."""


@dataclass
class JumpingClock:
    """The true time, but for a jump."""

    true: FakeClock
    ahead: timedelta = timedelta(0)

    def now(self) -> datetime:
        return self.true.now() + self.ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@dataclass
class Asked:
    """One call to a ledger: `at` by the caller's clock."""

    at: datetime
    disturbed: bool
    timer: str | None = None
    """None: the accounting, of all timers."""


class Here(Executor):
    """Runs what it is given at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is the caller's
            future.set_exception(error)
        return future


@dataclass
class Year:
    """The stage: one storage, two instances."""

    folder: Path
    seed: int
    chances: Chances = field(default_factory=Chances)
    end: datetime = END
    ran: Counter[tuple[str, datetime]] = field(default_factory=Counter)
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Set the stage at the beginning of the year."""
        self.dice = random.Random(self.seed)
        self.clock = FakeClock(BEGIN - timedelta(hours=1))
        self.blobs, self.queues = MemoryBlobs(self.clock), MemoryQueues(self.clock)
        self.documents = SqliteDocuments(self.folder / f"year-{self.seed}.db", self.clock)
        self.documents._thread = Here()  # type: ignore[assignment] # most of the time would go into changing threads
        self.clocks = [JumpingClock(self.clock), JumpingClock(self.clock)]
        self.ledgers = [self._start(number) for number in range(2)]
        self.host = Host(self.queues)
        self.engine = self._engine(self.clock, Faults())

    async def play(self) -> None:
        """Let the year pass, then some calm days in which everything is settled."""
        await self._account(0, disturbed=False)
        day = BEGIN
        while day < self.end:
            day = await self._outage(day) if self._happens(self.chances.outage) else await self._day(day)
        self._set(self.end + timedelta(minutes=5))
        for _ in range(8):
            for clock in self.clocks:
                clock.ahead = timedelta(0)
            self.ledgers[0] = self._start(0)
            await self._account(0, disturbed=False)
            await self.engine.repair()
            await self._work()
            self.clock.advance(12 * 3600)

    async def entries(self, timer: str) -> list[Occurrence]:
        """What the ledger holds of a timer, oldest first."""
        found, cursor = await self.ledgers[0].occurrences.page(timer, 200)
        while cursor:
            more, cursor = await self.ledgers[0].occurrences.page(timer, 200, after=cursor)
            found += more
        return found[::-1]

    async def _day(self, day: datetime) -> datetime:
        """One day: the host's triggers, the accounting now and then, and perhaps a clock that jumps."""
        events: dict[datetime, list[str | None]] = defaultdict(list)
        for timer in TIMERS:
            for moment in Schedule(timer.schedule(Settings())).between(
                day - timedelta(seconds=1), day + _DAY - timedelta(seconds=1)
            ):
                if not self._happens(self.chances.lost):
                    events[moment + timedelta(seconds=self.dice.uniform(-1, 5))].append(timer.name)
        for _ in range(3):
            events[day + timedelta(seconds=self.dice.uniform(0, 86399))].append(None)
        jump = day + timedelta(seconds=self.dice.uniform(0, 86000)) if self._happens(self.chances.jump) else None
        for at in sorted(events):
            if jump and jump < at:
                self._set(jump)
                await self._jump()
                jump = None
            self._set(at)
            for name in events[at]:
                await self._event(name)
            await self._work()
        self._set(day + _DAY)
        if self.dice.random() < 0.3:
            await self.engine.sweep()
        return day + _DAY

    async def _outage(self, day: datetime) -> datetime:
        """Nothing runs for a while; then the host starts, and fires what it missed (unless it has lost its memory)."""
        end = day + timedelta(hours=self.dice.choice((2, 6.1, 7.2, 9.05, 9.5, 30, 75, 170)))
        self.ledgers = [self._start(number) for number in range(2)]
        missed = [each for each in TIMERS if any(Schedule(each.schedule(Settings())).between(day, end))]
        self._set(end)
        if self.dice.random() < 0.7:
            for timer in missed:
                await self._event(timer.name, past_due=True)
        await self._event(None)
        await self._work()
        whole = BEGIN + (end - BEGIN) // _DAY * _DAY
        return whole + _DAY if whole < end else whole

    async def _jump(self) -> None:
        """One instance's clock is wrong for a while, and its host fires by it."""
        number = self.dice.randrange(2)
        hours = self.dice.choice((-50, -24, -3, -0.2, 0.2, 3, 24, 50))
        self.clocks[number].ahead = timedelta(hours=hours)
        for timer in self.dice.sample(TIMERS, 2):
            await self._tick(number, timer.name, past_due=self.dice.random() < 0.3)
        await self._account(number)
        await self._work()
        self.clocks[number].ahead = timedelta(0)

    async def _event(self, name: str | None, *, past_due: bool = False) -> None:
        """The host's trigger fires, or the accounting is done: in one instance, or in both at once."""
        both = self._happens(self.chances.both)
        numbers = [0, 1] if both else [self.dice.randrange(2)]
        await asyncio.gather(
            *(self._tick(number, name, past_due=past_due) if name else self._account(number) for number in numbers)
        )

    async def _tick(self, number: int, name: str, *, past_due: bool) -> None:
        disturbed, asked = self._prepare(number), Asked(self.clocks[number].now(), disturbed=True, timer=name)
        self.asked.append(asked)
        with suppress(StorageError, Died):
            await self.ledgers[number].tick(name, past_due=past_due)
            asked.disturbed = disturbed
        self._recover(number, disturbed=disturbed)

    async def _account(self, number: int, *, disturbed: bool | None = None) -> None:
        if disturbed is None:
            disturbed = self._prepare(number)
        asked = Asked(self.clocks[number].now(), disturbed=True)
        self.asked.append(asked)
        with suppress(StorageError, Died):
            await self.ledgers[number].account()
            asked.disturbed = disturbed
        self._recover(number, disturbed=disturbed)

    def _prepare(self, number: int) -> bool:
        """Perhaps start the process anew, perhaps with a fault that is going to strike."""
        disturbed = self._happens(self.chances.fault)
        if disturbed:
            self.ledgers[number] = self._start(number, Faults(self.dice.randint(1, 9), self.dice.choice(list(Mode))))
        elif self._happens(self.chances.restart):
            self.ledgers[number] = self._start(number)
        return disturbed

    def _recover(self, number: int, *, disturbed: bool) -> None:
        if disturbed:
            self.ledgers[number] = self._start(number)

    async def _work(self) -> None:
        await self.host.pump(self.engine)

    def _start(self, number: int, faults: Faults | None = None) -> Ledger:
        return Ledger(self._engine(self.clocks[number], faults or Faults()), TIMERS, RULES)

    def _engine(self, clock: Any, faults: Faults) -> Engine:
        @job("night", max_attempts=3)
        async def work(payload: Night, job: JobContext) -> None:
            self.ran[payload.timer, payload.scheduled_at] += 1

        registry = Registry((work,), Queues())
        blobs, queues = FaultyBlobs(self.blobs, faults), FaultyQueues(self.queues, faults)
        return Engine(Dependencies(blobs, queues, FaultyDocuments(self.documents, faults), clock, registry))

    def _set(self, moment: datetime) -> None:
        self.clock.time = max(moment, self.clock.time)

    def _happens(self, chance: float) -> bool:
        return self.dice.random() < chance
