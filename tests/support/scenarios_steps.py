"""What the crash sweep does to steps: two at once, and an effect, of which the outside keeps books."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from shared.jobs import Done, NotDone
from shared.jobs.kept import KeptStore, State
from shared.jobs.model import Status
from support.lab import Work
from support.scenarios import Scenario, Trial, each

_DONE = each(Status.COMPLETED, {"n": 7})


@dataclass
class _Books:
    did: list[str] = field(default_factory=list)
    again: list[str] = field(default_factory=list)
    """Done although it was kept that it was."""


_BOOKS: dict[str, _Books] = {}


async def _stepping(trial: Trial) -> None:
    books = _BOOKS[trial.key] = _Books()

    async def script(payload: Work, job: Any) -> Any:
        async def do(name: str) -> int:
            kept = KeptStore(trial.lab.blobs, trial.lab.clock).of(job.job)
            books.again += [info.name async for info in kept if info.name == name and info.state is State.DONE]
            books.did.append(name)
            return payload.n

        async def ask() -> Done | NotDone:
            return Done(payload.n) if "charge" in books.did else NotDone()

        halves = await asyncio.gather(*(job.step(name, partial(do, name)) for name in ("left", "right")))
        charged = await job.effect("charge", "order", partial(do, "charge"), resolve=ask)
        return {"n": max(*halves, charged)}

    trial.lab.script = script
    await trial.take(n=7)


async def _run(trial: Trial) -> None:
    await trial.lab.pump()


async def _stepped(trial: Trial) -> None:
    books = _BOOKS.pop(trial.key)
    await _DONE(trial)
    assert books.again == []
    assert books.did.count("charge") == 1


SCENARIOS = (Scenario("run with steps", _run, _stepped, arrange=_stepping),)
