"""Fan-out: a job whose work is many jobs.

The plan (which children there are to be) is made once and kept in a blob. From then on the job's own record says how far
it has come: which children are under way, how many have ended and how. That record is written, under the attempt's fence,
before the children that it names are started, and an ended child leaves it in the same write that counts it. So a
crash between any two storage calls neither loses a child nor starts or counts one twice.

The job holds a worker while its children end one after the other. Where none ends for a while it has those that are under way
tell it of their end, and is suspended: it holds no worker, and looks no more, until one of them wakes it. Children that are quick
are not asked to tell, and cost no more for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.jobs.children import Child, Plan
from shared.jobs.errors import Snooze, Suspend
from shared.jobs.model import FanOut, Job, LostChild, Status

if TYPE_CHECKING:
    from shared.jobs.context import JobContext

__all__ = ["Child", "fan_out"]

LISTED = 100
"""So many of the children that did not complete are listed; all are counted."""
_SHORTEST_POLL, _LONGEST_POLL = 0.5, 2.0
_PATIENCE, _PATIENCE_ONCE_TOLD = 10.0, 1.0
"""Seconds without any child ending after which the job lets go of its worker; and where they tell it of their end."""
_SHARE = 0.6
"""How much of an attempt's time is used before the job goes on in another one."""


async def fan_out(job: JobContext, plan: Callable[[], AsyncIterator[Child]], *, width: int) -> dict[str, Any]:
    """Run a job for each child of a plan, and return what became of them.

    Call it once in a handler, and return its result, or something made of it::

        @job("greet-all")
        async def greet_all(payload: Nothing, job: JobContext) -> dict[str, Any]:
            async def plan() -> AsyncIterator[Child]:
                for name in ("ann", "ben"):
                    yield Child.of(name, greet, Greeting(name=name))

            return await fan_out(job, plan, width=2)

    Args:
        job: the parent's context.
        plan: yields the children, each with a key of its own; called once in the life of the job.
        width: how many children are under way at the same time, at most.

    Returns:
        `outcome` ("completed", or "completed with failures"), `children`, `completed`, `failed`, `cancelled`, `tally` (the
        sums of the top-level numbers in the children's results, by name), and `failures`: the first hundred that did not
        complete, each with `key`, `job_id` and `error`.

    Raises:
        Suspend, Snooze: children are at work; the engine calls the handler again later. Let them through.
        JobCancelledError: the job is to stop; the engine cancels the children.
    """
    run = await _Run.begin(job, plan, width)
    while run.state.ended < run.state.total:
        await run.step()
    return _results(run.state)


