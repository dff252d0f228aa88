"""All outgoing HTTP: public addresses only, checked when a socket connects, within limits of time, size and type.

`fetch` and `fetch_image` get one address that a user named, at once. A `Fetcher` (see `fetcher`) visits sites on the app's
own account: it obeys robots.txt, keeps a pace for each host and can ask conditionally. `check_url` needs no network. The
HTTP client is loaded when the first of them is used.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import TYPE_CHECKING

from shared.fetch.addresses import check_url, parse_allowed
from shared.fetch.errors import FetchError, FetchRefusedError, FetchUnavailableError, StatusRefusedError
from shared.fetch.headers import retry_after
from shared.fetch.messages import Fetched, Limits, NotModified, Request, Validators

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver

    from shared.fetch.polite import Fetcher
    from shared.fetch.posting import Posted
    from shared.settings import Settings

__all__ = [
    "FetchError",
    "FetchRefusedError",
    "FetchUnavailableError",
    "Fetched",
    "Limits",
    "NotModified",
    "Request",
    "StatusRefusedError",
    "Validators",
    "check_url",
    "fetch",
    "fetch_image",
    "fetcher",
    "parse_allowed",
    "post",
    "retry_after",
    "shared_fetcher",
]


def fetcher(settings: Settings) -> Fetcher:
    """A fetcher with the manners that the app's settings ask for. Make one for a process."""
    from shared.fetch.polite import Fetcher, Manners

    manners = Manners(
        settings.fetch_contact,
        settings.fetch_host_concurrency,
        settings.fetch_host_interval_seconds,
        settings.fetch_robots_ttl_seconds,
    )
    return Fetcher(manners, parse_allowed(settings.fetch_allowed_hosts))


@cache
def shared_fetcher(settings: Settings) -> Fetcher:
    """The fetcher of this process: whoever visits a host through it keeps one pace with all others."""
    return fetcher(settings)


async def fetch(
    url: str,
    *,
    accept: tuple[str, ...],
    max_bytes: int,
    timeout_seconds: float,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
    contact: str = "",
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
        contact: whom the site's owner may ask about us, in the User-Agent.

    Raises:
        FetchRefusedError: in one of its kinds; trying again cannot help.
        FetchUnavailableError: trying again may help, after `retry_after` seconds if the server said so.
    """
    from shared.fetch.client import follow

    answer = await follow(Request(url, Limits(accept, max_bytes, timeout_seconds), contact), allowed, resolver)
    assert isinstance(answer, Fetched)  # noqa: S101 - 304 is an answer to conditions only
    return answer


async def fetch_image(
    url: str,
    *,
    max_bytes: int,
    timeout_seconds: float,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
    contact: str = "",
) -> bytes:
    """GET an image; see `fetch`."""
    fetched = await fetch(
        url,
        accept=("image/",),
        max_bytes=max_bytes,
        timeout_seconds=timeout_seconds,
        allowed=allowed,
        resolver=resolver,
        contact=contact,
    )
    return fetched.body


async def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_seconds: float,
    allowed: Collection[str] = (),
    resolver: AbstractResolver | None = None,
) -> Posted:
    """POST to an address that somebody gave; see `shared.fetch.posting.send`."""
    from shared.fetch.posting import send

    return await send(url, body, headers, timeout_seconds, allowed, resolver)
