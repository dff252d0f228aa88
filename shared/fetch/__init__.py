"""Fetching from addresses that strangers gave: public ones only, within limits of time and size.

`check_url` needs no network and costs no import; `fetch` and `fetch_image` load the HTTP client when first called.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from shared.fetch.addresses import check_url, parse_allowed
from shared.fetch.errors import FetchError, FetchRefusedError, FetchUnavailableError
from shared.fetch.headers import retry_after

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from shared.fetch.client import Fetched

__all__ = [
    "FetchError",
    "FetchRefusedError",
    "FetchUnavailableError",
    "check_url",
    "fetch",
    "fetch_image",
    "parse_allowed",
    "retry_after",
]


async def fetch(
    url: str,
    *,
    accept: tuple[str, ...],
    max_bytes: int,
    timeout_seconds: float,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
) -> Fetched:
    """GET a URL of the public internet.

    Redirects are followed by hand, at most five, each under the same rules. No cookies, no proxy from the environment.

    Args:
        url: an absolute http or https URL.
        accept: media types that are taken (`text/html`), or prefixes that end in a slash (`image/`).
        max_bytes: the largest body that is taken, counted after decompression.
        timeout_seconds: for the whole fetch, redirects included.
        allowed: hosts that may be fetched although not public (`parse_allowed` reads the setting).
        resolver: how names become addresses; the system's way by default.

    Raises:
        FetchRefusedError: in one of its kinds; trying again cannot help.
        FetchUnavailableError: trying again may help, after `retry_after` seconds if the server said so.
    """
    from shared.fetch.client import Limits, get

    return await get(url, Limits(accept, max_bytes, timeout_seconds), allowed, resolver)


async def fetch_image(
    url: str,
    *,
    max_bytes: int,
    timeout_seconds: float,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
) -> bytes:
    """GET an image; see `fetch`."""
    fetched = await fetch(
        url,
        accept=("image/",),
        max_bytes=max_bytes,
        timeout_seconds=timeout_seconds,
        allowed=allowed,
        resolver=resolver,
    )
    return fetched.body
