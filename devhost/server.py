"""An HTTP/1.1 server with the manners of the host's own, Kestrel: what it refuses, what it frames how, what it waits for.

General servers differ from it where it matters to an app: their limits, their own error pages, the bodies of chunked requests.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus

MAX_BODY = 100 * 1024 * 1024
_LONGEST_LINE = 8192
_LONGEST_HEAD = 32768
_MOST_HEADERS = 100
_DRAIN_SECONDS = 5.0
_END = b"\r\n\r\n"

_REQUEST_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([\x21-\x7e]+) HTTP/1\.([01])")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?)?)[ \t]*")
_ABSOLUTE = re.compile(r"https?://[^/?]*", re.IGNORECASE)

Headers = Sequence[tuple[str, str]]


class BodyTooLargeError(Exception):
    """A request's body has more than 100 MiB."""


class _RefusedError(Exception):
    """The request is answered with this status and nothing else, and its connection closed."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: Headers = ()
    body: bytes = b""


@dataclass(slots=True)
class Request:
    """A request's head, and its body on demand."""

    method: str
    path: str
    """As it came, percent-encoded."""
    query: str
    """As it came, without its question mark."""
    headers: Headers
    """As they came, in their order; names in lower case."""
    keeps_alive: bool
    old: bool
    """Whether it is HTTP/1.0, which knows no chunks."""
    body: _Body

    def header(self, name: str) -> str | None:
        """Return the first header of a name in lower case."""
        return next((value for given, value in self.headers if given == name), None)

    async def read(self) -> bytes:
        """Return the body: empty where it came in chunks, as the host hands it on.

        Raises:
            BodyTooLargeError: if it is over the limit.
        """
        return await self.body.read()


@dataclass(slots=True)
class _Body:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    length: int
    chunked: bool
    expected: bool
    """Whether the client waits for ``100 Continue`` before it sends the body."""

    async def read(self) -> bytes:
        if self.length > MAX_BODY:
            raise BodyTooLargeError
        if self.expected and (self.length or self.chunked):
            self.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.expected = False
        length, self.length = self.length, 0
        return await self.reader.readexactly(length)

    async def drain(self) -> bool:
        """Read past what was not asked for; False where the connection is better closed."""
        if not (self.length or self.chunked):
            return True
        if self.expected or self.length > MAX_BODY:
            return False
        with suppress(TimeoutError, ValueError):
            async with asyncio.timeout(_DRAIN_SECONDS):
                await self._skip()
                return True
        return False

    async def _skip(self) -> None:
        while self.length:
            self.length -= len(await self.reader.readexactly(min(self.length, 65536)))
        while self.chunked:
            size = int((await self.reader.readline()).split(b";")[0], 16)
            await self.reader.readexactly(size + 2)
            self.chunked = bool(size)


Handler = Callable[[Request], Awaitable[Answer]]


@dataclass(eq=False, slots=True)
class _Connection:
    writer: asyncio.StreamWriter
    busy: bool = False


@dataclass
class Server:
    """Serves one port.

    Args:
        handler: Answers a request; an exception of it is a 500.
    """

    handler: Handler
    _connections: set[_Connection] = field(default_factory=set, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)
    _server: asyncio.Server | None = field(default=None, init=False)
    _closing: bool = field(default=False, init=False)

    async def start(self, address: str, port: int) -> int:
        """Listen, and return the port (a free one for 0); OSError where it is taken."""
        self._server = await asyncio.start_server(self._connected, address, port, limit=2 * _LONGEST_HEAD)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self, grace: float | None) -> None:
        """Stop listening, wait for the requests under way, for so many seconds at most, and cut off what is left."""
        if self._server is None:
            return
        self._closing = True
        self._server.close()
        for connection in self._connections:
            if not connection.busy:
                connection.writer.close()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, _Connection(writer)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, connection: _Connection) -> None:
        self._connections.add(connection)
        try:
            while await self._exchange(reader, connection):
                connection.busy = False
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            self._connections.discard(connection)
            connection.writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, connection: _Connection) -> bool:
        """Answer one request; False where the connection ends with it."""
        writer = connection.writer
        try:
            request = _request(await _head(reader), reader, writer)
        except _RefusedError as refused:
            writer.write(_encoded(Answer(refused.status), "", old=False, closes=True))
            await writer.drain()
            return False
        connection.busy = True
        answer = await self._answer(request)
        closes = self._closing or not request.keeps_alive
        writer.write(_encoded(answer, request.method, old=request.old, closes=closes))
        await writer.drain()
        return await request.body.drain() and not closes

    async def _answer(self, request: Request) -> Answer:
        try:
            return await self.handler(request)
        except BodyTooLargeError:
            request.keeps_alive = False
            return Answer(500)


async def _head(reader: asyncio.StreamReader) -> str:
    """Read a request's line and headers; IncompleteReadError where the client is done."""
    try:
        head = await reader.readuntil(_END)
    except asyncio.LimitOverrunError:
        start = await reader.read(_LONGEST_LINE)
        raise _RefusedError(431 if b"\r\n" in start else 414) from None
    line = head.index(b"\r\n")
    if line > _LONGEST_LINE:
        raise _RefusedError(414)
    if len(head) - line > _LONGEST_HEAD:
        raise _RefusedError(431)
    return head[: -len(_END)].decode("latin-1")


def _request(head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request:
    first, *lines = head.split("\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    headers = _headers(lines)
    hosts = [value for name, value in headers if name == "host"]
    if line is None or len(hosts) > 1 or (not hosts and line[3] == "1"):
        raise _RefusedError(400)
    path, _, query = _ABSOLUTE.sub("", line[2], count=1).partition("?")
    connection = ",".join(value.lower() for name, value in headers if name == "connection")
    return Request(
        method=line[1],
        path=path or "/",
        query=query,
        headers=headers,
        keeps_alive="close" not in connection and (line[3] == "1" or "keep-alive" in connection),
        old=line[3] == "0",
        body=_body(headers, reader, writer),
    )


def _headers(lines: Sequence[str]) -> Headers:
    if len(lines) > _MOST_HEADERS:
        raise _RefusedError(431)
    found = [_HEADER.fullmatch(line) for line in lines]
    if not all(found):
        raise _RefusedError(400)
    return [(each[1].lower(), each[2]) for each in found if each]


def _body(headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> _Body:
    given = dict(headers)
    length, coding = given.get("content-length", "0"), given.get("transfer-encoding")
    if not re.fullmatch(r"[0-9]{1,18}", length) or coding not in (None, "chunked"):
        raise _RefusedError(400)
    expected = given.get("expect", "").lower() == "100-continue"
    return _Body(reader, writer, 0 if coding else int(length), coding is not None, expected)


def _encoded(answer: Answer, method: str, *, old: bool, closes: bool) -> bytes:
    """Make the bytes of an answer: in chunks where its length was not given, without a body where there can be none."""
    names = {name.lower() for name, _ in answer.headers}
    headers = [*answer.headers, ("Date", formatdate(usegmt=True))]
    if "server" not in names:
        headers.append(("Server", "devhost"))
    if closes:
        headers.append(("Connection", "close"))
    body = answer.body
    if method == "HEAD" or answer.status in (204, 304):
        body = b""
    elif "content-length" not in names:
        if not body:
            headers.append(("Content-Length", "0"))
        elif not old:
            headers.append(("Transfer-Encoding", "chunked"))
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join(lines).encode("latin-1") + _END + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
