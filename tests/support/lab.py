"""An app over the real adapters, with kinds of jobs whose handlers tests write, and a clock that tests turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.adapters.opening import open_blobs, open_queues
from shared.adapters.sqlite import SqliteDocuments
from shared.app import App
from shared.bootstrap import compose
from shared.containers import JOBS
from shared.declarations import settings_of
from shared.jobs import Dedupe, JobContext, Policy
from shared.jobs import job as declare
from shared.jobs.dead_letters.vault import DeadLetter, Filter
from shared.jobs.engine import Engine
from shared.jobs.fanning import Child, fan_out
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Kind
from shared.jobs.model import HISTORY_LIMIT, Job, Status, summary
from shared.jobs.store import id_of
from shared.jobs.testing import (
    FakeClock,
    Faults,
    FaultyBlobs,
    FaultyDocuments,
    FaultyQueues,
    Host,
    MemoryBlobs,
    MemoryQueues,
    recover,
)
from shared.jobs.ticket import Options, Ticket
from shared.settings import Settings
from support.host import ClockedQueues

ENDS = {Status.COMPLETED.value, Status.FAILED.value, Status.CANCELLED.value}


class Work(BaseModel):
    """The payload of the test kinds."""

    model_config = ConfigDict(extra="forbid")

    n: int = 1
    key: str = ""
    note: str = ""


class Told(BaseModel):
    """The payload of the job that tells an outcome, in place of the app's own, which would go out and post it."""

    model_config = ConfigDict(extra="ignore")

    type: str
    data: dict[str, JsonValue]


Script = Callable[[Work, JobContext], Awaitable[Any]]


async def succeed(payload: Work, job: JobContext) -> dict[str, JsonValue]:
    """Do what most jobs do."""
    await job.progress("halfway", 1, 2)
    return {"n": payload.n}


class Broken(Exception):  # noqa: N818 - a name for tests
    """A handler's error that a retry may mend."""


@dataclass
class Lab:
    """The app, its real parts, and what its handlers have done."""

    blobs: Any
    storage_queues: Any
    documents: SqliteDocuments
    settings: Settings
    clock: FakeClock
    script: Script = succeed
    runs: list[tuple[str, int]] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)
    """What callbacks have told: their own job's id, and what of which job."""
    more_kinds: tuple[Kind[Any], ...] = ()

    def __post_init__(self) -> None:
        """Start the host and the app."""
        self.queues = ClockedQueues(self.storage_queues, self.clock)
        self.host = Host(self.queues)
        self.app = self.start()

    @property
    def engine(self) -> Engine:
        """The engine of the running process."""
        return self.app.engine

    def start(self, faults: Faults | None = None) -> App:
        """Start a process: what was in the memory of the one before is gone."""
        kinds = (*_kinds(self), *self.more_kinds)
        faults = faults or Faults()
        blobs, queues = FaultyBlobs(self.blobs, faults), FaultyQueues(self.queues, faults)
        documents = FaultyDocuments(self.documents, faults)
        self.app = compose(self.settings, blobs, queues, documents, self.clock, kinds=kinds)
        return self.app

    def afresh(self) -> None:
        """Turn the clock back to the present and forget everything but what is stored."""
        self.clock.time = datetime.now(UTC)
        self.script, self.runs, self.told = succeed, [], []
        self.__post_init__()

    async def submit(self, kind: str = "work", options: Options | None = None, **payload: Any) -> Ticket:
        """Take a job in."""
        return await self.engine.submit(kind, payload, **(options or {}))

    async def pump(self) -> int:
        """Let the host deliver what is visible."""
        return await self.host.pump(self.engine)

    async def job(self, job_id: str) -> Job:
        """The job as it stands."""
        return (await self.engine.get(job_id)).value

    async def run(self, kind: str = "work", **payload: Any) -> Job:
        """Submit a job and let the host deliver what there is."""
        ticket = await self.submit(kind, **payload)
        await self.pump()
        return await self.job(ticket.job.job_id)

    async def children(self, parent_id: str) -> list[Job]:
        """The jobs that a job is made of, by their status blobs."""
        made = derived_id((await self.job(parent_id)).created_at, "")[:13]  # the moment, which their ids share
        held = [await self.job(id_of(info.name)) async for info in self.engine.deps.status.listing(made)]
        return sorted((job for job in held if job.parent_id == parent_id), key=lambda job: str(job.payload))

    async def letters(self, **wanted: Any) -> list[DeadLetter]:
        """Dead letters by filter, newest first."""
        return (await self.engine.vault.find(Filter(**wanted), 200))[0]

    async def recover(self, rounds: int = 40) -> None:
        """Let time pass, with the host at work and the sweep on its schedule, until nothing is left to do."""
        await recover(self.host, self.engine, self.clock, rounds)

    async def settled(self, job_id: str, status: Status | None = None) -> Job:
        """Assert that the job ended well in every record of it: status blob, history, vault and index."""
        job = await self.job(job_id)
        assert job.status.final, f"lost: {job}"
        assert status is None or job.status is status, f"{job.status}: {[e.event for e in job.history]} {job.error}"
        assert job.watch_at is None
        self._assert_ended_once(job)
        await self._assert_index(job)
        await self._assert_vault(job)
        return job

    def _assert_ended_once(self, job: Job) -> None:
        lives: list[list[str]] = [[]]
        for entry in job.history:
            if entry.event == "discarded":
                continue  # said of a life that has ended
            if entry.event == "replayed":
                lives.append([])
            lives[-1].append(entry.event)
        assert len(job.history) == HISTORY_LIMIT or len(lives) == job.replays + 1
        for life in lives:
            assert sum(event in ENDS for event in life) == 1, f"outcomes of one life: {life}"
            assert life[-1] in ENDS, f"not ended by its outcome: {life}"

    async def _assert_index(self, job: Job) -> None:
        found = await self.documents.read(JOBS, job.job_id, job.job_id)
        assert found is not None, "not in the index"
        assert found[0] == summary(job), f"the index has version {found[0]['version']}, the blob {job.version}"

    async def _assert_vault(self, job: Job) -> None:
        letters = await self.letters(job_id=job.job_id)
        claiming = [each for each in letters if each.job_status is None]
        if job.status is Status.FAILED:
            assert job.dead_letter_id in [each.id for each in claiming]
            assert len(claiming) == job.replays + 1
        else:
            assert len(claiming) == job.replays, f"the vault says otherwise: {[(e.reason, e.error) for e in claiming]}"


