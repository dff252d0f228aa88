"""Reddit with and without credentials, over real HTTP on this machine."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from shared.domains.collect.reddit import Access, RedditSource
from shared.domains.collect.settings import CollectSettings
from shared.fetch import FetchUnavailableError, Limits, StatusRefusedError
from shared.fetch.errors import ContentRefusedError, RobotsRefusedError
from shared.fetch.polite import Fetcher, Manners
from shared.settings import Settings
from support.sites import Site, listing, open_site

LIMITS = Limits(("application/json",), 100_000, 5)


@dataclass
class Reddit:
    """A Reddit that hands out tokens and takes the latest only."""

    site: Site
    tokens: list[str] = field(default_factory=list)
    sorts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.site.handlers |= {
            "/api/v1/access_token": self.token,
            "/oauth/r/technology/hot": self.hot,
            "/oauth/r/technology/top": self.hot,
        }
        self.site.serve("/robots.txt", "User-agent: *\nDisallow: /\n")

    async def token(self, request: web.Request) -> web.Response:
        expected = "Basic " + base64.b64encode(b"id:secret").decode()
        if request.headers["Authorization"] != expected or (await request.post())["grant_type"] != "client_credentials":
            return web.Response(status=401)
        self.tokens.append(f"token-{len(self.tokens)}")
        return web.json_response({"access_token": self.tokens[-1], "token_type": "bearer", "expires_in": 86400})

    async def hot(self, request: web.Request) -> web.Response:
        if request.headers["Authorization"] != f"Bearer {self.tokens[-1]}":
            return web.Response(status=401)
        self.sorts.append(request.path.rpartition("/")[2])
        return web.Response(text=listing("technology", 2), content_type="application/json")

    def settings(self, secret: str | None = "secret") -> Settings:
        chosen = CollectSettings(
            reddit_url=self.site.url("/"),
            reddit_api_url=self.site.url("/oauth/"),
            reddit_client_id="id",
            reddit_client_secret=secret,
        )
        return Settings().having(chosen)

    def source(self, secret: str | None = "secret") -> RedditSource:
        return RedditSource(Fetcher(Manners(interval=0), [self.site.host]), LIMITS, self.settings(secret))


@pytest.fixture
async def reddit() -> AsyncIterator[Reddit]:
    async with open_site() as site:
        yield Reddit(site)


async def test_with_credentials_the_api_is_asked_whatever_robots_txt_says(reddit: Reddit) -> None:
    source = reddit.source()
    for sort in ("hot", "top"):
        assert (await source.collect("technology", sort, 10)).found == 2
    assert reddit.tokens == ["token-0"]
    assert reddit.sorts == ["hot", "top"]


async def test_a_token_that_is_no_longer_taken_is_replaced_once(reddit: Reddit) -> None:
    source = reddit.source()
    await source.collect("technology", "hot", 10)
    reddit.tokens.append("another")
    assert (await source.collect("technology", "hot", 10)).found == 2
    assert reddit.tokens == ["token-0", "another", "token-2"]


async def test_credentials_that_are_wrong_are_refused_without_being_said(reddit: Reddit) -> None:
    with pytest.raises(StatusRefusedError) as caught:
        await reddit.source("wrong-secret").collect("technology", "hot", 10)
    assert "wrong-secret" not in str(caught.value)
    assert len(reddit.site.hits) == 2


async def test_a_token_is_kept_until_shortly_before_its_end(reddit: Reddit) -> None:
    now = 0.0
    access = Access(Fetcher(Manners(interval=0), [reddit.site.host]), reddit.settings(), lambda: now)
    assert await access.header() == "Bearer token-0"
    now = 86_300
    assert await access.header() == "Bearer token-0"
    now = 86_345
    assert await access.header() == "Bearer token-1"


async def test_an_answer_without_a_token_may_be_better_next_time(reddit: Reddit) -> None:
    reddit.site.serve("/api/v1/access_token", '{"error": "invalid_grant"}', kind="application/json")
    with pytest.raises(FetchUnavailableError):
        await reddit.source().collect("technology", "hot", 10)


async def test_without_credentials_robots_txt_is_obeyed_and_the_way_out_is_named(reddit: Reddit) -> None:
    with pytest.raises(RobotsRefusedError, match="REDDIT_CLIENT_ID"):
        await reddit.source(None).collect("technology", "hot", 10)
    assert reddit.site.hits == []


async def test_a_search_in_place_of_a_listing_means_that_there_is_none(reddit: Reddit) -> None:
    reddit.site.serve("/robots.txt", "")
    reddit.site.serve("/subreddits/search.json", listing("x", 1), kind="application/json")
    reddit.site.serve("/r/nowhere/hot.json", status=302, Location="/subreddits/search.json?q=nowhere")
    with pytest.raises(ContentRefusedError, match="no such subreddit"):
        await reddit.source(None).collect("nowhere", "hot", 10)
