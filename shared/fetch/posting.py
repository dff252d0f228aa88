"""One POST to an address that a stranger gave, under the rules of `shared.fetch.client`."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver

from shared.fetch.addresses import check_url
from shared.fetch.client import USER_AGENT, connector_for, parsed, translated
from shared.fetch.errors import FetchUnavailableError
from shared.fetch.headers import retry_after


@dataclass(frozen=True, slots=True)
class Posted:
    """How the other side answered; what it said beside the status is not read."""

    status: int
    retry_after: float | None = None


async def send(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    timeout_seconds: float,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
) -> Posted:
    """POST a body; redirects are not followed, since what is posted is meant for this address only.

    Raises:
        FetchRefusedError: the address is not public, or is none.
        FetchUnavailableError: a timeout or a broken connection.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _send(url, body, headers, allowed, resolver)
    except TimeoutError:
        raise FetchUnavailableError("the server took too long") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise translated(error) from None


async def _send(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Collection[str], resolver: AbstractResolver | None
) -> Posted:
    check_url(url, allowed)
    target = parsed(url)
    session = aiohttp.ClientSession(
        connector=connector_for(target, allowed, resolver), cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
    )
    sent = {"User-Agent": USER_AGENT, **headers}
    async with session, session.post(target, data=body, headers=sent, allow_redirects=False) as response:
        return Posted(response.status, retry_after(response.headers.get("Retry-After")))