def _kinds(lab: Lab) -> tuple[Kind[Any], ...]:
    policy = Policy(
        max_attempts=3, max_stalls=3, base_backoff_seconds=8, max_backoff_seconds=60, final=(ZeroDivisionError,), timeout_seconds=30
    )  # fmt: skip

    async def handle(payload: Work, job: JobContext) -> Any:
        lab.runs.append((job.job_id, job.attempt))
        return await lab.script(payload, job)

    async def tell(payload: Told, job: JobContext) -> None:
        lab.runs.append((job.job_id, job.attempt))
        lab.told.append((job.job_id, f"{payload.type} {payload.data['job_id']}"))

    async def many(payload: Work, job: JobContext) -> Any:
        lab.runs.append((job.job_id, job.attempt))

        async def plan() -> AsyncIterator[Child]:
            for n in range(payload.n):
                yield Child(f"child {n}", "work", {"n": n})

        return await fan_out(job, plan, width=2)

    def what(payload: Work) -> Dedupe | None:
        return Dedupe(payload.key, payload.note) if payload.key else None

    once = Policy(max_attempts=3, base_backoff_seconds=8, dedupe_ttl_seconds=3600)
    upgrades = {1: lambda old: {"n": old["number"]}, 2: lambda old: {**old, "note": "upgraded"}}
    own = Policy(queue=f"{lab.settings.queue_normal}-own", max_attempts=1)
    quick = Policy(max_attempts=2, base_backoff_seconds=0, timeout_seconds=0.05)
    return (
        declare("work", policy=policy)(handle),
        declare("many", policy=policy)(many),
        declare("once", policy=once, dedupe=what)(handle),
        declare("grown", version=3, policy=policy, upgrades=upgrades)(handle),
        declare("webhook", policy=policy)(tell),
        declare("own", policy=own)(handle),
        declare("quick", policy=quick)(handle),
    )


async def open_lab(connection: str, name: str, folder: Path, **environ: str) -> Lab:
    """A lab with containers and queues of its own. Close it with `close_lab`."""
    settings = settings_of(
        {
            "AzureWebJobsStorage": connection,
            "NIGHTSHIFT_STATUS_CONTAINER": name,
            "JOBS_HIGH_QUEUE_NAME": f"{name}-high",
            "JOBS_QUEUE_NAME": name,
            "JOBS_LOW_QUEUE_NAME": f"{name}-low",
            "TASTE_JOB_QUEUE_NAME": f"{name}-taste",
            **environ,
        }
    )
    clock = FakeClock(datetime.now(UTC))
    documents = SqliteDocuments(folder / f"{name}.db", clock)
    return Lab(open_blobs(settings, name), open_queues(settings), documents, settings, clock)


def open_memory_lab(name: str, folder: Path) -> Lab:
    """A lab whose blobs and queues are in memory; its documents are real."""
    settings = settings_of({"NIGHTSHIFT_STATUS_CONTAINER": name, "JOBS_QUEUE_NAME": name})
    clock = FakeClock(datetime.now(UTC))
    documents = SqliteDocuments(folder / f"{name}.db", clock)
    return Lab(MemoryBlobs(clock), MemoryQueues(clock), documents, settings, clock)


async def close_lab(lab: Lab) -> None:
    """Close what the lab holds open."""
    for each in (lab.blobs, lab.storage_queues, lab.documents):
        await each.close()
