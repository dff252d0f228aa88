"""A bad day, in virtual time: hosts that die, storage that comes and goes, and clients that never stop.

Everything that happens is drawn from one seeded source, so that a seed is one day, the same whenever it is played.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from devtools.virtual_time import VirtualClock
from shared.app import App
from shared.bootstrap import compose
from shared.declarations import settings_of
from shared.jobs import Dedupe, JobContext, Policy
from shared.jobs import job as declare
from shared.jobs.dead_letters.vault import DeadLetter, Filter
from shared.jobs.envelope import Delivery
from shared.jobs.errors import FinalError, JobsError, RetryLater, Snooze
from shared.jobs.fanning import Child, fan_out
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Kind
from shared.jobs.testing import (
    MAX_DEQUEUE_COUNT,
    MESSAGE_LEASE,
    POISON,
    Died,
    FaultyBlobs,
    FaultyDocuments,
    FaultyQueues,
    MemoryBlobs,
    MemoryDocuments,
    MemoryQueues,
)
from shared.jobs.ticket import Options
from shared.ports import ReceivedMessage, StorageError
from support.lab import Broken, Told, Work

T = TypeVar("T")

HOSTS = 3
SUBMISSIONS = 60
CHILDREN = 5
"""Each family has so many."""
_AT_ONCE = 16
_RETRY = timedelta(seconds=30)
_BIG_NOTE = 60_000
"""Characters: an edited payload that no message holds."""


def _by_key(payload: Work) -> Dedupe:
    return Dedupe(payload.key)


class Disturbances:
    """How storage does at the moment, for everybody."""

    def __init__(self, rng: random.Random, odds: float) -> None:
        self.rng = rng
        self.odds = odds
        """How likely a single call is to go wrong in each of the ways there are."""
        self.outage = False
        self.calm = False

    def strikes(self) -> bool:
        return not self.calm and self.rng.random() < self.odds

    def clear(self) -> None:
        """End it: from here on everything works."""
        self.calm, self.outage = True, False

    async def turn(self) -> None:
        """Let outages come and go."""
        while not self.calm:
            await asyncio.sleep(self.rng.uniform(50, 600))
            self.outage = not self.calm
            await asyncio.sleep(self.rng.uniform(1, 300))
            self.outage = False


class Line:
    """The storage calls of one process: delayed, refused, done twice, or done with their answer lost."""

    def __init__(self, disturbances: Disturbances) -> None:
        self._disturbances = disturbances
        self._rng = disturbances.rng
        self.cut = False
        """The process has died."""
        self._frozen_until = 0.0

    def freeze(self, seconds: float) -> None:
        """Hold every call back, as where a machine is suspended: what was on its way arrives long after."""
        self._frozen_until = asyncio.get_running_loop().time() + seconds

    async def around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make a call through the weather."""
        await self._pass(self._rng.uniform(0, 0.02))
        if self._disturbances.outage or self._disturbances.strikes():
            await self._fail("refused", 0.01, 5, 20)
        result = await call()
        if name == "queues.send" and self._disturbances.strikes():  # the SDK sends again what got no answer
            await self._pass(self._rng.choice([0.1, 20]))
            await call()
        if self._disturbances.outage or self._disturbances.strikes():
            await self._fail("answer lost", 0.01, 20, 61)
        if self._disturbances.strikes():
            await self._pass(self._rng.choice([1, 30, 90]))
        await self._pass(self._rng.uniform(0, 0.02))
        return result

    async def _fail(self, how: str, *after: float) -> None:
        await self._pass(self._rng.choice(after))
        raise StorageError(how)

    async def _pass(self, seconds: float) -> None:
        """Let time pass, in which the process may die: nothing that it still runs reaches storage then."""
        if not self.cut:
            frozen = self._frozen_until - asyncio.get_running_loop().time()
            await asyncio.sleep(max(seconds, frozen))
        if self.cut:
            raise Died


