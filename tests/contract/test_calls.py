"""Storage transactions are counted where they leave: by service and operation, retries and failures included."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from shared.adapters import opening
from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from shared.calls import Calls
from shared.ports import DocumentStore, PreconditionError, Query, StorageError
from shared.settings import load
from support.azurite import AzuriteProcess, connection_string
from support.cosmos import KEY, CosmosProcess
from support.node import free_ports


async def test_blobs_and_queues(azurite: AzuriteProcess, unique: str) -> None:
    calls, settings = Calls(), load({"AzureWebJobsStorage": azurite.connection_string})
    blobs, queues = opening.open_blobs(settings, unique, calls), opening.open_queues(settings, calls)
    etag = await blobs.create("a", b"1")
    await blobs.replace("a", b"2", etag)
    with pytest.raises(PreconditionError):
        await blobs.replace("a", b"3", etag)
    await blobs.read("a")
    await blobs.read("b")
    assert len([each async for each in blobs.list("")]) == 1
    await blobs.find("due", "2026")
    await blobs.delete("a")
    await queues.send(unique, "x")
    await queues.peek(unique)
    await queues.depth(unique)
    (message,) = await queues.receive(unique)
    await queues.delete(unique, message)
    assert calls.counts == {
        "blobs.write": 5,  # one of them to a container that was missing, one to make it
        "blobs.read": 2, "blobs.list": 1, "blobs.find": 1, "blobs.delete": 1,
        "queues.send": 2, "queues.other": 1, "queues.peek": 1, "queues.depth": 1, "queues.receive": 1, "queues.delete": 1,
    }  # fmt: skip
    assert not calls.troubles
    await asyncio.gather(blobs.close(), queues.close())


async def test_what_cannot_be_reached_is_trouble_and_every_try_counts() -> None:
    calls = Calls()
    blob_port, queue_port = free_ports(2)
    settings = load({"AzureWebJobsStorage": connection_string(blob_port, queue_port)})
    blobs = opening.open_blobs(settings, "x", calls)
    with pytest.raises(StorageError):
        await blobs.read("a")
    assert calls.counts == {"blobs.read": 4}
    assert calls.troubles["blobs"].type == "ServiceRequestError"
    await blobs.close()


async def test_documents_in_sqlite(tmp_path: Path) -> None:
    calls = Calls()
    documents = SqliteDocuments(tmp_path / "documents.db", SystemClock(), calls)
    await _use(documents)
    assert calls.counts == {"documents.write": 3, "documents.read": 1, "documents.query": 1, "documents.delete": 1}
    await documents.close()


async def test_a_file_that_cannot_be_is_trouble(tmp_path: Path) -> None:
    calls = Calls()
    (tmp_path / "file").touch()
    documents = SqliteDocuments(tmp_path / "file" / "x.db", SystemClock(), calls)
    with pytest.raises(StorageError):
        await documents.read("jobs", "a", "a")
    assert calls.troubles["documents"].type in ("FileExistsError", "NotADirectoryError")
    await documents.close()


async def test_documents_in_cosmos(cosmos: CosmosProcess, unique: str) -> None:
    calls = Calls()
    settings = load({"COSMOS_ENDPOINT": cosmos.endpoint, "COSMOS_KEY": KEY, "COSMOS_DATABASE": unique})
    documents = opening.open_documents(settings, calls)
    await _use(documents)
    counts = dict(calls.counts)
    assert counts.pop("documents.other") > 0  # what the SDK asks about the account and the container
    assert counts == {"documents.write": 3, "documents.read": 1, "documents.query": 1, "documents.delete": 1}
    await documents.close()


async def _use(documents: DocumentStore) -> None:
    """Three writes, a read, a query, a deletion."""
    document = {"id": "a", "pk": "a", "version": 1}
    etag = await documents.create("jobs", document)
    await documents.replace("jobs", {**document, "version": 2}, etag)
    assert await documents.put_newer("jobs", {**document, "version": 3})
    await documents.read("jobs", "a", "a")
    await documents.query("jobs", Query())
    await documents.delete("jobs", "a", "a")
