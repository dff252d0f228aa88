"""What every `BlobStore` does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shared.adapters import opening
from shared.ports import AlreadyExistsError, BlobPage, BlobStore, PreconditionError, StorageError
from shared.settings import load
from support.azurite import connection_string
from support.node import free_ports
from support.wire import Wire


async def names(blobs: BlobStore, prefix: str) -> list[str]:
    return [blob.name async for blob in blobs.list(prefix)]


async def test_what_was_created_is_read(blobs: BlobStore) -> None:
    etag = await blobs.create("jobs/1/status.json", b"\x00\xffdata")
    blob = await blobs.read("jobs/1/status.json")
    assert blob is not None
    assert (blob.data, blob.etag) == (b"\x00\xffdata", etag)
    assert datetime.now(UTC) - blob.last_modified < timedelta(minutes=1)


async def test_an_empty_blob_is_read(blobs: BlobStore) -> None:
    await blobs.create("empty", b"")
    blob = await blobs.read("empty")
    assert blob is not None
    assert blob.data == b""


async def test_a_megabyte_is_one_call_each_way(azure_blobs: BlobStore, wire: Wire) -> None:
    await azure_blobs.create("first", b"makes the container")
    data = bytes(range(256)) * 4096
    wire.requests.clear()
    await azure_blobs.create("big", data)
    blob = await azure_blobs.read("big")
    assert blob is not None
    assert blob.data == data
    assert wire.calls == ["PUT", "GET"]


async def test_nothing_is_where_nothing_was_written(blobs: BlobStore) -> None:
    missing_container = (await blobs.read("x"), await blobs.delete("x"), await names(blobs, ""))
    await blobs.create("y", b"y")
    missing_blob = (await blobs.read("x"), await blobs.delete("x"), await names(blobs, "x"))
    assert missing_container == missing_blob == (None, False, [])


async def test_a_name_is_created_once(blobs: BlobStore) -> None:
    await blobs.create("x", b"first")
    with pytest.raises(AlreadyExistsError):
        await blobs.create("x", b"second")
    blob = await blobs.read("x")
    assert blob is not None
    assert blob.data == b"first"


async def test_of_fifty_concurrent_creates_one_wins(blobs: BlobStore) -> None:
    results = await asyncio.gather(*(blobs.create("x", b"%d" % n) for n in range(50)), return_exceptions=True)
    winners = [n for n, result in enumerate(results) if isinstance(result, str)]
    assert len(winners) == 1
    assert sum(isinstance(result, AlreadyExistsError) for result in results) == 49
    blob = await blobs.read("x")
    assert blob is not None
    assert blob.data == b"%d" % winners[0]


async def test_of_twenty_concurrent_replaces_one_wins(blobs: BlobStore) -> None:
    etag = await blobs.create("x", b"")
    tries = (blobs.replace("x", b"%d" % n, etag) for n in range(20))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, str) for result in results) == 1
    assert sum(isinstance(result, PreconditionError) for result in results) == 19


async def test_a_stale_etag_replaces_nothing(blobs: BlobStore) -> None:
    first = await blobs.create("x", b"1")
    second = await blobs.replace("x", b"2", first)
    assert first != second
    with pytest.raises(PreconditionError):
        await blobs.replace("x", b"3", first)
    blob = await blobs.read("x")
    assert blob is not None
    assert (blob.data, blob.etag) == (b"2", second)


async def test_what_is_gone_cannot_be_replaced(blobs: BlobStore) -> None:
    with pytest.raises(PreconditionError):
        await blobs.replace("no container", b"", '"0x1"')
    etag = await blobs.create("x", b"")
    assert await blobs.delete("x")
    with pytest.raises(PreconditionError):
        await blobs.replace("x", b"", etag)


async def test_what_has_changed_is_not_deleted(blobs: BlobStore) -> None:
    first = await blobs.create("x", b"1")
    second = await blobs.replace("x", b"2", first)
    with pytest.raises(PreconditionError):
        await blobs.delete("x", first)
    assert await blobs.delete("x", second)
    with pytest.raises(PreconditionError):
        await blobs.delete("x", second)


async def test_a_listing_is_in_the_order_of_names_and_has_metadata(blobs: BlobStore) -> None:
    for name in ("a/2", "b/1", "a/1", "a/10"):
        await blobs.create(name, b"x", {"status": f"at-{name[-1]}"})
    rows = [row async for row in blobs.list("a/")]
    assert [row.name for row in rows] == ["a/1", "a/10", "a/2"]
    assert [row.metadata["status"] for row in rows] == ["at-1", "at-0", "at-2"]
    assert [row.size for row in rows] == [1, 1, 1]


async def test_replacing_sets_the_metadata_anew(blobs: BlobStore) -> None:
    etag = await blobs.create("x", b"", {"status": "queued", "kind": "k"})
    etag = await blobs.replace("x", b"", etag, {"status": "running"})
    assert [dict(row.metadata) async for row in blobs.list("x")] == [{"status": "running"}]
    await blobs.replace("x", b"", etag)
    assert [dict(row.metadata) async for row in blobs.list("x")] == [{}]


async def test_the_etag_of_a_listing_is_the_etag_of_the_blob(blobs: BlobStore) -> None:
    etag = await blobs.create("x", b"")
    (row,) = [row async for row in blobs.list("")]
    blob = await blobs.read("x")
    assert blob is not None
    assert (row.etag, row.last_modified) == (etag, blob.last_modified)
    await blobs.replace("x", b"2", row.etag)


async def test_a_listing_comes_in_pages_that_go_on_from_a_cursor(blobs: BlobStore) -> None:
    for n in range(5):
        await blobs.create(f"a/{n}", b"", {"n": str(n)})
    await blobs.create("b", b"")
    first = await blobs.list_page("a/", limit=2)
    await blobs.create("a/0a", b"")
    await blobs.delete("a/3")
    second = await blobs.list_page("a/", first.cursor, limit=2)
    assert [(row.name, row.metadata["n"]) for row in first.items] == [("a/0", "0"), ("a/1", "1")]
    assert [row.name for row in second.items] == ["a/2", "a/4"]
    if second.cursor is not None:
        assert await blobs.list_page("a/", second.cursor, limit=2) == BlobPage()
    assert await blobs.list_page("none/") == BlobPage()


@pytest.mark.slow
async def test_a_listing_goes_on_over_pages_of_5000(azure_blobs: BlobStore, wire: Wire) -> None:
    limit = asyncio.Semaphore(50)

    async def create(n: int) -> None:
        async with limit:
            await azure_blobs.create(f"x/{n:05}", b"")

    await create(0)
    await asyncio.gather(*(create(n) for n in range(1, 5010)))
    wire.requests.clear()
    assert await names(azure_blobs, "x/") == [f"x/{n:05}" for n in range(5010)]
    assert wire.calls == ["GET", "GET"]


@pytest.mark.parametrize("name", ["ünï/çødé ✓", "a b+c%20d&e=f", "日本/語.json", "~tilde'quote"])
async def test_names_are_taken_as_they_are(blobs: BlobStore, name: str) -> None:
    etag = await blobs.create(name, name.encode())
    assert await names(blobs, name) == [name]
    await blobs.replace(name, b"2", etag)
    assert await blobs.delete(name)
    assert await blobs.read(name) is None


async def test_each_operation_is_one_storage_call(azure_blobs: BlobStore, wire: Wire) -> None:
    await azure_blobs.create("first", b"makes the container")
    wire.requests.clear()
    etag = await azure_blobs.create("x", b"1", {"status": "queued"})
    await azure_blobs.read("x")
    await azure_blobs.replace("x", b"2", etag, {"status": "running"})
    await azure_blobs.read("missing")
    await azure_blobs.delete("x")
    assert [row async for row in azure_blobs.list("x")] == []
    assert wire.calls == ["PUT", "GET", "PUT", "GET", "DELETE", "GET"]


async def test_a_missing_container_is_made_once_by_who_needs_it(azure_blobs: BlobStore, wire: Wire) -> None:
    await azure_blobs.create("x", b"")
    assert wire.calls == ["PUT", "PUT", "PUT"]


async def test_a_lost_answer_is_an_error_and_not_a_broken_condition(azure_blobs: BlobStore, wire: Wire) -> None:
    etag = await azure_blobs.create("x", b"1")
    wire.answers_to_lose = 1
    with pytest.raises(StorageError) as raised:
        await azure_blobs.replace("x", b"2", etag)
    assert type(raised.value) is StorageError
    blob = await azure_blobs.read("x")
    assert blob is not None
    assert blob.data == b"2"


async def test_a_lost_answer_to_a_read_is_asked_for_again(azure_blobs: BlobStore, wire: Wire) -> None:
    await azure_blobs.create("x", b"1")
    wire.answers_to_lose = 1
    blob = await azure_blobs.read("x")
    assert blob is not None
    assert blob.data == b"1"


async def test_no_server_is_a_storage_error() -> None:
    blob_port, queue_port = free_ports(2)
    blobs = opening.open_blobs(load({"AzureWebJobsStorage": connection_string(blob_port, queue_port)}), "x")
    etag = '"0x1"'
    outcomes = await asyncio.gather(
        blobs.read("x"), blobs.create("x", b""), blobs.replace("x", b"", etag), blobs.delete("x"), names(blobs, ""),
        return_exceptions=True,
    )  # fmt: skip
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 5
    await blobs.close()


async def test_cancelling_passes_through(azure_blobs: BlobStore) -> None:
    task = asyncio.create_task(azure_blobs.create("x", b""))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_address_takes_one_blob_until_its_moment_and_nothing_else(azure_blobs: BlobStore) -> None:
    address = await azure_blobs.upload_address("uploads/a b.pdf", datetime.now(UTC) + timedelta(minutes=5))
    headers = {"x-ms-blob-type": "BlockBlob"}
    async with httpx.AsyncClient() as client:
        answer = await client.put(address, content=b"the file", headers=headers)
        assert answer.status_code == 201, answer.text
        assert (await client.get(address)).status_code == 403
        elsewhere = address.replace("a%20b.pdf", "other.pdf")
        assert (await client.put(elsewhere, content=b"x", headers=headers)).status_code == 403
        late = await azure_blobs.upload_address("uploads/late", datetime.now(UTC) - timedelta(minutes=1))
        assert (await client.put(late, content=b"x", headers=headers)).status_code == 403
    blob = await azure_blobs.read("uploads/a b.pdf")
    assert blob is not None
    assert blob.data == b"the file"
