"""The crash sweep: a scenario played once for each of its storage calls and each way in which that call can go wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.jobs.kinds import Kind
from shared.jobs.testing.app import MemoryApp
from shared.jobs.testing.faults import Died, Faults, Mode
from shared.ports import StorageError
from shared.settings import Settings

P = TypeVar("P", bound=BaseModel)
Scenario = Callable[[Faults], Awaitable[object]]
"""Plays once with these faults, from nothing, lets everything recover, and returns what must be the same however it broke."""

MODES = (Mode.FAIL_BEFORE, Mode.FAIL_AFTER, Mode.DIE_BEFORE, Mode.DIE_AFTER)


@dataclass(frozen=True)
class Breakage:
    """One fault that was not recovered from."""

    mode: Mode
    at: int
    """Which storage call, from 1."""
    call: str
    what: str
    cause: Exception | None = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        """One line."""
        return f"call {self.at}, {self.call}, {self.mode.value}: {self.what}"


@dataclass(frozen=True)
class Report:
    """What a crash sweep found."""

    calls: int
    """How many storage calls the undisturbed run makes."""
    plays: int
    broken: tuple[Breakage, ...]

    def check(self) -> None:
        """Raise AssertionError where a fault broke it: with every such call, and caused by what the first one raised."""
        if self.broken:
            raise AssertionError(str(self)) from self.broken[0].cause

    def __str__(self) -> str:
        """The calls that broke it, one to a line."""
        return "\n  ".join((f"{len(self.broken)} of {self.plays} faults broke it", *map(str, self.broken)))


async def crash_sweep(scenario: Scenario, modes: Sequence[Mode] = MODES, every: int = 1) -> Report:
    """Break each storage call of a scenario in turn, and compare the outcome with that of an undisturbed run.

    Example::

        report = await crash_sweep(handling(greet, Greeting(name="ann")))
        report.check()

    Args:
        scenario: plays once; see `handling` for the usual one. An exception that it raises is an outcome that differs.
        modes: the ways in which a call goes wrong.
        every: every so manieth call only, where a play takes long.

    Raises:
        ValueError: the scenario makes no storage call, so that nothing would be tested.
    """
    undisturbed = Faults()
    expected = await scenario(undisturbed)
    if not undisturbed.calls:
        raise ValueError("the scenario makes no storage call: nothing would be tested")
    broken: list[Breakage] = []
    plays = 0
    for mode in modes:
        for at in count(1, every):
            faults = Faults(at, mode)
            found = await _played(scenario, faults, expected)
            if faults.struck is None:
                break
            plays += 1
            broken += [found] if found else []
    return Report(len(undisturbed.calls), plays, tuple(broken))


async def _played(scenario: Scenario, faults: Faults, expected: object) -> Breakage | None:
    try:
        outcome = await scenario(faults)
    except Exception as error:  # noqa: BLE001 - whatever it raises is what the fault has done
        return Breakage(faults.mode, faults.at, faults.struck or "?", f"{type(error).__name__}: {error}", error)
    if outcome == expected:
        return None
    return Breakage(faults.mode, faults.at, faults.struck or "?", f"{outcome!r} instead of {expected!r}")


async def outcomes(app: MemoryApp) -> list[tuple[Any, ...]]:
    """What became of every job: its kind, payload, status, results and error."""
    jobs = sorted(await app.submitted(), key=lambda job: (job.kind, job.job_id))
    return [(job.kind, job.payload, job.status, job.results, job.error and job.error.type) for job in jobs]


def handling(
    kind: Kind[P],
    payload: P,
    *others: Kind[Any],
    settings: Settings | None = None,
    arrange: Callable[[MemoryApp], Awaitable[object]] | None = None,
    outcome: Callable[[MemoryApp], Awaitable[object]] = outcomes,
) -> Scenario:
    """A job of this kind, from its first attempt to its end.

    Args:
        kind: the kind whose handler is under test.
        payload: what it is given.
        others: the kinds that it submits.
        settings: what it finds as `job.settings`.
        arrange: makes ready what the handler works on, undisturbed.
        outcome: what must be the same however it broke; by default what became of every job.
    """

    async def play(faults: Faults) -> object:
        app = MemoryApp(kind, *others, settings=settings)
        if arrange:
            await arrange(app)
        ticket = await app.submit(kind, payload)
        app.restart(faults)
        with suppress(StorageError, Died):
            await app.ended(ticket)
        app.restart()
        await app.recover()
        return await outcome(app)

    return play
