"""Timer triggers of devhost over Azurite: kept state, missed occurrences, overruns, and the lock."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, BlobServiceClient, ContainerClient

from devhost import Host
from devhost.lock import SingletonLock
from shared.jobs.timers.schedule import Schedule
from support.azurite import AzuriteProcess

YEARLY = "0 0 3 1 1 *"
EVERY_SECOND = "* * * * * *"


@dataclass
class Runs:
    """Records the runs of a timer."""

    seconds: float = 0.0
    fails: bool = False
    past_due: list[bool] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)

    async def __call__(self, timer: func.TimerRequest) -> None:
        self.starts.append(time.monotonic())
        self.past_due.append(timer.past_due)
        self.requests.append(timer)
        await asyncio.sleep(self.seconds)
        if self.fails:
            raise RuntimeError("told to fail")


@dataclass
class Bench:
    container: ContainerClient
    connection: str
    host_id: str
    lock_seconds: int = 60

    def host(self, runs: Runs, schedule: str, **binding: Any) -> Host:
        app = func.FunctionApp()

        @app.timer_trigger("timer", schedule="%SCHEDULE%", **binding)
        async def tick(timer: func.TimerRequest) -> None:
            await runs(timer)

        settings = {
            "AzureWebJobsStorage": self.connection,
            "AzureFunctionsWebHost__hostid": self.host_id,
            "SCHEDULE": schedule,
            "DEVHOST_TIMER_LOCK_SECONDS": str(self.lock_seconds),
        }
        return Host(app, settings)

    async def status(self) -> dict[str, str] | None:
        blob = self.container.get_blob_client(f"timers/{self.host_id}/Host.Functions.tick/status")
        try:
            content: dict[str, str] = json.loads(await (await blob.download_blob()).readall())
        except ResourceNotFoundError:
            return None
        return content

    async def keep(self, last: datetime, following: datetime | None) -> None:
        if not await self.container.exists():
            await self.container.create_container()
        content = {
            "Last": last.isoformat(),
            "Next": following and following.isoformat(),
            "LastUpdated": last.isoformat(),
        }
        blob = self.container.get_blob_client(f"timers/{self.host_id}/Host.Functions.tick/status")
        await blob.upload_blob(json.dumps(content), overwrite=True)


async def eventually(check: Callable[[], Any], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.05)


@pytest.fixture
async def bench(azurite: AzuriteProcess, unique: str) -> AsyncIterator[Bench]:
    async with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client("azure-webjobs-hosts")
        yield Bench(container, azurite.connection_string, unique)


async def test_a_new_timer_keeps_its_next_occurrence_and_does_not_run(bench: Bench) -> None:
    runs = Runs()
    async with bench.host(runs, YEARLY):
        await asyncio.sleep(1)
    status = await bench.status()
    assert status is not None
    expected = Schedule(YEARLY).after(datetime.now(UTC))
    assert datetime.fromisoformat(status["Next"]) == expected
    assert runs.starts == []


async def test_a_timer_fires_at_its_seconds(bench: Bench) -> None:
    runs = Runs()
    async with bench.host(runs, EVERY_SECOND):
        await eventually(lambda: len(runs.starts) >= 4)
    gaps = [later - earlier for earlier, later in zip(runs.starts, runs.starts[1:], strict=False)]
    assert all(0.7 < gap < 1.3 for gap in gaps), gaps
    assert not any(runs.past_due)


async def test_no_state_is_kept_of_a_schedule_within_the_minute(bench: Bench) -> None:
    runs = Runs()
    async with bench.host(runs, EVERY_SECOND):
        await eventually(lambda: len(runs.starts) >= 1)
    assert await bench.status() is None
    assert runs.requests[0].schedule_status == {}


async def test_missed_occurrences_make_one_run_that_is_past_due(bench: Bench) -> None:
    last = datetime.now(UTC) - timedelta(days=1000)
    missed = Schedule(YEARLY).after(last)
    await bench.keep(last, missed)
    runs = Runs()
    async with bench.host(runs, YEARLY):
        await eventually(lambda: len(runs.starts) == 1)
        await asyncio.sleep(0.5)
    assert runs.past_due == [True]
    assert missed is not None
    assert runs.requests[0].schedule_status["Next"] == missed.isoformat()
    status = await bench.status()
    assert status is not None
    assert datetime.fromisoformat(status["Next"]) > datetime.now(UTC)
    async with bench.host(runs, YEARLY):
        await asyncio.sleep(1)
    assert runs.past_due == [True]


async def test_an_edited_schedule_is_not_caught_up(bench: Bench) -> None:
    last = datetime.now(UTC) - timedelta(days=1000)
    await bench.keep(last, Schedule(YEARLY).after(last))
    runs = Runs()
    edited = "0 30 4 1 6 *"
    async with bench.host(runs, edited):
        await asyncio.sleep(1)
    status = await bench.status()
    assert status is not None
    assert datetime.fromisoformat(status["Next"]) == Schedule(edited).after(datetime.now(UTC))
    assert runs.starts == []


async def test_without_monitor_nothing_is_kept_nor_caught_up(bench: Bench) -> None:
    last = datetime.now(UTC) - timedelta(days=1000)
    await bench.keep(last, Schedule(YEARLY).after(last))
    runs, before = Runs(), await bench.status()
    async with bench.host(runs, YEARLY, use_monitor=False):
        await asyncio.sleep(1)
    assert runs.starts == []
    assert await bench.status() == before


async def test_a_failed_run_still_advances(bench: Bench) -> None:
    last = datetime.now(UTC) - timedelta(days=1000)
    await bench.keep(last, Schedule(YEARLY).after(last))
    runs = Runs(fails=True)
    async with bench.host(runs, YEARLY):
        await eventually(lambda: len(runs.starts) == 1)
        await asyncio.sleep(0.5)
    status = await bench.status()
    assert status is not None
    assert datetime.fromisoformat(status["Next"]) > datetime.now(UTC)
    assert len(runs.starts) == 1


async def test_run_on_startup(bench: Bench) -> None:
    runs = Runs()
    async with bench.host(runs, YEARLY, run_on_startup=True):
        await eventually(lambda: len(runs.starts) == 1)
    assert runs.past_due == [False]


async def test_an_overrun_is_followed_by_one_run_at_once_that_is_not_past_due(bench: Bench) -> None:
    runs = Runs(seconds=2.5)
    async with bench.host(runs, "*/2 * * * * *"):
        await eventually(lambda: len(runs.starts) == 1)
        runs_after = len(runs.starts)
        await asyncio.sleep(2.5)
        await eventually(lambda: len(runs.starts) == runs_after + 1, seconds=1)
        runs.seconds = 0
    assert runs.starts[1] - runs.starts[0] < 2.8
    assert runs.past_due[:2] == [False, False]


async def test_of_two_hosts_one_runs_the_timer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SingletonLock, "poll_seconds", 0.3)
    first, second = Runs(), Runs()
    async with bench.host(second, EVERY_SECOND) as other:
        await eventually(lambda: len(second.starts) >= 1)
        async with bench.host(first, EVERY_SECOND):
            await asyncio.sleep(2.5)
            assert first.starts == []
            await other.stop()
            stopped = len(second.starts)
            await eventually(lambda: len(first.starts) >= 2)
            assert len(second.starts) == stopped
        assert stopped >= 3


@pytest.mark.slow
async def test_a_host_that_is_killed_is_followed_when_its_lease_has_ended_and_the_other_asks_again(
    bench: Bench,
) -> None:
    first = Runs()
    async with bench.host(Runs(), EVERY_SECOND) as other:
        lock = await _lock_of(bench)
        await other.stop()
    dead = await lock.acquire_lease(60)  # what a host that was killed leaves behind
    began = time.monotonic()
    async with bench.host(first, EVERY_SECOND):
        await eventually(lambda: first.starts, seconds=150)
    assert dead.id
    assert 55 < first.starts[0] - began < 125


async def _lock_of(bench: Bench) -> BlobClient:
    lock = bench.container.get_blob_client(f"locks/{bench.host_id}/Host.Functions.tick.Listener")
    deadline = time.monotonic() + 10
    while not await lock.exists():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
    return lock


async def test_a_lost_lock_stops_the_host(bench: Bench) -> None:
    runs, bench.lock_seconds = Runs(), 15
    async with bench.host(runs, EVERY_SECOND) as host:
        await eventually(lambda: len(runs.starts) >= 1)
        await BlobLeaseClient(await _lock_of(bench)).break_lease(0)
        thief = await (await _lock_of(bench)).acquire_lease(60)
        await eventually(host.failed.is_set, seconds=40)
        await host.stop()
        stopped = len(runs.starts)
        await asyncio.sleep(1.5)
        assert len(runs.starts) == stopped
        await thief.release()
    assert "is lost" in host.failure


async def test_stopping_lets_a_run_finish_and_gives_the_lock_back(bench: Bench) -> None:
    runs, finished = Runs(), asyncio.Event()

    async def slow(timer: func.TimerRequest) -> None:
        await Runs.__call__(runs, timer)
        await asyncio.sleep(1)
        finished.set()

    async with bench.host(slow, EVERY_SECOND):  # type: ignore[arg-type]
        await eventually(lambda: len(runs.starts) == 1)
    assert finished.is_set()
    lease = await bench.container.get_blob_client(f"locks/{bench.host_id}/Host.Functions.tick.Listener").acquire_lease(
        15
    )
    await lease.release()
