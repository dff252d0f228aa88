"""Readiness: a store that answers reads and takes no writes is not ready, and the log says why."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from shared.calls import Calls
from shared.jobs.dependencies import Dependencies
from shared.jobs.kinds import Queues, Registry
from shared.jobs.testing import FakeClock
from shared.jobs.testing.memory import MemoryBlobs, MemoryQueues
from shared.monitor.status import Readiness
from shared.settings import Settings


async def is_ready(path: Path) -> bool:
    """Whether an app over this file says that it is ready."""
    clock, settings, documents = FakeClock(), Settings(), SqliteDocuments(path, SystemClock())
    deps = Dependencies(
        MemoryBlobs(clock), MemoryQueues(clock), documents, clock, Registry((), Queues(), settings), settings
    )  # fmt: skip
    try:
        return (await Readiness(deps, None, Calls()).condition()).ready
    finally:
        await documents.close()


async def test_what_can_be_written_and_read_is_ready(tmp_path: Path) -> None:
    assert await is_ready(tmp_path / "documents.db")
    assert await is_ready(tmp_path / "documents.db"), "also for the process after it"


async def test_a_broken_file_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "documents.db"
    assert await is_ready(path)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)
    assert not await is_ready(path)
    assert "dependency=documents" in caplog.text
    assert "malformed" in caplog.text


async def test_a_file_that_takes_no_more_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """As a full disk has it: reads are answered, and nothing can be added to a file."""
    path = tmp_path / "documents.db"
    assert await is_ready(path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, hard))
    try:
        assert not await is_ready(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "dependency=documents" in caplog.text
    assert "SQLite" in caplog.text
    assert await is_ready(path), "and there is room again"


async def test_what_is_written_and_not_there_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def pretend(*_: object) -> bool:
        return True

    monkeypatch.setattr(SqliteDocuments, "put_newer", pretend)
    assert not await is_ready(tmp_path / "documents.db")