class _Run:
    """One attempt's part of a fan-out."""

    def __init__(self, job: JobContext, plan: Plan, state: FanOut, width: int) -> None:
        self._job = job
        self._plan = plan
        self._width = width
        self._moved = job.clock.now()
        self._begun = job.job.started_at or self._moved  # to make the plan takes of the attempt's time, too
        self._interval = _SHORTEST_POLL
        self._seen: dict[int, Job | None] = {}
        self.state = state

    @classmethod
    async def begin(cls, job: JobContext, plan: Callable[[], AsyncIterator[Child]], width: int) -> _Run:
        """Make the plan, or take up where the attempt before left."""
        state = job.job.fan_out
        if state is not None:
            return cls(job, await job.children.planned(state.plan), state, width)
        name, children = await job.children.plan(job.job, plan())
        run = cls(job, children, FanOut(plan=name, total=len(children)), width)
        await run._save(run.state)
        return run

    async def step(self) -> None:
        """Look at the children that are under way; count what ended, start what there is room for."""
        under_way = self.state.under_way
        found = await self._job.children.read(self._job.job, self._children(under_way))
        self._seen = seen = dict(zip(under_way, found, strict=True))
        state = self._filled(self._counted(seen))
        self._adapt(state.ended - self.state.ended)
        if state != self.state:
            self._moved = self._job.clock.now()
            await self._save(state)
        await self._start(number for number in state.under_way if seen.get(number) is None)
        if state.ended < state.total:
            await self._wait()

    def _adapt(self, ended: int) -> None:
        """Look sooner where many children end between two looks: each look costs a read for each child under way."""
        busy = ended * 4 >= min(self._width, self.state.total)
        self._interval = _SHORTEST_POLL if busy else min(self._interval * 1.5, _LONGEST_POLL)

    def _children(self, numbers: Iterable[int]) -> list[Child]:
        return [self._plan[number] for number in numbers]

    def _counted(self, seen: dict[int, Job | None]) -> FanOut:
        ended = {number: child for number, child in seen.items() if child and child.status.final}
        jobs = list(ended.values())
        lost = [_lost(self._plan[n].key, child) for n, child in ended.items() if child.status is not Status.COMPLETED]
        return self.state.model_copy(
            update={
                "under_way": tuple(number for number in self.state.under_way if number not in ended),
                "completed": self.state.completed + _count(jobs, Status.COMPLETED),
                "failed": self.state.failed + _count(jobs, Status.FAILED),
                "cancelled": self.state.cancelled + _count(jobs, Status.CANCELLED),
                "tally": _added(self.state.tally, jobs),
                "lost": (*self.state.lost, *lost)[:LISTED],
            }
        )

    def _filled(self, state: FanOut) -> FanOut:
        room = max(0, self._width - len(state.under_way))
        until = min(state.total, state.next + room)
        return state.model_copy(update={"next": until, "under_way": (*state.under_way, *range(state.next, until))})

    async def _save(self, state: FanOut) -> None:
        self.state = state
        await self._job.fanned_out(state)

    async def _start(self, numbers: Iterable[int]) -> None:
        await self._job.children.start(self._job.job, self._children(numbers))

    async def _wait(self) -> None:
        """Wait a little until the next look, or let go of the worker."""
        await self._job.checkpoint()
        if self._seconds_since(self._begun) > self._job.timeout_seconds * _SHARE:
            raise Snooze(0, "goes on in another attempt")
        patience = _PATIENCE_ONCE_TOLD if self.state.told else _PATIENCE
        if self._seconds_since(self._moved) > patience and await self._told():
            raise Suspend(f"{self.state.ended} of {self.state.total} children have ended")
        await self._job.clock.sleep(self._interval)

    async def _told(self) -> bool:
        """Have the children that are under way tell of their end; False where one of them has ended already."""
        if not self.state.told:  # those that are started from here on do so from the start
            await self._save(self.state.model_copy(update={"told": True}))
        seen = {number: self._seen.get(number) for number in self.state.under_way}
        if None in seen.values():
            return False  # started just now: whether they tell is not known before they are looked at
        silent = (number for number, child in seen.items() if child and not child.parent_kind)
        return await self._job.children.follow(self._job.job, self._children(silent))

    def _seconds_since(self, moment: datetime) -> float:
        return (self._job.clock.now() - moment).total_seconds()


def _count(jobs: Iterable[Job], status: Status) -> int:
    return sum(job.status is status for job in jobs)


def _lost(key: str, job: Job) -> LostChild:
    error = f"{job.error.type}: {job.error.message}" if job.error and job.status is Status.FAILED else "cancelled"
    return LostChild(key=key, job_id=job.job_id, error=error[:300])


def _added(tally: dict[str, int | float], jobs: Iterable[Job]) -> dict[str, int | float]:
    tally = dict(tally)
    for job in jobs:
        if job.status is Status.COMPLETED and isinstance(job.results, dict):
            for name, value in job.results.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    tally[name] = tally.get(name, 0) + value
    return tally


def _results(state: FanOut) -> dict[str, Any]:
    whole = state.completed == state.total
    return {
        "outcome": "completed" if whole else "completed with failures",
        "children": state.total,
        "completed": state.completed,
        "failed": state.failed,
        "cancelled": state.cancelled,
        "tally": state.tally,
        "failures": [child.model_dump() for child in state.lost],
    }
