"""devhost's HTTP server by the bytes: what it refuses, how it frames, what it keeps open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from devhost.server import Answer, Request, Server

HOST = "Host: x\r\n"


async def _echo(request: Request) -> Answer:
    body = await request.read()
    if request.path == "/empty":
        return Answer(200)
    if request.path == "/none":
        return Answer(204, (), b"not sent")
    return Answer(200, (("X-Query", request.query),), f"{request.method} {request.path} {len(body)}".encode())


@pytest.fixture
async def port() -> AsyncIterator[int]:
    server = Server(_echo)
    yield await server.start("127.0.0.1", 0)
    await server.close(None)


async def _ask(port: int, text: str) -> str:
    """Send bytes and read what comes until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(20):
            writer.write(text.encode("latin-1"))
            return (await reader.read()).decode()
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (f"GET / HTTP/1.1\r\n{HOST}X: \xfc\r\n\r\n", 400),
        (f"GET /\xfc HTTP/1.1\r\n{HOST}\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        (f"GET / HTTP/1.1\r\n{HOST}{HOST}\r\n", 400),
        (f"GET / HTTP/1.1\r\n{HOST} folded\r\n\r\n", 400),
        (f"GET / HTTP/2.0\r\n{HOST}\r\n", 400),
        (f"POST / HTTP/1.1\r\n{HOST}Content-Length: -1\r\n\r\n", 400),
        (f"POST / HTTP/1.1\r\n{HOST}Transfer-Encoding: gzip\r\n\r\n", 400),
        (f"GET /{'a' * 9000} HTTP/1.1\r\n{HOST}\r\n", 414),
        (f"GET /{'a' * 90000} HTTP/1.1\r\n{HOST}\r\n", 414),
        (f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 33000}\r\n\r\n", 431),
        (f"GET / HTTP/1.1\r\n{HOST}X: {'a' * 99000}\r\n\r\n", 431),
        (f"GET / HTTP/1.1\r\n{HOST}X: a\r\n" + "Y: b\r\n" * 100 + "\r\n", 431),
    ],
)
async def test_what_is_refused_has_no_body_and_ends_the_connection(port: int, text: str, status: int) -> None:
    head, _, body = (await _ask(port, text)).partition("\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ")
    assert {"Content-Length: 0", "Connection: close"} <= set(head.split("\r\n"))
    assert body == ""


async def test_several_requests_go_over_one_connection(port: int) -> None:
    chunked = f"POST /b HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    last = f"GET http://x/c?d=e HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n"
    answer = await _ask(port, f"POST /a HTTP/1.1\r\n{HOST}Content-Length: 2\r\n\r\nhi{chunked}{last}")
    assert answer.count("HTTP/1.1 200 OK") == 3
    assert [text in answer for text in ("POST /a 2", "POST /b 0", "GET /c 0", "X-Query: d=e")] == [True] * 4
    assert answer.count("Connection: close") == 1


@pytest.mark.parametrize(
    ("line", "expected", "body"),
    [
        ("GET /empty HTTP/1.1", "Content-Length: 0", ""),
        ("GET /none HTTP/1.1", "204 No Content", ""),
        ("HEAD / HTTP/1.1", "200 OK", ""),
        ("GET / HTTP/1.1", "Transfer-Encoding: chunked", "7\r\nGET / 0\r\n0\r\n\r\n"),
        ("GET / HTTP/1.0", "200 OK", "GET / 0"),
    ],
)
async def test_how_an_answer_is_framed(port: int, line: str, expected: str, body: str) -> None:
    head, _, rest = (await _ask(port, f"{line}\r\n{HOST}Connection: close\r\n\r\n")).partition("\r\n\r\n")
    assert expected in head
    assert rest == body


async def test_a_client_that_expects_is_told_to_go_on(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST / HTTP/1.1\r\n{HOST}Expect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(b"hi")
    assert b"POST / 2" in await reader.read()
    writer.close()


async def test_closing_ends_idle_connections_and_waits_for_busy_ones() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Answer:
        begun.set()
        await go_on.wait()
        return Answer(200, (), b"done")

    server = Server(wait)
    port = await server.start("127.0.0.1", 0)
    idle, idle_writer = await asyncio.open_connection("127.0.0.1", port)
    busy, busy_writer = await asyncio.open_connection("127.0.0.1", port)
    busy_writer.write(f"GET / HTTP/1.1\r\n{HOST}\r\n".encode())
    await begun.wait()
    closing = asyncio.create_task(server.close(None))
    assert await idle.read() == b""
    assert not closing.done()
    go_on.set()
    assert b"done" in await busy.read()
    await closing
    for writer in (idle_writer, busy_writer):
        writer.close()
