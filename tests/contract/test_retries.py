"""Which calls to Azure Storage are made again: seen from a server that fails on demand."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from shared.adapters import opening
from shared.ports import BlobStore, PreconditionError, StorageError
from shared.settings import load
from support.azurite import connection_string
from support.node import free_ports

ETAG = '"0x1"'


class FailingServer:
    """Answers with the statuses that it was given, one after the other, and then as a blob service would."""

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.statuses: list[int] = []
        self.calls = 0

    async def handle(self, request: web.Request) -> web.Response:
        self.calls += 1
        status = self.statuses.pop(0) if self.statuses else 201 if request.method == "PUT" else 200
        headers = {"ETag": ETAG, "Last-Modified": "Mon, 05 Jan 2026 12:00:00 GMT", "x-ms-blob-type": "BlockBlob"}
        return web.Response(status=status, body=b"{}" if status == 200 else b"", headers=headers)


@pytest.fixture
async def server() -> AsyncIterator[FailingServer]:
    (port,) = free_ports(1)
    server = FailingServer(connection_string(port, port))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield server
    await runner.cleanup()


@pytest.fixture
async def blobs(server: FailingServer) -> AsyncIterator[BlobStore]:
    opened = opening.open_blobs(load({"AzureWebJobsStorage": server.connection}), "c")
    yield opened
    await opened.close()


@pytest.mark.parametrize("status", [500, 503, 408])
async def test_a_read_is_tried_again(server: FailingServer, blobs: BlobStore, status: int) -> None:
    server.statuses = [status, status]
    blob = await blobs.read("x")
    assert blob is not None
    assert (blob.data, server.calls) == (b"{}", 3)


async def test_a_read_gives_up_soon(server: FailingServer, blobs: BlobStore) -> None:
    server.statuses = [500] * 9
    start = time.monotonic()
    with pytest.raises(StorageError, match="reading a blob: 500"):
        await blobs.read("x")
    assert server.calls == 4
    assert time.monotonic() - start < 30


async def test_a_conditional_write_that_may_have_taken_effect_is_not_tried_again(
    server: FailingServer, blobs: BlobStore
) -> None:
    for status in (500, 408):
        server.statuses, server.calls = [status], 0
        with pytest.raises(StorageError) as raised:
            await blobs.replace("x", b"", ETAG)
        assert not isinstance(raised.value, PreconditionError)
        assert server.calls == 1
    server.statuses, server.calls = [500], 0
    with pytest.raises(StorageError, match="creating a blob: 500"):
        await blobs.create("x", b"")
    assert server.calls == 1


async def test_a_conditional_write_to_a_busy_server_is_tried_again(server: FailingServer, blobs: BlobStore) -> None:
    server.statuses = [503, 503]
    assert await blobs.replace("x", b"", ETAG) == ETAG
    assert server.calls == 3


async def test_no_right_is_a_storage_error(server: FailingServer, blobs: BlobStore) -> None:
    server.statuses = [403]
    with pytest.raises(StorageError, match="403"):
        await blobs.replace("x", b"", ETAG)
    assert server.calls == 1
