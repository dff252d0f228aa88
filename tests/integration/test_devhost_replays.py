"""devhost gives the answers that were recorded from the real host, on the same app: `data/host` of the hand-over folder."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueServiceClient

from support import shared_folder
from support.azurite import AzuriteProcess
from support.devhost_process import devhost_process
from support.queue_bench import eventually

FOLDER = shared_folder.data("host")
EXCHANGES = json.loads((FOLDER / "http.json").read_text())
QUEUES = json.loads((FOLDER / "queues.json").read_text())
MESSAGES = [case for case in QUEUES if "message" in case]
LEFT = [case for case in QUEUES if "left" in case]

DIFFERENT = {"path: root": "a page of the platform's, 150 kB of it"}
"""The requests that devhost answers otherwise, each with the reason."""
_OWN_HEADERS = {"date", "server"}


@pytest.fixture(scope="module")
def storage() -> Any:
    """Azurite of its own: the app's queues have fixed names."""
    process = AzuriteProcess()
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app writes a line for each message that it is handed."""
    return tmp_path_factory.mktemp("replays") / "seen"


@pytest.fixture(scope="module")
async def url(storage: AzuriteProcess, seen: Path) -> AsyncIterator[str]:
    settings = {"AzureWebJobsStorage": storage.connection_string, "PROBE_SEEN": str(seen)}
    async with devhost_process(FOLDER, "--any-origin", "--key", "a key that nobody gives", **settings) as devhost:
        yield await devhost.url()


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange["request"]["name"])
async def test_a_request_gets_the_recorded_answer(url: str, exchange: Any) -> None:
    request, expected = exchange["request"], exchange["answer"]
    port = url.rsplit(":", 1)[1]
    answer = await _ask(int(port), request)
    equal = _comparable(answer, port) == _comparable(expected, "PORT")
    if request["name"] in DIFFERENT:
        assert not equal, f"{request['name']} is no exception any more"
    else:
        assert _comparable(answer, port) == _comparable(expected, "PORT")


def test_every_exception_is_a_recorded_request() -> None:
    assert len(EXCHANGES) == 166
    assert set(DIFFERENT) <= {exchange["request"]["name"] for exchange in EXCHANGES}


async def _ask(port: int, request: Any) -> dict[str, Any]:
    """Send the recorded bytes, and read to the end."""
    lines = [request["line"], *(f"{name}: {value}" for name, value in request["headers"])]
    head = "\r\n".join(lines).replace("PORT", str(port)).encode("latin-1") + b"\r\n\r\n"
    body, how = _bytes(request.get("body", "")), request.get("how")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    told: dict[str, Any] = {}
    try:
        async with asyncio.timeout(30):
            writer.write(head if how == "continue" else head + (_chunk(body) if how == "chunked" else body))
            if how == "continue":
                told["continue"] = await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                writer.write(body)
            return {**_parsed(await reader.read()), **told}
    finally:
        writer.close()


def _bytes(body: Any) -> bytes:
    return body["repeat"].encode() * body["bytes"] if isinstance(body, dict) else base64.b64decode(body)


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def _parsed(answer: bytes) -> dict[str, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = [tuple(line.split(": ", 1)) for line in lines]
    if ("Transfer-Encoding", "chunked") in headers:
        body = _joined(body)
    return {"status": int(first.split()[1]), "headers": headers, "body": body}


def _joined(chunks: bytes) -> bytes:
    body = b""
    while size := int(chunks.partition(b"\r\n")[0], 16):
        chunks = chunks.partition(b"\r\n")[2]
        body, chunks = body + chunks[:size], chunks[size + 2 :]
    return body


def _comparable(answer: Any, port: str) -> dict[str, Any]:
    """The answer without what is each server's own; a JSON body as JSON, a long one by its hash, as recorded."""
    headers = sorted((name.lower(), value) for name, value in answer["headers"] if name.lower() not in _OWN_HEADERS)
    return {**answer, "headers": headers, "body": _body(answer["body"], port)}


def _body(body: Any, port: str) -> Any:
    if isinstance(body, dict):
        return body
    if isinstance(body, bytes):
        if len(body) > 3000:
            return {"bytes": len(body), "sha256": hashlib.sha256(body).hexdigest()}
        body = body.decode(errors="backslashreplace")
    try:
        return json.loads(body.replace(port, "PORT"))
    except ValueError:
        return body


async def test_each_message_is_handed_over_as_recorded(storage: AzuriteProcess, url: str, seen: Path) -> None:
    """All 25 messages, one after the other, then what is left on the two poison queues that nobody reads."""
    assert len(MESSAGES) == 25
    async with QueueServiceClient.from_connection_string(storage.connection_string) as service:
        for name in sorted({case["queue"] for case in MESSAGES}):
            await service.create_queue(name)
        for case in MESSAGES:
            assert await _seen_of(service, case, seen) == case["seen"], case["message"]
        left = {case["queue"]: await _left(service, case["queue"]) for case in LEFT}
    assert left == {case["queue"]: case["left"] for case in LEFT}


async def _seen_of(service: QueueServiceClient, case: Any, seen: Path) -> list[Any]:
    """Send a recorded message; return what the app was handed, once all of it must have come."""
    before = _lines(seen)
    poisoned = await _left(service, f"{case['queue']}-poison")
    text = case["message"]
    await service.get_queue_client(case["queue"]).send_message(
        text["repeat"] * text["bytes"] if isinstance(text, dict) else text
    )
    if case["seen"]:
        await eventually(lambda: len(_lines(seen)) >= len(before) + len(case["seen"]), 30)
    else:
        await eventually(lambda: _differs(service, f"{case['queue']}-poison", poisoned), 30)
    await eventually(lambda: _is_gone(service, case["queue"]))
    return _lines(seen)[len(before) :]


def _lines(seen: Path) -> list[Any]:
    lines = [json.loads(line) for line in seen.read_text().splitlines()] if seen.exists() else []
    return [line for line in lines if line["function"] != "TimerAtStart"]


async def _differs(service: QueueServiceClient, queue: str, before: Any) -> bool:
    return bool(await _left(service, queue) != before)


async def _is_gone(service: QueueServiceClient, queue: str) -> bool:
    return not (await service.get_queue_client(queue).get_queue_properties()).approximate_message_count


async def _left(service: QueueServiceClient, queue: str) -> Any:
    try:
        return [message.content for message in await service.get_queue_client(queue).peek_messages(32)]
    except ResourceNotFoundError as error:
        return type(error).__name__
