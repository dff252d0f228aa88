"""Bad days of workflows, in virtual time: hosts die under runs of six steps, storage comes and goes, and every run ends as it should."""

from __future__ import annotations

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel

from devtools.virtual_time import run
from shared.jobs import JobContext, job
from shared.jobs.errors import JobsError
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Kind
from shared.jobs.model import Job, Status
from shared.jobs.store import StatusStore, id_of
from shared.ports import StorageError
from shared.workflows import Flow, minutes, workflow
from shared.workflows.record import Outcome, Record, name_of
from support.chaos import Day, Line

ITEMS = 4


class Number(BaseModel):
    number: int = 0


class Numbers(BaseModel):
    numbers: list[int]


@job("count", max_attempts=9)
async def count(payload: Number, job: JobContext) -> dict[str, Any]:
    await asyncio.sleep(3)
    return {"items": [{"number": payload.number * 10 + place} for place in range(ITEMS)]}


@job("double", max_attempts=9)
async def double(payload: Number, job: JobContext) -> int:
    await asyncio.sleep(payload.number % 7)
    return payload.number * 2


@job("add", max_attempts=9)
async def add(payload: Numbers, job: JobContext) -> int:
    await asyncio.sleep(1)
    return sum(payload.numbers)


@workflow("sums", payload=Number)
def sums(flow: Flow[Number]) -> None:
    """Six steps: two that follow, one of several jobs, one beside it, a rest, a join."""
    counted = flow.step("count", count, lambda run: run.payload)
    doubled = flow.each("double", double, over=counted, items=lambda r: r["items"], width=2)
    beside = flow.step("beside", double, lambda run: run.payload, after=counted)
    added = flow.step("add", add, lambda run: Numbers(numbers=run.result(doubled)), after=doubled)
    rested = flow.sleep("rest", minutes(2), after=beside)
    flow.step("join", add, lambda run: Numbers(numbers=[run.result(added), run.result(beside)]), after=[added, rested])


class FlowDay(Day):
    """A day on which nothing is submitted but runs, and nothing fails but hosts and storage."""

    def __init__(self, seed: int, odds: float, runs: int) -> None:
        super().__init__(seed, odds)
        self._runs = runs

    def start(self, line: Line, ahead_seconds: float = 0) -> Any:
        self.handlers.kinds = _kinds  # type: ignore[method-assign]
        return super().start(line, ahead_seconds)

    async def _submit(self) -> None:
        app = self.start(Line(self.disturbances))
        for number in range(self._runs):
            job_id = derived_id(self.clock.now(), f"{number}")
            with suppress(StorageError, JobsError):
                ticket = await app.engine.submit(sums, Number(number=number), job_id=job_id)
                self.tickets.append(ticket.job.job_id)
            await asyncio.sleep(self.rng.uniform(0, 8))


def _kinds() -> tuple[Kind[Any], ...]:
    return (sums, count, double, add, *sums.brings[-2:])


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    state = random.getstate()
    with caplog.at_level(logging.CRITICAL, "nightshift"):
        yield
    random.setstate(state)


async def lived(day: FlowDay) -> tuple[dict[str, Job], dict[str, Record]]:
    await day.live()
    store = StatusStore(day.blobs, day.clock)
    jobs = {id_of(info.name): await store.read(id_of(info.name)) async for info in store.listing()}
    records = {}
    for job_id, current in jobs.items():
        if current and current.value.kind == "sums" and (blob := await day.blobs.read(name_of(job_id))):
            records[job_id] = Record.model_validate_json(blob.data)
    return {job_id: current.value for job_id, current in jobs.items() if current}, records


def check(day: FlowDay, jobs: dict[str, Job], records: dict[str, Record]) -> None:
    """Every ticket's run completed; of each of its steps there is one job, which completed, and told its run."""
    assert not day.surprises
    for ticket in day.tickets:
        number = int(str((jobs[ticket].payload or {})["number"]))
        assert jobs[ticket].status is Status.COMPLETED, (jobs[ticket], records.get(ticket))
        assert records[ticket].outcome is Outcome.COMPLETED
        children = [each for each in jobs.values() if each.parent_id == ticket]
        expected = {"count", "add", "beside", "join", ":timer/rest", *(f"double/{place}" for place in range(ITEMS))}
        assert Counter(each.child_key for each in children) == Counter(expected)
        assert all(each.status is Status.COMPLETED and each.told_at and not each.watch_at for each in children)
        (joined,) = [each for each in children if each.child_key == "join"]
        doubled = [(number * 10 + place) * 2 for place in range(ITEMS)]
        assert joined.results == sum(doubled) + number * 2


def play(seed: int, odds: float, runs: int) -> FlowDay:
    random.seed(seed)
    day = FlowDay(seed, odds, runs)
    jobs, records = run(lived(day))
    check(day, jobs, records)
    assert len(day.tickets) > runs / 2
    return day


@pytest.mark.parametrize(("seed", "odds"), [(1, 0.0), (2, 0.02)])
def test_every_run_ends_and_every_step_once(seed: int, odds: float) -> None:
    assert play(seed, odds, 25).deaths > 5


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.parametrize(("seed", "odds"), [(3, 0.0), (4, 0.02), (5, 0.06)])
def test_five_hundred_runs(seed: int, odds: float) -> None:
    assert play(seed, odds, 500).deaths > 50
