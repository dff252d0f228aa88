"""What the SQLite store does beyond its port: expiry to the second, many processes, a file made on demand."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shared.adapters import sqlite
from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from shared.jobs.testing import FakeClock
from shared.ports import Document, DocumentStore, Page, PreconditionError, Query, StorageError, Versioned, Where

REPOSITORY = Path(__file__).parents[2]

WRITER = """
import asyncio, sys
from shared.adapters import sqlite
from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from shared.ports import PreconditionError

async def main(path, name):
    documents = SqliteDocuments(path, SystemClock())
    for n in range(100):
        await documents.create("own", {"id": f"{name}-{n}", "pk": "p"})
        while True:
            counter, etag, _ = await documents.read("shared", "p", "counter")
            try:
                await documents.replace("shared", {**counter, "n": counter["n"] + 1}, etag)
                break
            except PreconditionError:
                pass
    await documents.close()

asyncio.run(main(*sys.argv[1:]))
"""


def document(id: str, **properties: Any) -> Document:
    return {"id": id, "pk": "p", **properties}


def run_writer(path: Path, n: int) -> str:
    command = [sys.executable, "-c", WRITER, str(path), str(n)]
    return subprocess.run(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, check=False).stderr


def rows(path: Path) -> int:
    database = sqlite3.connect(path)
    (count,) = database.execute("SELECT count(*) FROM documents").fetchone()
    database.close()
    return int(count)


async def test_what_has_expired_is_absent(sqlite_documents: DocumentStore, clock: FakeClock) -> None:
    etag = await sqlite_documents.create("c", document("a", ttl=10))
    await sqlite_documents.create("c", document("b"))
    clock.advance(9.5)
    assert await sqlite_documents.read("c", "p", "a") is not None
    clock.advance(0.5)
    assert await sqlite_documents.read("c", "p", "a") is None
    assert await sqlite_documents.query("c", Query()) == Page([document("b")], None)
    assert not await sqlite_documents.delete("c", "p", "a")
    assert not await sqlite_documents.delete("c", "p", "a", etag)
    with pytest.raises(PreconditionError):
        await sqlite_documents.replace("c", document("a"), etag)


async def test_what_has_expired_can_be_made_again(sqlite_documents: DocumentStore, clock: FakeClock) -> None:
    await sqlite_documents.create("c", document("a", ttl=10, version=9))
    await sqlite_documents.create("c", document("b", ttl=10, version=9))
    clock.advance(10)
    await sqlite_documents.create("c", document("a"))
    assert await sqlite_documents.put_newer("c", document("b", version=1))
    found = [await sqlite_documents.read("c", "p", name) for name in "ab"]
    assert [item[0] for item in found if item] == [document("a"), document("b", version=1)]


async def test_every_write_starts_the_time_to_live_anew(sqlite_documents: DocumentStore, clock: FakeClock) -> None:
    etag = await sqlite_documents.create("c", document("a", ttl=10))
    clock.advance(8)
    etag = await sqlite_documents.replace("c", document("a", ttl=10), etag)
    clock.advance(8)
    assert await sqlite_documents.read("c", "p", "a") is not None
    await sqlite_documents.replace("c", document("a"), etag)
    clock.advance(1000)
    assert await sqlite_documents.read("c", "p", "a") is not None


async def test_what_has_expired_is_deleted_by_the_way(tmp_path: Path, clock: FakeClock) -> None:
    documents = SqliteDocuments(tmp_path / "documents.db", clock)
    for n in range(200):
        await documents.create("c", document(str(n), ttl=10))
    clock.advance(10)
    for n in range(300):
        await documents.put_newer("c", document("one", version=n))
    await documents.close()
    assert rows(tmp_path / "documents.db") == 1


async def test_processes_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "documents.db"
    documents = SqliteDocuments(path, SystemClock())
    await documents.create("shared", document("counter", n=0))
    assert await asyncio.gather(*(asyncio.to_thread(run_writer, path, n) for n in range(3))) == [""] * 3
    counter = await documents.read("shared", "p", "counter")
    assert counter is not None
    assert counter[0]["n"] == 300
    assert len((await documents.query("own", Query(limit=1000))).items) == 300
    await documents.close()


async def test_many_processes_may_be_the_first(tmp_path: Path) -> None:
    stores = [SqliteDocuments(tmp_path / "made" / "documents.db", SystemClock()) for _ in range(8)]
    await asyncio.gather(*(store.create("c", document(str(n))) for n, store in enumerate(stores)))
    assert len((await stores[0].query("c", Query())).items) == 8
    for store in stores:
        await store.close()


async def test_a_file_that_somebody_else_is_making_is_waited_for(tmp_path: Path, clock: FakeClock) -> None:
    other = sqlite3.connect(tmp_path / "documents.db", isolation_level=None)
    other.execute("CREATE TABLE theirs (x)")
    other.execute("BEGIN IMMEDIATE")
    documents = SqliteDocuments(tmp_path / "documents.db", clock)
    write = asyncio.create_task(documents.create("c", document("a")))
    await asyncio.sleep(0.1)
    other.execute("COMMIT")
    other.close()
    assert await write
    await documents.close()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path, clock: FakeClock) -> None:
    first = SqliteDocuments(tmp_path / "documents.db", clock)
    etag = await first.create("c", document("a"))
    await first.close()
    second = SqliteDocuments(tmp_path / "documents.db", clock)
    assert await second.read("c", "p", "a") == Versioned(document("a"), etag)
    await second.close()


async def test_nothing_is_made_before_the_first_call(tmp_path: Path, clock: FakeClock) -> None:
    documents = SqliteDocuments(tmp_path / "made" / "documents.db", clock)
    assert not (tmp_path / "made").exists()
    await documents.close()
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("obstacle", ["a folder", "no database", "a file for a folder"])
async def test_a_file_that_cannot_be_used_is_a_storage_error(tmp_path: Path, clock: FakeClock, obstacle: str) -> None:
    path = tmp_path / "documents.db"
    if obstacle == "a folder":
        path.mkdir()
    else:
        path.write_text("this is not a database " * 100)
    documents = SqliteDocuments(path / "x.db" if obstacle == "a file for a folder" else path, clock)
    calls = (
        documents.read("c", "p", "a"), documents.create("c", document("a")), documents.query("c", Query()),
        documents.put_newer("c", document("a", version=1)), documents.delete("c", "p", "a"),
        documents.replace("c", document("a"), "etag"),
    )  # fmt: skip
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 6
    await documents.close()


async def test_waiting_for_another_process_does_not_hold_up_the_event_loop(tmp_path: Path, clock: FakeClock) -> None:
    documents = SqliteDocuments(tmp_path / "documents.db", clock)
    await documents.create("c", document("a"))
    other = sqlite3.connect(tmp_path / "documents.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    write = asyncio.create_task(documents.create("c", document("b")))
    for _ in range(10):
        await asyncio.sleep(0.01)
    assert not write.done()
    other.execute("COMMIT")
    other.close()
    assert await write
    await documents.close()


async def test_a_file_that_stays_locked_ends_all_that_waits_within_one_limit(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, forty writes would wait forty times as long."""
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 1.0)
    documents = SqliteDocuments(tmp_path / "documents.db", clock)
    await documents.create("c", document("a"))
    other = sqlite3.connect(tmp_path / "documents.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    start = time.monotonic()
    writes = (documents.create("c", document(str(n))) for n in range(40))
    outcomes = await asyncio.gather(*writes, return_exceptions=True)
    assert time.monotonic() - start < 20
    assert {type(outcome) for outcome in outcomes} == {StorageError}
    assert "locked (SQLITE_BUSY): another process kept the file for 1 s" in str(outcomes[0])
    assert "no turn behind this process's other calls for 1 s" in str(outcomes[-1])
    other.execute("COMMIT")
    other.close()
    assert await documents.create("c", document("after"))
    await documents.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (Query(), "documents_by_id"),
        (Query(after="a", descending=True), "documents_by_id"),
        (Query(partition="p"), "sqlite_autoindex_documents_1"),
        (Query(order_by="sort", descending=True), "documents_by_sort"),
        (Query((Where("kind", "=", "x"),), order_by="sort", after="a"), "documents_by_sort"),
        (Query(order_by="sort", descending=True, partition="p"), "documents_by_pk_and_sort"),
        (Query((Where("sort", "<=", "b"),), order_by="sort", after="a", partition="p"), "documents_by_pk_and_sort"),
        (Query((Where("watch_at", "<", "x"),)), "documents_by_watch"),
        (Query((Where("job_id", "=", "x"),), order_by="sort", descending=True), "documents_by_job"),
        (Query((Where("replayed", "=", 0), Where("set_aside", "=", 0)), order_by="sort"), "documents_by_open"),
        (Query((Where("set_aside", "=", 0),), order_by="sort", descending=True), "documents_by_set_aside"),
        (
            Query((Where("job_id", ">=", "a"), Where("job_id", "<=", "b"), Where("open", "=", 1))),
            "documents_by_open_job",
        ),
    ],
)
async def test_common_queries_search_an_index(tmp_path: Path, query: Query, index: str) -> None:
    database = sqlite3.connect(":memory:")
    database.executescript(sqlite._SCHEMA)
    text, values = sqlite._sql("c", query)
    plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {text}", values | {"now": 0})]
    database.close()
    assert f"USING INDEX {index} " in plan[0]
    sorted_after = index in ("documents_by_watch", "documents_by_open_job")
    assert plan[1:] == (["USE TEMP B-TREE FOR ORDER BY"] if sorted_after else [])
