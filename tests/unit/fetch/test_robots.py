"""robots.txt: obeyed, remembered, and what its absence means."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field

import pytest
from protego import Protego

from shared.fetch import FetchError, FetchUnavailableError, StatusRefusedError
from shared.fetch import robots as module
from shared.fetch.errors import RobotsRefusedError, TooManyRedirectsError
from shared.fetch.robots import Robots
from shared.fetch.robots_rules import read_rules

FILE = b"""
User-agent: *
Disallow: /private
Crawl-delay: 4

User-agent: Nightshift
Disallow: /closed
Allow: /closed/door$
Disallow: /*.pdf$
Crawl-delay: 2
"""


@dataclass
class Origin:
    """What a site answers for its robots.txt, and a clock."""

    answer: bytes | FetchError = FILE
    asked: list[str] = field(default_factory=list)
    time: float = 0.0

    async def load(self, url: str) -> bytes:
        self.asked.append(url)
        await asyncio.sleep(0)
        if isinstance(self.answer, FetchError):
            raise self.answer
        return self.answer

    @property
    def robots(self) -> Robots:
        return Robots(self.load, ttl=3600, monotonic=lambda: self.time)


@pytest.mark.parametrize("path", ["/closed", "/closed/window", "/a/b.pdf", "/%63losed/x"])
async def test_what_is_closed_to_us_is_refused(path: str) -> None:
    with pytest.raises(RobotsRefusedError) as caught:
        await Origin().robots.check(f"https://site.example{path}")
    assert caught.value.reason == "robots"


@pytest.mark.parametrize("path", ["/", "/private", "/closed/door", "/a/b.pdf?x", "/open"])
async def test_what_is_open_to_us_is_not_whatever_others_may(path: str) -> None:
    assert await Origin().robots.check(f"https://site.example{path}") == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_where_there_is_none_all_is_allowed(status: int) -> None:
    assert await Origin(StatusRefusedError("", status)).robots.check("https://site.example/closed") == 0


async def test_one_that_redirects_without_end_is_none() -> None:
    assert await Origin(TooManyRedirectsError()).robots.check("https://site.example/closed") == 0


async def test_while_the_server_cannot_say_all_is_forbidden_and_then_it_is_asked_again() -> None:
    origin = Origin(FetchUnavailableError("the server answered 503", 120))
    robots = origin.robots
    for at in (0, 100):
        origin.time = at
        with pytest.raises(FetchUnavailableError) as caught:
            await robots.check("https://site.example/open")
        assert caught.value.retry_after == 120 - at
    assert len(origin.asked) == 1
    origin.time, origin.answer = 121, FILE
    assert await robots.check("https://site.example/open") == 2


async def test_it_is_remembered_for_each_origin_until_its_time_is_over() -> None:
    origin = Origin()
    robots = origin.robots
    for url in ("https://a.example/1", "https://A.example/2", "http://a.example/3", "https://a.example:444/4"):
        await robots.check(url)
    assert origin.asked == [
        "https://a.example/robots.txt", "http://a.example/robots.txt", "https://a.example:444/robots.txt"
    ]  # fmt: skip
    origin.time = 3601
    await robots.check("https://a.example/5")
    assert len(origin.asked) == 4


async def test_many_at_once_ask_once() -> None:
    origin = Origin()
    robots = origin.robots
    await asyncio.gather(*(robots.check(f"https://a.example/{n}") for n in range(20)))
    assert len(origin.asked) == 1


async def test_what_is_no_robots_txt_forbids_nothing() -> None:
    for content in (b"<html><body>404</body></html>", b"\xff\xfe\x00", b"Disallow /", b"\x00" * 1000):
        assert await Origin(content).robots.check("https://site.example/closed") == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_a_mark_at_its_beginning_opens_nothing(encoding: str) -> None:
    text = "User-agent: *\r\nDisallow: /private/\r\n"
    with pytest.raises(RobotsRefusedError):
        await Origin(text.encode(encoding)).robots.check("https://site.example/private/x")


def test_rules_are_protegos_for_any_file() -> None:
    """What is written here instead of it, so that no pattern takes for ever, agrees with it on a thousand files."""
    dice, pieces = random.Random(7), ["/", "/a", "b", "*", "$", "/%7e", "~", "?x", "\u00e9", "%c3%a9", ".pdf"]
    lines = ["User-agent: *", "User-agent: Nightshift", "User-agent: Other", "Crawl-delay: 2", "# note", ""]
    for _ in range(1000):
        rules = [
            f"{dice.choice(('Allow', 'Disallow'))}: {''.join(dice.choices(pieces, k=dice.randint(0, 4)))}"
            for _ in range(6)
        ]
        text = "\n".join(dice.choices(lines + rules, k=10))
        theirs, ours = Protego.parse(text), read_rules(text, "Nightshift")
        for path in ("/", "/a", "/ab", "/a/b", "/~", "/a?x", "/%C3%A9", "/b.pdf"):
            url = f"https://site.example{path}"
            assert ours.allow(url) == theirs.can_fetch(url, "Nightshift"), (text, path)


@pytest.mark.parametrize(
    "line", ["Disallow: /" + "*a" * 1000 + "b", "Disallow: /a*", "Disallow: " + "*" * 2000, "Allow: $" * 200]
)
def test_half_a_megabyte_of_rules_is_asked_in_no_time(line: str) -> None:
    text = "User-agent: *\n" + f"{line}\n" * (500_000 // len(line))
    begun = time.thread_time()
    read_rules(text, "Nightshift").allow("https://site.example/" + "a" * 2000)
    assert time.thread_time() - begun < 3


async def test_a_delay_of_days_is_shortened() -> None:
    assert await Origin(b"User-agent: *\nCrawl-delay: 86400\n").robots.check("https://site.example/") == 30


async def test_only_so_many_origins_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ORIGINS", 5)
    origin = Origin()
    robots = origin.robots
    for number in range(20):
        await robots.check(f"https://{number}.example/")
    assert len(robots._entries) == 5
