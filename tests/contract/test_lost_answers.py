"""A connection that breaks after a write took effect: nobody is told that somebody else was first."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from shared.adapters import opening
from shared.ports import BlobStore, DocumentStore, StorageError
from shared.settings import load
from support.azurite import AzuriteProcess, connection_string
from support.cosmos import KEY, CosmosProcess
from support.node import free_ports

_BETWEEN_TWO = ("connection", "content-length", "keep-alive", "transfer-encoding")
"""Headers about the connection, not about the message."""


class Proxy:
    """Passes requests on; closes the connection in place of the answer to the next request of the method `drop`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.drop = ""
        self.seen: list[str] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.seen.append(request.method)
        url = URL(f"http://127.0.0.1:{self.target}{request.raw_path}", encoded=True)
        body = await request.read()
        async with (
            aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=("Content-Type",)) as session,
            session.request(request.method, url, headers=_passed(request.headers), data=body or None) as answer,
        ):
            content = await answer.read()
        if request.method == self.drop:
            self.drop = ""
            assert request.transport is not None
            request.transport.close()
        return web.Response(status=answer.status, headers=_passed(answer.headers), body=content)


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _BETWEEN_TWO}


@asynccontextmanager
async def proxy_before(target: int) -> AsyncIterator[tuple[Proxy, int]]:
    (port,) = free_ports(1)
    proxy = Proxy(target)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield proxy, port
    await runner.cleanup()


@pytest.fixture
async def blobs_and_proxy(azurite: AzuriteProcess, unique: str) -> AsyncIterator[tuple[BlobStore, Proxy]]:
    async with proxy_before(azurite.blob_port) as (proxy, port):
        blobs = opening.open_blobs(load({"AzureWebJobsStorage": connection_string(port, port)}), unique)
        await blobs.create("first", b"makes the container")
        proxy.seen.clear()
        yield blobs, proxy
        await blobs.close()


@pytest.fixture
async def documents_and_proxy(cosmos: CosmosProcess, unique: str) -> AsyncIterator[tuple[DocumentStore, Proxy]]:
    async with proxy_before(cosmos.ports[0]) as (proxy, port):
        settings = {"COSMOS_ENDPOINT": f"http://127.0.0.1:{port}/", "COSMOS_KEY": KEY, "COSMOS_DATABASE": unique}
        documents = opening.open_documents(load(settings))
        await documents.create("c", {"id": "first", "pk": "p"})
        proxy.seen.clear()
        yield documents, proxy
        await documents.close()


async def fails(call: Awaitable[object]) -> None:
    with pytest.raises(StorageError) as raised:
        await call
    assert type(raised.value) is StorageError, "it is not known whether the condition held"


async def test_conditional_writes_of_blobs(blobs_and_proxy: tuple[BlobStore, Proxy]) -> None:
    blobs, proxy = blobs_and_proxy
    proxy.drop = "PUT"
    await fails(blobs.create("x", b"1"))
    created = await blobs.read("x")
    assert created is not None
    proxy.drop = "PUT"
    await fails(blobs.replace("x", b"2", created.etag))
    replaced = await blobs.read("x")
    assert replaced is not None
    assert replaced.data == b"2"
    proxy.drop = "DELETE"
    await fails(blobs.delete("x", replaced.etag))
    assert await blobs.read("x") is None
    assert proxy.seen == ["PUT", "GET", "PUT", "GET", "DELETE", "GET"]


async def test_what_can_be_sent_again_is(blobs_and_proxy: tuple[BlobStore, Proxy]) -> None:
    blobs, proxy = blobs_and_proxy
    await blobs.create("x", b"1")
    proxy.drop = "GET"
    blob = await blobs.read("x")
    assert blob is not None
    assert blob.data == b"1"
    proxy.drop = "DELETE"
    await blobs.delete("x")
    assert proxy.seen == ["PUT", "GET", "GET", "DELETE", "DELETE"]


async def test_writes_of_documents(documents_and_proxy: tuple[DocumentStore, Proxy]) -> None:
    documents, proxy = documents_and_proxy
    proxy.drop = "POST"
    await fails(documents.create("c", {"id": "a", "pk": "p"}))
    found = await documents.read("c", "p", "a")
    assert found is not None
    proxy.drop = "PUT"
    await fails(documents.replace("c", {"id": "a", "pk": "p", "n": 2}, found[1]))
    proxy.drop = "PATCH"
    await fails(documents.put_newer("c", {"id": "a", "pk": "p", "n": 3, "version": 3}))
    found = await documents.read("c", "p", "a")
    assert found is not None
    assert found[0]["n"] == 3
    proxy.drop = "DELETE"
    await fails(documents.delete("c", "p", "a", found[1]))
    assert await documents.read("c", "p", "a") is None
    assert proxy.seen == ["POST", "GET", "PUT", "PATCH", "GET", "DELETE", "GET"]


async def test_a_question_about_documents_is_asked_again(documents_and_proxy: tuple[DocumentStore, Proxy]) -> None:
    documents, proxy = documents_and_proxy
    proxy.drop = "GET"
    assert await documents.read("c", "p", "first") is not None
    assert proxy.seen == ["GET", "GET"]
