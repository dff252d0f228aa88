"""Reddit: the listing of a subreddit, signed in where the settings hold an application's credentials."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from shared.domains.collect.listings import parse_listing
from shared.domains.collect.model import Harvest, Sort
from shared.domains.collect.settings import CollectSettings
from shared.fetch import Fetched, FetchUnavailableError, Limits, Request, StatusRefusedError
from shared.fetch.errors import ContentRefusedError, RobotsRefusedError
from shared.fetch.reading import read, whole
from shared.fetch.urls import host_of
from shared.sandbox import sandbox

if TYPE_CHECKING:
    from shared.fetch.polite import Fetcher
    from shared.settings import Settings

_MARGIN = 60.0
"""Seconds before its end at which a token is no longer used."""


class Access:
    """The application-only token (OAuth 2 client credentials), remembered until shortly before it ends."""

    def __init__(self, fetcher: Fetcher, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._fetcher = fetcher
        self._settings = settings.of(CollectSettings)
        self._timeout = settings.fetch_timeout_seconds
        self._now = now
        self._token = ""
        self._until = 0.0

    @property
    def possible(self) -> bool:
        """Whether there are credentials."""
        return bool(self._settings.reddit_client_id and self._settings.reddit_client_secret)

    async def header(self) -> str:
        """The value of `Authorization`."""
        if self._now() >= self._until:
            await self._sign_in()
        return f"Bearer {self._token}"

    def forget(self) -> None:
        """The token was refused: get another for the next request."""
        self._until = 0.0

    async def _sign_in(self) -> None:
        pair = f"{self._settings.reddit_client_id}:{self._settings.reddit_client_secret}"
        request = Request(
            f"{self._settings.reddit_url.rstrip('/')}/api/v1/access_token",
            Limits(("application/json",), 64 * 1024, self._timeout),
            authorization=f"Basic {base64.b64encode(pair.encode()).decode()}",
            form={"grant_type": "client_credentials"},
        )
        self._token, seconds = _token_of(whole(await self._fetcher.fetch(request, robots=False)))
        self._until = self._now() + seconds - _MARGIN


class RedditSource:
    """Subreddits by name."""

    def __init__(self, fetcher: Fetcher, limits: Limits, settings: Settings) -> None:
        self._fetcher = fetcher
        self._limits = limits
        chosen = settings.of(CollectSettings)
        self._public = chosen.reddit_url.rstrip("/")
        self._api = chosen.reddit_api_url.rstrip("/")
        self._access = Access(fetcher, settings)
        self._box = sandbox(settings)

    def label(self, topic: str) -> str:
        """As Reddit writes it."""
        return f"r/{topic}"

    def slug(self, topic: str) -> str:
        """The name itself."""
        return topic

    def host(self, topic: str) -> str:  # noqa: ARG002 - all are one host's
        """Reddit's API, or its public pages."""
        return host_of(self._api if self._access.possible else self._public)

    async def collect(self, topic: str, sort: Sort, limit: int) -> Harvest:
        """Fetch and read a subreddit's listing."""
        query = urlencode({"limit": limit, "raw_json": 1})
        fetched = await (self._signed_in if self._access.possible else self._in_public)(f"/r/{topic}/{sort}", query)
        if "/subreddits/search" in fetched.url:
            raise ContentRefusedError("there is no such subreddit")  # Reddit redirects to a search for its name
        return await read(self._box, parse_listing, fetched, topic)

    async def _in_public(self, path: str, query: str) -> Fetched:
        try:
            return whole(await self._fetcher.fetch(Request(f"{self._public}{path}.json?{query}", self._limits)))
        except RobotsRefusedError:
            raise RobotsRefusedError(
                "robots.txt keeps us out of the public JSON; REDDIT_CLIENT_ID and REDDIT_CLIENT_SECRET open the API"
            ) from None

    async def _signed_in(self, path: str, query: str) -> Fetched:
        """Ask the API; once more with a new token, where Reddit no longer takes the one we have."""
        request = Request(f"{self._api}{path}?{query}", self._limits)
        try:
            return await self._ask(request)
        except StatusRefusedError as error:
            if error.status != 401:
                raise
            self._access.forget()
            return await self._ask(request)

    async def _ask(self, request: Request) -> Fetched:
        signed = replace(request, authorization=await self._access.header())
        return whole(await self._fetcher.fetch(signed, robots=False))


def _token_of(fetched: Fetched) -> tuple[str, float]:
    try:
        content = json.loads(fetched.body)
        return str(content["access_token"]), float(content.get("expires_in", 3600))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FetchUnavailableError("Reddit handed out no token") from None
