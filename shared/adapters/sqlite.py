"""Documents in one SQLite file: the embedded default."""
# ruff: noqa: S608  values are parameters, and names are checked

from __future__ import annotations

import asyncio
import errno
import json
import math
import secrets
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from shared.calls import Calls
from shared.ports import (
    AlreadyExistsError,
    Clock,
    Document,
    Page,
    PreconditionError,
    Query,
    StorageError,
    TooLargeError,
    Versioned,
    checked_id,
    checked_name,
    names_of,
    page,
    projected,
)

T = TypeVar("T")

_LARGEST = 2 * 1024 * 1024
"""Bytes of a document: Cosmos DB's limit, so that what works here works there."""
_BUSY_SECONDS = 30.0
"""How long a call may take to get at the file: behind other calls of this process, and behind other processes."""
_PURGE_EVERY = 256
"""Writes between two looks for what has expired."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    container TEXT NOT NULL,
    pk TEXT NOT NULL,
    id TEXT NOT NULL,
    etag TEXT NOT NULL,
    version REAL NOT NULL,
    expires_at REAL,
    body TEXT NOT NULL,
    UNIQUE (container, pk, id)
);
CREATE INDEX IF NOT EXISTS documents_by_id ON documents (container, id);
CREATE INDEX IF NOT EXISTS documents_by_sort ON documents (container, json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_pk_and_sort ON documents (container, pk, json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_watch ON documents (container, json_extract(body, '$.watch_at'))
    WHERE json_extract(body, '$.watch_at') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_kind ON documents
    (container, json_extract(body, '$.kind'), json_extract(body, '$.status'), id)
    WHERE json_extract(body, '$.kind') IS NOT NULL AND json_extract(body, '$.status') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_kind_and_id ON documents (container, json_extract(body, '$.kind'), id)
    WHERE json_extract(body, '$.kind') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_status ON documents (container, json_extract(body, '$.status'), id)
    WHERE json_extract(body, '$.status') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_parent ON documents (container, json_extract(body, '$.parent_id'), id)
    WHERE json_extract(body, '$.parent_id') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_replayed ON documents
    (container, json_extract(body, '$.replayed'), json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.replayed') IS NOT NULL AND json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_fingerprint ON documents
    (container, json_extract(body, '$.fingerprint'), json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.fingerprint') IS NOT NULL AND json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_job ON documents
    (container, json_extract(body, '$.job_id'), json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.job_id') IS NOT NULL AND json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_open_job ON documents
    (container, json_extract(body, '$.open'), json_extract(body, '$.job_id'), id)
    WHERE json_extract(body, '$.open') IS NOT NULL AND json_extract(body, '$.job_id') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_set_aside ON documents
    (container, json_extract(body, '$.set_aside'), json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.set_aside') IS NOT NULL AND json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_open ON documents
    (container, json_extract(body, '$.replayed'), json_extract(body, '$.set_aside'), json_extract(body, '$.sort'))
    WHERE json_extract(body, '$.replayed') IS NOT NULL AND json_extract(body, '$.set_aside') IS NOT NULL
    AND json_extract(body, '$.sort') IS NOT NULL;
CREATE INDEX IF NOT EXISTS documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;
"""
_ALIVE = "(expires_at IS NULL OR expires_at > :now)"
_KEY = "container = :container AND pk = :pk AND id = :id"
_PUT = """
INSERT INTO documents (container, pk, id, etag, version, expires_at, body)
VALUES (:container, :pk, :id, :etag, :version, :expires_at, :body)
ON CONFLICT (container, pk, id) DO UPDATE
SET etag = excluded.etag, version = excluded.version, expires_at = excluded.expires_at, body = excluded.body
WHERE """
_CREATE = f"{_PUT} NOT {_ALIVE}"
_PUT_NEWER = f"{_PUT} documents.version < excluded.version OR NOT {_ALIVE}"
_READ = f"SELECT body, etag FROM documents WHERE {_KEY} AND {_ALIVE}"
_REPLACE = f"""
UPDATE documents SET etag = :etag, version = :version, expires_at = :expires_at, body = :body
WHERE {_KEY} AND etag = :expected AND {_ALIVE}"""
_DELETE = f"DELETE FROM documents WHERE {_KEY} AND (:expected IS NULL OR etag = :expected) AND {_ALIVE}"
_PURGE = "DELETE FROM documents WHERE rowid IN (SELECT rowid FROM documents WHERE expires_at <= :now LIMIT 1000)"


