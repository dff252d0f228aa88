"""GET and POST over aiohttp, with every limit that content from strangers needs."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from shared.fetch.addresses import check_url, is_allowed, is_public
from shared.fetch.errors import (
    AddressRefusedError,
    BodyTooLargeError,
    CertificateRefusedError,
    ContentTypeRefusedError,
    FetchRefusedError,
    FetchUnavailableError,
    StatusRefusedError,
    TooManyRedirectsError,
    UrlRefusedError,
)
from shared.fetch.headers import retry_after
from shared.fetch.messages import Fetched, Limits, NotModified, Redirect, Request, Validators, user_agent
from shared.fetch.names import Names
from shared.fetch.unpacking import unpacked
from shared.fetch.urls import address

USER_AGENT = user_agent()
MAX_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_TRANSIENT = frozenset({408, 425, 429})
_CHUNK = 64 * 1024

Turn = Callable[[str], AbstractAsyncContextManager[None]]
"""What is waited for before an address is asked, and held until it has answered."""


def _at_once(_: str) -> AbstractAsyncContextManager[None]:
    return nullcontext()


async def follow(
    request: Request,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
    turn: Turn = _at_once,
) -> Fetched | NotModified:
    """Send a request, and follow where it is redirected to, at most `MAX_REDIRECTS` times, each under the same rules.

    Time spent waiting for a turn does not count against the request's time limit.

    Raises:
        FetchRefusedError: in one of its kinds; trying again cannot help.
        FetchUnavailableError: a timeout, a broken connection, or a status that may pass (408, 425, 429, 5xx).
    """
    left = _Stopwatch(request.limits.timeout_seconds)
    moved_to, for_good = None, True
    for _ in range(MAX_REDIRECTS + 1):
        check_url(request.url, allowed)
        async with turn(request.url):
            answer = await _ask(request, left, allowed, resolver)
        if not isinstance(answer, Redirect):
            return replace(answer, moved_to=moved_to)
        for_good = for_good and answer.permanent
        moved_to = answer.url if for_good else moved_to
        request = request.redirected(answer.url)
    raise TooManyRedirectsError


class _Stopwatch:
    """Time that is left; it runs down only while it is entered."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        begun = time.monotonic()
        async with asyncio.timeout(self._left):
            yield
        self._left -= time.monotonic() - begun


async def _ask(
    request: Request, left: _Stopwatch, allowed: Collection[str], resolver: AbstractResolver | None
) -> Fetched | NotModified | Redirect:
    try:
        async with left.running():
            return await _hop(request, allowed, resolver)
    except TimeoutError:
        raise FetchUnavailableError("the server took too long") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise translated(error) from None


async def _hop(
    request: Request, allowed: Collection[str], resolver: AbstractResolver | None
) -> Fetched | NotModified | Redirect:
    """Ask one address; return what it serves, or where it points to.

    Every hop has a connector of its own, so that no connection made under one host's rules serves another's.
    """
    target = parsed(request.url)
    connector = connector_for(target, allowed, resolver)
    method, form = ("GET", None) if request.form is None else ("POST", dict(request.form))
    async with (
        aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, auto_decompress=False
        ) as session,
        session.request(method, target, headers=request.headers(), data=form, allow_redirects=False) as response,
    ):
        if response.status in _REDIRECTS:
            return _redirect(response, request)
        if response.status == 304 and request.conditions:
            return NotModified(str(response.url))
        _check_status(response)
        return await _body(response, request.limits)


def connector_for(target: URL, allowed: Collection[str], resolver: AbstractResolver | None) -> aiohttp.TCPConnector:
    """What opens the connections of one hop: to public addresses only, unless the operator listed the host."""
    listed = is_allowed((target.raw_host or "").lower(), target.port or 0, allowed)
    return aiohttp.TCPConnector(
        resolver=resolver or Names(),
        use_dns_cache=False,
        socket_factory=_open_socket if listed else _open_public_socket,
    )


def _open_socket(info: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol = info[:3]
    return socket.socket(family=family, type=kind, proto=protocol)


class _NotPublicError(OSError):
    """What the connector expects of a socket that cannot be had. One text for all, so that it passes it on as it is."""

    def __init__(self) -> None:
        super().__init__("not a public address")


def _open_public_socket(info: tuple[Any, ...]) -> socket.socket:
    """Called with the address that is connected to next, numeric and final: nothing can change it after this."""
    if not is_public(info[4][0]):
        raise _NotPublicError
    return _open_socket(info)


def _redirect(response: aiohttp.ClientResponse, request: Request) -> Redirect:
    location = response.headers.get("Location", "")
    if not location:
        raise StatusRefusedError("the server redirects to nowhere", response.status)
    if request.form is not None:
        raise StatusRefusedError("the server redirects a form", response.status)
    base, sent = str(response.url), _as_sent(location)
    written, url = _joined(base, sent), address(sent, base)
    if url is None or "@" in urlsplit(written).netloc:
        check_url(written)  # says what is wrong with it
        raise UrlRefusedError
    return Redirect(url, response.status in _PERMANENT)


def _as_sent(header: str) -> str:
    """A header as its sender meant it: some send UTF-8, which reaches us byte by byte."""
    try:
        return header.encode("utf-8", "surrogateescape").decode()
    except UnicodeDecodeError:
        return header


def _joined(base: str, location: str) -> str:
    try:
        return urlsplit(urljoin(base, location)).geturl()
    except ValueError:
        raise UrlRefusedError from None


def parsed(url: str) -> URL:
    """Read a URL as it will be asked for, or raise UrlRefusedError."""
    asked = address(url)
    if asked is None:
        raise UrlRefusedError
    return URL(asked, encoded=True)


def _check_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status in _TRANSIENT or status >= 500:
        raise FetchUnavailableError(f"the server answered {status}", retry_after(response.headers.get("Retry-After")))
    if status != 200:
        raise StatusRefusedError(f"the server answered {status}", status)


async def _body(response: aiohttp.ClientResponse, limits: Limits) -> Fetched:
    kind = response.content_type.lower()
    if not limits.takes(kind):
        raise ContentTypeRefusedError
    if (response.content_length or 0) > limits.max_bytes and not limits.truncate:
        raise BodyTooLargeError
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limits.max_bytes:
            if not limits.truncate:
                raise BodyTooLargeError
            del body[limits.max_bytes :]
            break
    packing = response.headers.get("Content-Encoding", "")
    whole = unpacked(bytes(body), packing, limits.max_bytes, truncate=limits.truncate)
    validators = Validators(response.headers.get("ETag"), response.headers.get("Last-Modified"), str(response.url))
    return Fetched(whole, kind, str(response.url), response.charset, validators)


def translated(error: aiohttp.ClientError | OSError | ValueError) -> FetchRefusedError | FetchUnavailableError:
    """What an error of the HTTP client, or of what is beneath it, means."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return CertificateRefusedError()
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _NotPublicError):
        return AddressRefusedError()
    if isinstance(error, aiohttp.InvalidURL | ValueError):  # a UnicodeError of a name that is none is a ValueError
        return UrlRefusedError()
    return FetchUnavailableError(f"the connection failed ({type(error).__name__})")
