"""The polite fetcher over real HTTP on this machine."""

from __future__ import annotations

import asyncio
import gzip
import time

import pytest
from aiohttp import web

from shared.fetch import Fetched, FetchUnavailableError, Limits, NotModified, Request, Validators
from shared.fetch.client import follow
from shared.fetch.errors import BodyTooLargeError, RobotsRefusedError, StatusRefusedError
from shared.fetch.polite import Fetcher, Manners
from support.sites import Answers, Site, open_site

LIMITS = Limits(("*/*",), 100_000, 5)


def fetcher_of(site: Site, *more: Site, **manners: float | str) -> Fetcher:
    chosen = Manners(**{"interval": 0, **manners})  # type: ignore[arg-type]
    return Fetcher(chosen, [one.host for one in (site, *more)])


async def test_who_we_are_is_said_with_whom_to_ask(site: Site) -> None:
    await fetcher_of(site, contact="mailto:ops@site.example").fetch(Request(site.serve("/a", "x"), LIMITS))
    assert [one.headers["User-Agent"] for one in site.requests] == ["Nightshift/1.0 (+mailto:ops@site.example)"] * 2


async def test_robots_txt_is_asked_for_first_and_obeyed(site: Site) -> None:
    site.serve("/robots.txt", "User-agent: Nightshift\nDisallow: /closed\n")
    fetcher, closed = fetcher_of(site), site.serve("/closed/page", "secret")
    with pytest.raises(RobotsRefusedError):
        await fetcher.fetch(Request(closed, LIMITS))
    await fetcher.fetch(Request(site.serve("/open", "x"), LIMITS))
    assert [one.path for one in site.requests] == ["/robots.txt", "/open"]


async def test_robots_txt_has_no_say_over_an_api_that_we_may_use(site: Site) -> None:
    site.serve("/robots.txt", "User-agent: *\nDisallow: /\n")
    answer = await fetcher_of(site).fetch(Request(site.serve("/api", "x"), LIMITS), robots=False)
    assert isinstance(answer, Fetched)


async def test_a_redirect_into_what_is_closed_is_refused(site: Site) -> None:
    site.serve("/robots.txt", "User-agent: *\nDisallow: /closed\n")
    site.serve("/closed", "secret")
    with pytest.raises(RobotsRefusedError):
        await fetcher_of(site).fetch(Request(site.serve("/go", status=302, Location="/closed"), LIMITS))
    assert site.hits == ["/go"]


async def test_while_robots_txt_answers_5xx_nothing_is_fetched(site: Site) -> None:
    site.serve("/robots.txt", "", status=503, Retry_After="90")
    with pytest.raises(FetchUnavailableError) as caught:
        await fetcher_of(site).fetch(Request(site.serve("/a", "x"), LIMITS))
    assert 89 < (caught.value.retry_after or 0) <= 90
    assert site.hits == []


async def test_a_long_robots_txt_is_read_as_far_as_it_is_taken(site: Site) -> None:
    site.serve("/robots.txt", b"User-agent: *\nDisallow: /closed\n" + b"# padding\n" * 100_000)
    with pytest.raises(RobotsRefusedError):
        await fetcher_of(site).fetch(Request(site.serve("/closed", "x"), LIMITS))


async def test_what_has_not_changed_is_not_sent_again(site: Site) -> None:
    async def page(request: web.Request) -> web.Response:
        known = request.headers.get("If-None-Match") == '"v1"'
        known = known and request.headers.get("If-Modified-Since") == "Wed, 01 Jan 2025 00:00:00 GMT"
        headers = {"ETag": '"v1"', "Last-Modified": "Wed, 01 Jan 2025 00:00:00 GMT"}
        return web.Response(status=304 if known else 200, body=None if known else b"page", headers=headers)

    site.handlers["/page"] = page
    fetcher, url = fetcher_of(site), site.url("/page")
    first = await fetcher.fetch(Request(url, LIMITS))
    assert isinstance(first, Fetched)
    assert first.validators == Validators('"v1"', "Wed, 01 Jan 2025 00:00:00 GMT", url)
    again = await fetcher.fetch(Request(url, LIMITS, validators=first.validators))
    assert again == NotModified(url)


async def test_304_to_who_did_not_ask_for_it_is_no_answer(site: Site) -> None:
    with pytest.raises(StatusRefusedError):
        await fetcher_of(site).fetch(Request(site.serve("/a", status=304), LIMITS))