class SqliteDocuments:
    """Containers of documents in one file (`shared.ports.DocumentStore`), shared by any number of processes.

    Each call is one statement, atomic in itself, run on a thread of its own: never on the event loop, and never behind
    other work of the default executor. One that cannot begin within 30 seconds fails, and says what it waited for. The file, its folder and its tables are made by the first call. A process that dies
    loses nothing that was acknowledged; a machine that loses power may lose the last moments, as with Azurite.
    """

    def __init__(self, path: str | Path, clock: Clock, calls: Calls | None = None) -> None:
        """Name the file; `clock` decides what has expired; `calls` counts what is done."""
        self._calls = calls or Calls()
        self._path = Path(path)
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite")
        self._database: sqlite3.Connection | None = None
        self._patience = 0
        self._writes = 0

    async def read(self, container: str, pk: str, id: str) -> Versioned[Document] | None:
        """Return the document and its ETag, or None."""
        rows = await self._run("read", _READ, self._key(container, pk, id))
        return Versioned(json.loads(rows[0][0]), rows[0][1]) if rows else None

    async def create(self, container: str, document: Document) -> str:
        """Create the document and return its ETag; AlreadyExistsError if partition and id are taken."""
        row = self._row(container, document)
        if not await self._write(_CREATE, row):
            raise AlreadyExistsError("the document exists already")
        return str(row["etag"])

    async def replace(self, container: str, document: Document, etag: str) -> str:
        """Replace the document if the ETag still matches; return the new one, else PreconditionError (also if missing)."""
        row = self._row(container, document) | {"expected": etag}
        if not await self._write(_REPLACE, row):
            raise PreconditionError("the document has changed, or is gone")
        return str(row["etag"])

    async def put_newer(self, container: str, document: Document) -> bool:
        """Write the document unless the stored one has the same or a higher ``version``; say if it wrote."""
        return await self._write(_PUT_NEWER, self._row(container, document))

    async def delete(self, container: str, pk: str, id: str, etag: str | None = None) -> bool:
        """Delete the document; False where there was none, PreconditionError where the ETag given is stale."""
        deleted = await self._write(_DELETE, self._key(container, pk, id) | {"expected": etag})
        if not deleted and etag is not None and await self.read(container, pk, id):
            raise PreconditionError("the document has changed")
        return deleted

    async def query(self, container: str, query: Query) -> Page:
        """Return one page of documents."""
        names, (text, values) = names_of(query), _sql(container, query)
        rows = await self._run("query", text, values | {"now": self._now()})
        return page([projected(json.loads(body), names) for (body,) in rows], query)

    async def close(self) -> None:
        """Close the file, after what was asked for before."""
        await self._on_thread(self._disconnect)
        self._thread.shutdown()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _key(self, container: str, pk: str, id: str) -> dict[str, Any]:
        return {"container": container, "pk": pk, "id": checked_id(id), "now": self._now()}

    def _row(self, container: str, document: Document) -> dict[str, Any]:
        body = json.dumps(document)
        if len(body) > _LARGEST:
            raise TooLargeError(f"a document of {len(body)} bytes; {_LARGEST} is the limit")
        row = self._key(container, document["pk"], document["id"])
        ttl = document.get("ttl")
        expires_at = row["now"] + ttl if ttl and ttl > 0 else None
        version = document.get("version", 0)
        return row | {"etag": secrets.token_hex(8), "version": version, "expires_at": expires_at, "body": body}

    async def _run(self, operation: str, text: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        self._calls.count("documents", operation)
        return await self._in_turn(lambda database: database.execute(text, values).fetchall())

    async def _write(self, text: str, values: dict[str, Any]) -> bool:
        self._calls.count("documents", "delete" if text is _DELETE else "write")
        return await self._in_turn(lambda database: self._write_and_purge(database, text, values))

    def _write_and_purge(self, database: sqlite3.Connection, text: str, values: dict[str, Any]) -> bool:
        written = database.execute(text, values).rowcount > 0
        self._writes += 1
        if self._writes % _PURGE_EVERY == 0:
            database.execute(_PURGE, {"now": values["now"]})
        return written

    async def _in_turn(self, work: Callable[[sqlite3.Connection], T]) -> T:
        deadline = time.monotonic() + _BUSY_SECONDS
        return await self._on_thread(lambda: work(self._connected(deadline)))

    async def _on_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (sqlite3.Error, OSError) as error:
            self._calls.failed("documents", type(error).__name__)
            raise StorageError(f"SQLite: {_cause(error)}") from error

    def _connected(self, deadline: float) -> sqlite3.Connection:
        """The open file, which waits for other processes until the deadline and no longer."""
        if self._database is None:
            self._database = self._connect(deadline)
        patience = _milliseconds_until(deadline)
        if patience != self._patience:
            self._database.execute(f"PRAGMA busy_timeout = {patience}")
            self._patience = patience
        return self._database

    def _connect(self, deadline: float) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=_milliseconds_until(deadline) / 1000, isolation_level=None)
        try:
            _use_wal(database, deadline)
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _disconnect(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None


def _use_wal(database: sqlite3.Connection, deadline: float) -> None:
    """Switch to the write-ahead log; with several processes at a new file, SQLite's own waiting does not cover this."""
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _milliseconds_until(deadline: float) -> int:
    """In whole seconds, so that it seldom changes; rounded up.

    Raises:
        TimeoutError: the deadline has passed.
    """
    left = math.ceil(deadline - time.monotonic())
    if left <= 0:
        raise TimeoutError(errno.ETIMEDOUT, f"no turn behind this process's other calls for {_BUSY_SECONDS:g} s")
    return 1000 * left


def _cause(error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return str(error.strerror)
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return f"{error} ({name}): another process kept the file for {_BUSY_SECONDS:g} s"
    return f"{error} ({name})" if name else str(error)


def _sql(container: str, query: Query) -> tuple[str, dict[str, Any]]:
    order = _column(query.order_by)
    conditions = ["container = :container", _ALIVE]
    values: dict[str, Any] = {"container": container, "limit": query.limit + 1}
    for n, where in enumerate(query.where):
        conditions.append(f"{_column(where.name)} {where.op} :p{n} AND {_has_type_of(where.name, where.value)}")
        values[f"p{n}"] = where.value
    if query.order_by not in _COLUMNS:
        conditions.append(f"{order} IS NOT NULL AND {_has_type_of(query.order_by, '')}")
    if query.partition is not None:
        conditions.append("pk = :pk")
        values["pk"] = query.partition
    if query.after is not None:
        conditions.append(f"{order} {'<' if query.descending else '>'} :after")
        values["after"] = query.after
    direction = "DESC" if query.descending else "ASC"
    text = f"SELECT body FROM documents WHERE {' AND '.join(conditions)} ORDER BY {order} {direction} LIMIT :limit"
    return text, values


_COLUMNS = ("id", "pk")
_TYPES: dict[type, str] = {bool: "'true', 'false'", str: "'text'", float: "'integer', 'real'"}


def _column(name: str) -> str:
    return name if name in _COLUMNS else f"json_extract(body, '$.{checked_name(name)}')"


def _has_type_of(name: str, value: str | float | bool) -> str:
    """SQLite orders values of different types, and takes true for 1; in Cosmos DB they do not compare."""
    types = _TYPES[bool if isinstance(value, bool) else str if isinstance(value, str) else float]
    return f"json_type(body, '$.{checked_name(name)}') IN ({types})"