class Handlers:
    """What the jobs of the day do, well and badly, and which attempts got as far as doing it."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.runs: dict[str, list[int]] = {}
        """The attempts of each job whose handler ran."""

    def kinds(self) -> tuple[Kind[Any], ...]:
        work = Policy(max_attempts=3, max_stalls=3, base_backoff_seconds=8, max_backoff_seconds=60, timeout_seconds=100)
        once = Policy(max_attempts=2, base_backoff_seconds=1, timeout_seconds=100, dedupe_ttl_seconds=600)
        return (
            declare("work", policy=work)(self._work),
            declare("once", policy=once, dedupe=_by_key)(self._work),
            declare("family", policy=work)(self._family),
            declare("webhook", policy=work)(self._tell),
        )

    async def _work(self, payload: Work, job: JobContext) -> dict[str, int]:
        self._note(job)
        ways = {
            self._reported: 30, self._broken: 15, self._hopeless: 10, self._later: 5, self._long: 10,
            self._hung: 5, self._deaf: 5, self._own_cancellation: 3, self._asleep: 5, self._quick: 12,
        }  # fmt: skip
        (way,) = self._rng.choices(list(ways), list(ways.values()))
        await way(job)
        return {"attempt": job.attempt}

    async def _family(self, payload: Work, job: JobContext) -> dict[str, Any]:
        """A job made of jobs, one for each child."""
        self._note(job)

        async def plan() -> AsyncIterator[Child]:
            for number in range(CHILDREN):
                yield Child(f"{number}", self._rng.choice(["work", "once"]), {"n": number})

        return await fan_out(job, plan, width=2)

    async def _tell(self, payload: Told, job: JobContext) -> None:
        self._note(job)

    def _note(self, job: JobContext) -> None:
        self.runs.setdefault(job.job_id, []).append(job.attempt)

    async def _reported(self, job: JobContext) -> None:
        await job.progress("halfway", 1, 2)
        await asyncio.sleep(self._rng.uniform(0, 5))

    async def _broken(self, job: JobContext) -> None:
        raise Broken("it may work the next time")

    async def _hopeless(self, job: JobContext) -> None:
        raise FinalError("no retry mends it")

    async def _later(self, job: JobContext) -> None:
        raise RetryLater(self._rng.uniform(0, 100))

    async def _long(self, job: JobContext) -> None:
        for step in range(10):
            await asyncio.sleep(self._rng.uniform(0, 15))
            await job.progress("on its way", step, 10)
            await job.checkpoint()

    async def _hung(self, job: JobContext) -> None:
        await asyncio.sleep(1000)

    async def _deaf(self, job: JobContext) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1000)

    async def _asleep(self, job: JobContext) -> None:
        if self._rng.random() < 0.7:
            raise Snooze(self._rng.uniform(0, 100))

    async def _own_cancellation(self, job: JobContext) -> None:
        task = asyncio.create_task(asyncio.sleep(1))
        task.cancel()
        await task

    async def _quick(self, job: JobContext) -> None:
        """Nothing to do."""


class Day:
    """The storage, the handlers and everybody who works with them."""

    def __init__(self, seed: int, odds: float) -> None:
        self.rng = random.Random(seed)
        self.disturbances = Disturbances(self.rng, odds)
        self.clock = VirtualClock()
        self.blobs, self.queues = MemoryBlobs(self.clock), MemoryQueues(self.clock)
        self.documents = MemoryDocuments(self.clock)
        self.handlers = Handlers(self.rng)
        self.settings = settings_of({})
        self.tickets: list[str] = []
        self.replays_tried: Counter[str] = Counter()
        self.deaths = 0
        self.surprises: list[str] = []
        """What came out of the engine that is no failure of storage."""

    async def live(self) -> None:
        """Live through it, from the first submission until long after the last storm."""
        async with asyncio.TaskGroup() as group:
            others = [self.disturbances.turn(), self._sweep(), *(Host(self).live() for _ in range(HOSTS))]
            tasks = [group.create_task(other) for other in others]
            await self._submit()
            await asyncio.sleep(1000)
            self.disturbances.clear()
            await self._settle()
            for task in tasks:
                task.cancel()

    def start(self, line: Line, ahead_seconds: float = 0) -> App:
        """Start a process, with a clock of its own."""
        blobs, queues = FaultyBlobs(self.blobs, line), FaultyQueues(self.queues, line)
        documents, clock = FaultyDocuments(self.documents, line), VirtualClock(ahead_seconds)
        return compose(self.settings, blobs, queues, documents, clock, kinds=self.handlers.kinds())

    async def _submit(self) -> None:
        app = self.start(Line(self.disturbances))
        for number in range(SUBMISSIONS):
            with suppress(StorageError):
                await self._submit_one(app, number)
            await asyncio.sleep(self.rng.uniform(0, 20))
            with suppress(StorageError, JobsError):
                await self._operate(app)

    async def _submit_one(self, app: App, number: int) -> None:
        now = self.clock.now()
        options = Options(
            job_id=derived_id(now, f"{number}"),
            not_before=now + timedelta(seconds=self.rng.choice([0, 0, 0, 50, 3000])),
            callback_url="https://client.example/told" if self.rng.random() < 0.2 else None,
        )
        payload = {"n": number, "key": f"{number % 7}"}
        ticket = await app.engine.submit(
            self.rng.choice(["work", "once", "work", "once", "family"]), payload, **options
        )
        self.tickets.append(ticket.job.job_id)

    async def _operate(self, app: App) -> None:
        """Do what operators do at any moment: cancel something, replay something."""
        if self.tickets and self.rng.random() < 0.2:
            with suppress(StorageError, JobsError):
                await app.engine.cancel(self.rng.choice(self.tickets))
        if self.rng.random() < 0.3:
            letters, _ = await app.engine.vault.find(Filter(), 50)
            if letters:
                await self._replay(app, self.rng.choice(letters))

    async def _replay(self, app: App, letter: DeadLetter) -> None:
        self.replays_tried[letter.job_id or ""] += 1
        if self.rng.random() < 0.5:
            await self.queues.send(letter.queue, letter.message_text)  # pasted by hand
            return
        edited = {"n": 1, "note": "x" * self.rng.choice([1, _BIG_NOTE])} if self.rng.random() < 0.3 else None
        await app.engine.replays.one(letter.id, payload=edited)

    async def _sweep(self) -> None:
        app = self.start(Line(self.disturbances))
        while True:
            await asyncio.sleep(300)
            with suppress(StorageError):
                await (app.engine.repair if self.rng.random() < 0.2 else app.engine.sweep)()

    async def _settle(self) -> None:
        """Wait until the queues are empty, and then as long as the slowest repair takes."""
        for _ in range(100):
            await asyncio.sleep(700)
            if not self.queues.depths():
                break
        await asyncio.sleep(4000)
        await self.start(Line(self.disturbances)).engine.repair()


class Host:
    """An instance of the Functions host: takes messages, and dies every now and then with all that it has in hand."""

    def __init__(self, day: Day) -> None:
        self._day = day
        self._rng = day.rng
        self._tasks: list[asyncio.Task[None]] = []

    async def live(self) -> None:
        while True:
            line = Line(self._day.disturbances)
            async with self._process(line) as app:
                await self._serve(app)
                if self._rng.random() < 0.3:
                    await self._hang(line)
            await asyncio.sleep(self._rng.uniform(0, 5))

    @asynccontextmanager
    async def _process(self, line: Line) -> AsyncIterator[App]:
        try:
            yield self._day.start(line, self._rng.uniform(-1.5, 1.5))
        finally:
            line.cut = True
            self._day.deaths += 1
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._tasks = []

    async def _hang(self, line: Line) -> None:
        """Come back to life after others have taken over, and live just long enough to disturb them."""
        seconds = self._rng.uniform(60, 600)
        line.freeze(seconds)
        await asyncio.sleep(seconds + self._rng.uniform(1, 30))

    async def _serve(self, app: App) -> None:
        """Take messages for as long as the process lives: in calm weather, for good."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._rng.uniform(5, 200)
        general = app.settings.queue_high, app.settings.queue_normal, app.settings.queue_low
        while loop.time() < end or self._day.disturbances.calm:
            for queue in (*general, *(name + POISON for name in general)):
                await self._take(app, queue)
            await asyncio.sleep(self._rng.uniform(0.1, 2) * (10 if self._day.disturbances.calm else 1))

    async def _take(self, app: App, queue: str) -> None:
        self._tasks = [task for task in self._tasks if not task.done()]
        for message in await self._day.queues.receive(queue, _AT_ONCE - len(self._tasks), MESSAGE_LEASE):
            self._tasks.append(asyncio.create_task(self._deliver(app, queue, message)))

    async def _deliver(self, app: App, queue: str, message: ReceivedMessage) -> None:
        try:
            await self._run(app, queue, message)
        except Exception as error:  # noqa: BLE001 - whatever a function raises, the host takes for a failure
            if not isinstance(error, StorageError):
                self._day.surprises.append(f"{queue}: {error!r}")
            await self._failed(queue, message)
        else:
            if not self._day.disturbances.strikes():  # else the host's own delete fails: the message comes again
                await self._day.queues.delete(queue, message)

    async def _run(self, app: App, queue: str, message: ReceivedMessage) -> None:
        body = message.text.encode()
        if queue.endswith(POISON):
            await app.engine.record_or_put_back(Delivery(queue, "", body))  # a poison trigger takes the body alone
        elif message.dequeue_count > MAX_DEQUEUE_COUNT:
            raise StorageError("the host does not run it again: its process died each time")
        else:
            delivery = Delivery(queue, message.message_id, body, message.inserted_at, message.dequeue_count)
            await app.engine.process_or_put_back(delivery)

    async def _failed(self, queue: str, message: ReceivedMessage) -> None:
        if queue.endswith(POISON):
            return
        if message.dequeue_count < MAX_DEQUEUE_COUNT:
            self._day.queues.hide(queue, message, _RETRY)
            return
        await self._day.queues.send(queue + POISON, message.text)
        await self._day.queues.delete(queue, message)
