"""Bad days, one for each seed: whatever happens in whatever order, the guarantee holds for every job.

A seed that fails is played again, alike to the last call, by `pytest tests/faults/test_chaos.py -k seed-NUMBER`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from devtools.virtual_time import run
from shared.containers import DEAD_LETTERS, JOBS
from shared.jobs.callbacks import KIND as CALLBACK
from shared.jobs.dead_letters.vault import letter_id_of
from shared.jobs.model import HISTORY_LIMIT, Job, Status, summary
from shared.jobs.store import StatusStore, id_of
from shared.ports import Query
from support.chaos import CHILDREN, Day
from support.lab import ENDS

ORDINARY, MORE = 12, 72
ODDS = (0.0, 0.02, 0.08)
"""Hosts die and outages come on every day; on two of three, single calls go wrong as well."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Leave the engine's many words on a bad day out of a failure's report; restore the engine's source of chance."""
    state = random.getstate()
    with caplog.at_level(logging.CRITICAL, "nightshift"):
        yield
    random.setstate(state)


@pytest.mark.parametrize("seed", range(ORDINARY), ids="seed-{}".format)
def test_a_bad_day(seed: int) -> None:
    play(seed)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(ORDINARY, MORE), ids="seed-{}".format)
def test_another_bad_day(seed: int) -> None:
    play(seed)


def test_a_seed_is_one_day() -> None:
    assert play(1) == play(1)


def play(seed: int) -> list[Job]:
    """Live through the day of a seed, and check what must be true after it."""
    random.seed(seed)  # the engine draws stamps and delays from it
    day = Day(seed, ODDS[seed % len(ODDS)])

    async def whole() -> tuple[list[Job], list[str]]:
        await day.live()
        audit = Audit(day)
        return await audit.jobs(), [problem async for problem in audit.problems()]

    jobs, problems = run(whole())
    assert not problems, f"seed {seed}:\n" + "\n".join(problems)
    told = len(day.tickets)
    assert day.deaths > told / 4 > 5, f"seed {seed}: {day.deaths} deaths over {told} tickets is no bad day"
    return jobs


class Audit:
    """Looks through everything that is stored, and says what should not be so."""

    def __init__(self, day: Day) -> None:
        self._day = day

    async def jobs(self) -> list[Job]:
        store = StatusStore(self._day.blobs, self._day.clock)
        held = [await store.read(id_of(info.name)) async for info in store.listing()]
        return [each.value for each in held if each]

    async def problems(self) -> AsyncIterator[str]:
        jobs = {job.job_id: job for job in await self.jobs()}
        letters, index = await self._stored(DEAD_LETTERS), await self._stored(JOBS)
        for lost in [ticket for ticket in self._day.tickets if ticket not in jobs]:
            yield f"lost: {lost}, for which a ticket was handed out"
        for job in jobs.values():
            for problem in (
                *_of_life(job), *self._of_runs(job), *self._of_replays(job),
                *_of_letters(job, letters), *_of_callback(job, jobs), *_of_children(job, jobs),
            ):  # fmt: skip
                yield f"{job.job_id} {job.status}: {problem}; {[(e.event, e.attempt) for e in job.history]}"
        for job_id in jobs.keys() | index.keys():
            if job_id not in jobs or index.get(job_id) != summary(jobs[job_id]):
                yield f"{job_id}: the index has {index.get(job_id)}"
        for queue, depth in self._day.queues.depths().items():
            yield f"{queue}: {depth} messages left"
        for surprise in self._day.surprises:
            yield f"raised on {surprise}"

    async def _stored(self, container: str) -> dict[str, dict[str, Any]]:
        page = await self._day.documents.query(container, Query(limit=1000))
        assert page.cursor is None
        return {document["id"]: document for document in page.items}

    def _of_runs(self, job: Job) -> Iterator[str]:
        runs = self._day.handlers.runs.get(job.job_id, [])
        if len(set(runs)) < len(runs) or max(runs, default=0) > job.attempt:
            yield f"one attempt is one run, but its runs are of attempts {runs}"
        if job.status is Status.COMPLETED and job.attempt not in runs:
            yield f"completed, but its last attempt never ran: {runs}"

    def _of_replays(self, job: Job) -> Iterator[str]:
        """None that nobody asked for."""
        asked = self._day.replays_tried[job.job_id]
        if job.replays > asked:
            yield f"replayed {job.replays} times, asked for {asked} times"


def _of_life(job: Job) -> Iterator[str]:
    if not job.status.final or job.watch_at:
        yield f"not ended, watched until {job.watch_at}"
    lives: list[list[str]] = [[]]
    for entry in job.history:
        if entry.event == "replayed":
            lives.append([])
        lives[-1].append(entry.event)
    ended = all(life[-1] in ENDS and sum(event in ENDS for event in life) == 1 for life in lives)
    if len(job.history) < HISTORY_LIMIT and not (ended and len(lives) == job.replays + 1):
        yield "not one outcome for each life"
    if job.status is Status.COMPLETED and job.kind in ("work", "once") and job.results != {"attempt": job.attempt}:
        yield f"the outcome of another attempt: {job.results}"
    if job.status is Status.CANCELLED and not job.cancel_requested:
        yield "nobody asked for it"


def _of_letters(job: Job, letters: dict[str, dict[str, Any]]) -> Iterator[str]:
    failed = job.status is Status.FAILED
    if failed and job.dead_letter_id != letter_id_of(job):
        yield f"its dead letter is of another life: {job.dead_letter_id}"
    lives = [job.model_copy(update={"replays": life}) for life in range(job.replays + failed)]
    missing = [life.replays for life in lives if letter_id_of(life) not in letters]
    if missing:
        yield f"no dead letter of its lives {missing}"


def _of_callback(job: Job, jobs: dict[str, Job]) -> Iterator[str]:
    if not job.callback_url:
        return
    telling = [each for each in jobs.values() if each.kind == CALLBACK and _tells_of(each) == job.job_id]
    if len(telling) != job.replays + 1 or job.callback_job_id not in [each.job_id for each in telling]:
        yield f"told by {len(telling)} jobs"


def _of_children(job: Job, jobs: dict[str, Job]) -> Iterator[str]:
    """A family that completed has counted each of its children once; one that was cancelled started none afterwards.

    An edited replay makes a plan of its own, whose children come on top of those of the plan before.
    """
    children = [each for each in jobs.values() if each.parent_id == job.job_id]
    edited = sum("edited" in (entry.detail or "") for entry in job.history if entry.event == "replayed")
    if job.kind == "family" and job.status is Status.COMPLETED:
        results: Any = job.results
        counted = results["completed"] + results["failed"] + results["cancelled"]
        if not counted == results["children"] == CHILDREN <= len(children) <= CHILDREN * (1 + edited):
            yield f"{len(children)} children, counted {results}"
    if job.fan_out and job.status is Status.CANCELLED and len(children) > job.fan_out.next + CHILDREN * edited:
        yield f"{len(children)} children, although it was cancelled at the {job.fan_out.next}th"


def _tells_of(callback: Job) -> Any:
    data = (callback.payload or {}).get("data")
    return data["job_id"] if isinstance(data, dict) else None
