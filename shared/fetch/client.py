"""One GET over aiohttp, with every limit that content from strangers needs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

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

MAX_REDIRECTS = 5
USER_AGENT = "Nightshift/1.0 (background fetcher)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429})
_CHUNK = 64 * 1024

SocketFactory = Callable[[tuple[Any, ...]], socket.socket]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought: the body, its media type without parameters, and the address it finally came from."""

    body: bytes
    content_type: str
    url: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may cost, and what it takes for an answer."""

    accept: tuple[str, ...]
    """Media types, or prefixes that end in a slash (`image/`)."""
    max_bytes: int
    """Bytes of the body after decompression."""
    timeout_seconds: float
    """For the whole fetch, redirects included."""


async def get(
    url: str, limits: Limits, allowed: Collection[str] = (), resolver: AbstractResolver | None = None
) -> Fetched:
    """Fetch a URL.

    Raises:
        FetchRefusedError: in one of its kinds; trying again cannot help.
        FetchUnavailableError: a timeout, a broken connection, or a status that may pass (408, 425, 429, 5xx).
    """
    try:
        async with asyncio.timeout(limits.timeout_seconds):
            return await _follow(url, limits, allowed, resolver)
    except TimeoutError:
        raise FetchUnavailableError("the server took too long") from None
    except aiohttp.ClientError as error:
        raise _translated(error) from None


async def _follow(url: str, limits: Limits, allowed: Collection[str], resolver: AbstractResolver | None) -> Fetched:
    for _ in range(MAX_REDIRECTS + 1):
        answer = await _hop(url, limits, allowed, resolver)
        if isinstance(answer, Fetched):
            return answer
        url = answer
    raise TooManyRedirectsError


async def _hop(url: str, limits: Limits, allowed: Collection[str], resolver: AbstractResolver | None) -> Fetched | str:
    """Ask one address; return what it serves, or where it points to.

    Every hop has a connector of its own, so that no connection made under one host's rules serves another's.
    """
    check_url(url, allowed)
    target = _parsed(url)
    listed = is_allowed((target.host or "").lower(), target.port or 0, allowed)
    connector = aiohttp.TCPConnector(
        resolver=resolver, use_dns_cache=False, socket_factory=_open_socket if listed else _open_public_socket
    )
    headers = {"User-Agent": USER_AGENT, "Accept": _accept(limits)}
    async with (
        aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session,
        session.get(target, headers=headers, allow_redirects=False) as response,
    ):
        if response.status in _REDIRECTS:
            return _location(response)
        _check_status(response)
        return await _body(response, limits)


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


def _accept(limits: Limits) -> str:
    return ", ".join(f"{kind}*" if kind.endswith("/") else kind for kind in limits.accept)


def _location(response: aiohttp.ClientResponse) -> str:
    location = response.headers.get("Location", "")
    if not location:
        raise StatusRefusedError("the server redirects to nowhere")
    try:
        return str(response.url.join(_parsed(location)))
    except ValueError:
        raise UrlRefusedError from None


def _parsed(url: str) -> URL:
    try:
        return URL(url)
    except ValueError:
        raise UrlRefusedError from None


def _check_status(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status in _TRANSIENT or status >= 500:
        raise FetchUnavailableError(f"the server answered {status}", retry_after(response.headers.get("Retry-After")))
    if status != 200:
        raise StatusRefusedError(f"the server answered {status}")


async def _body(response: aiohttp.ClientResponse, limits: Limits) -> Fetched:
    kind = response.content_type.lower()
    if not any(kind == one or (one.endswith("/") and kind.startswith(one)) for one in limits.accept):
        raise ContentTypeRefusedError
    if (response.content_length or 0) > limits.max_bytes:
        raise BodyTooLargeError
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limits.max_bytes:
            raise BodyTooLargeError
    return Fetched(bytes(body), kind, str(response.url))


def _translated(error: aiohttp.ClientError) -> FetchRefusedError | FetchUnavailableError:
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return CertificateRefusedError()
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _NotPublicError):
        return AddressRefusedError()
    if isinstance(error, aiohttp.InvalidURL):
        return UrlRefusedError()
    return FetchUnavailableError(f"the connection failed ({type(error).__name__})")
