"""What hosts ask for is kept: versions, moves, and to be left alone; and no address, however it is written, is another error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shared.fetch import (
    Fetched,
    FetchError,
    FetchUnavailableError,
    Limits,
    NotModified,
    Request,
    Validators,
    retry_after,
)
from shared.fetch.client import follow
from shared.fetch.closed import remember, respecting
from shared.fetch.errors import UrlRefusedError
from shared.jobs.testing import FakeClock
from shared.jobs.testing.memory import MemoryDocuments
from support.sites import Answers, Site, open_site

LIMITS = Limits(("*/*",), 10_000, 5)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def other() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.mark.parametrize(
    "host",
    ["a..b.example", "xn--a.example", f"{'a' * 64}.example", "[::1]@]", "%zz", "\ud800", "xn--\u00e9.example", "."],
)
async def test_a_host_that_can_be_none_is_a_refusal_also_where_a_redirect_leads(host: str, site: Site) -> None:
    with pytest.raises(FetchError):
        await follow(Request(f"http://{host}/", LIMITS), resolver=Answers(["127.0.0.1"]))
    location = f"http://{host}/".encode("utf-8", "replace").decode()
    start = site.serve("/go", status=302, Location=location)
    with pytest.raises(FetchError):
        await follow(Request(start, LIMITS), allowed=(site.host,))


async def test_an_error_of_the_name_system_is_a_refusal_too(site: Site) -> None:
    class Broken(Answers):
        async def resolve(self, host: str, port: int = 0, family: object = 0) -> list[object]:  # type: ignore[override]
            raise UnicodeError("label empty or too long")

    with pytest.raises(UrlRefusedError):
        await follow(Request("http://site.example/", LIMITS), resolver=Broken(["127.0.0.1"]))


@pytest.mark.parametrize(
    ("location", "path"), [("/my feed.xml", "/my feed.xml"), ("/caf\u00e9.xml", "/caf\u00e9.xml"), ("\\a\\b", "/a/b")]
)
async def test_a_redirect_is_followed_as_browsers_read_it(location: str, path: str, site: Site) -> None:
    site.serve(path, "here")
    answer = await follow(Request(site.serve("/go", status=302, Location=location), LIMITS), allowed=(site.host,))
    assert isinstance(answer, Fetched)
    assert answer.body == b"here"


async def test_a_version_is_shown_to_the_address_that_gave_it_and_to_no_other(site: Site, other: Site) -> None:
    target = other.serve("/etag.xml", "feed", ETag='"v1"')
    start = site.serve("/moved.xml", status=301, Location=target)
    allowed = (site.host, other.host)
    first = await follow(Request(start, LIMITS), allowed)
    assert isinstance(first, Fetched)
    assert (first.validators, first.moved_to) == (Validators('"v1"', None, target), target)
    await follow(Request(start, LIMITS, validators=first.validators), allowed)
    asked = [(one.path, one.headers.get("If-None-Match")) for one in (*site.requests[1:], *other.requests[1:])]
    assert asked == [("/moved.xml", None), ("/etag.xml", '"v1"')]


async def test_a_version_of_the_same_host_but_another_address_is_not_shown_either(site: Site) -> None:
    target = site.serve("/etag.xml", "feed", ETag='"v1"')
    start = site.serve("/moved.xml", status=308, Location="/etag.xml")
    await follow(Request(start, LIMITS, validators=Validators('"v1"', None, target)), (site.host,))
    assert [one.headers.get("If-None-Match") for one in site.requests] == [None, '"v1"']


@pytest.mark.parametrize(
    ("first", "second", "moved"), [(301, 301, "/c"), (301, 302, "/b"), (302, 301, None), (308, 307, "/b")]
)
async def test_only_what_moved_for_good_is_remembered(site: Site, first: int, second: int, moved: str | None) -> None:
    site.serve("/c", "here")
    site.serve("/b", status=second, Location="/c")
    answer = await follow(Request(site.serve("/a", status=first, Location="/b"), LIMITS), (site.host,))
    assert not isinstance(answer, NotModified)
    assert answer.moved_to == (site.url(moved) if moved else None)


def test_a_wait_of_hours_or_until_a_date_is_as_long_as_it_says() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert retry_after("18000") == 18_000
    assert retry_after(format_datetime(now + timedelta(hours=30), usegmt=True), now) == 30 * 3600
    assert retry_after("99999999999") == 30 * 86_400
    assert retry_after("soon") is None


async def test_what_a_host_asked_of_one_instance_every_instance_keeps(clock: FakeClock) -> None:
    documents = MemoryDocuments(clock)

    async def ask(host: str, wait: float | None = None) -> float | None:
        try:
            async with respecting(documents, clock, host):
                if wait is not None:
                    raise FetchUnavailableError("the server answered 429", wait)
        except FetchUnavailableError as error:
            return error.retry_after
        return None

    assert await ask("a.example", 18_000) == 18_000
    clock.advance(3600)
    assert await ask("a.example") == 14_400
    assert await ask("b.example") is None
    assert await ask("b.example", 5) == 5
    assert await ask("b.example") is None, "what is over in a minute is not worth a document"
    clock.advance(14_401)
    assert await ask("a.example") is None
    for wait in (100.0, 7200.0, 300.0):
        await remember(documents, clock, "c.example", FetchUnavailableError("", wait))
    assert await ask("c.example") == 7200