async def test_a_host_that_says_when_to_come_back_is_left_alone_until_then(site: Site) -> None:
    fetcher = fetcher_of(site)
    busy, other = site.serve("/busy", status=429, Retry_After="60"), site.serve("/other", "x")
    with pytest.raises(FetchUnavailableError) as first:
        await fetcher.fetch(Request(busy, LIMITS))
    assert first.value.retry_after == 60
    with pytest.raises(FetchUnavailableError) as second:
        await fetcher.fetch(Request(other, LIMITS))
    assert 59 < (second.value.retry_after or 0) <= 60
    assert site.hits == ["/busy"]


async def test_the_pace_of_a_host_is_kept(site: Site) -> None:
    site.serve("/robots.txt", "User-agent: *\nCrawl-delay: 0.2\n")
    fetcher, url = fetcher_of(site, interval=0.05), site.serve("/a", "x")
    begun = time.monotonic()
    await asyncio.gather(*(fetcher.fetch(Request(url, LIMITS)) for _ in range(3)))
    assert time.monotonic() - begun >= 0.39


async def test_waiting_for_a_turn_is_no_slowness_of_the_server(site: Site) -> None:
    limits, url = Limits(("*/*",), 1000, 1.5), site.serve("/a", "x")
    fetcher = fetcher_of(site, interval=0.9)
    await asyncio.gather(*(fetcher.fetch(Request(url, limits)) for _ in range(3)))
    assert site.hits == ["/a"] * 3


async def test_the_time_limit_is_one_for_all_redirects(site: Site) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(0.15)
        return web.Response(status=302, headers={"Location": f"{request.path}x"})

    for length in range(6):
        site.handlers["/slow" + "x" * length] = slow
    begun = time.monotonic()
    with pytest.raises(FetchUnavailableError, match="too long"):
        await follow(Request(site.url("/slow"), Limits(("*/*",), 1000, 0.4)), [site.host])
    assert time.monotonic() - begun < 20


async def test_credentials_and_conditions_stay_with_their_origin(site: Site) -> None:
    async with open_site() as other:
        other.serve("/page", "x")
        there = site.serve("/there", status=302, Location=other.url("/page"))
        request = Request(there, LIMITS, authorization="Bearer secret", validators=Validators('"v1"'))
        await fetcher_of(site, other).fetch(request, robots=False)
        assert site.requests[0].headers["Authorization"] == "Bearer secret"
        assert site.requests[0].headers["If-None-Match"] == '"v1"'
        assert not {"Authorization", "If-None-Match"} & set(other.requests[0].headers)
    assert "secret" not in repr(request)


async def test_a_form_is_posted_once_and_redirected_nowhere(site: Site) -> None:
    posted: list[dict[str, object]] = []

    async def token(request: web.Request) -> web.Response:
        posted.append({"method": request.method, **await request.post()})
        return web.json_response({"ok": True})

    site.handlers["/token"] = token
    await fetcher_of(site).fetch(Request(site.url("/token"), LIMITS, form={"grant_type": "x"}), robots=False)
    assert posted == [{"method": "POST", "grant_type": "x"}]
    go = site.serve("/go", status=307, Location="/token")
    with pytest.raises(StatusRefusedError):
        await fetcher_of(site).fetch(Request(go, LIMITS, form={"grant_type": "x"}), robots=False)
    assert len(posted) == 1


@pytest.mark.parametrize("robots", [True, False])
async def test_a_body_is_measured_after_decompression(site: Site, robots: bool) -> None:
    url = site.serve("/bomb", gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")
    with pytest.raises(BodyTooLargeError):
        await fetcher_of(site).fetch(Request(url, LIMITS), robots=robots)


async def test_a_robots_txt_that_is_a_bomb_is_cut(site: Site) -> None:
    site.serve("/robots.txt", gzip.compress(b"#" * 5_000_000), Content_Encoding="gzip")
    assert isinstance(await fetcher_of(site).fetch(Request(site.serve("/a", "x"), LIMITS)), Fetched)


async def test_names_are_resolved_for_each_hop_only(site: Site) -> None:
    names = Answers(["127.0.0.1"])
    fetcher = Fetcher(Manners(interval=0), [f"site.example:{site.port}"], names)
    site.serve("/a", "x")
    await fetcher.fetch(Request(f"http://site.example:{site.port}/a", LIMITS))
    assert names.asked == ["site.example"] * 2  # robots.txt, page
