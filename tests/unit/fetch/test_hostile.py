"""Addresses that mean this machine or its neighbours, however they are written: none of them is connected to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from shared.fetch import Limits, Request
from shared.fetch.client import follow
from shared.fetch.errors import AddressRefusedError, UrlRefusedError
from shared.fetch.polite import Fetcher, Manners
from support.sites import Answers, Site, open_site

LOOPBACK = [
    # dotted, short, decimal, octal, hexadecimal, mixed, with leading zeros, with a final dot
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001",
    "0x7F000001", "0x7f.1", "0x7f.0.0.1", "0177.0.0.1", "0177.0x0.0.01", "0177.1", "0x7f.0x0.0x0.0x1", "127.0.0.01",
    "127.00.00.01", "127.0.0.1.", "0", "0.0.0.0", "0x0", "00", "0.0", "127.0x1", "127.65535", "0x7f.65535",
    # in letters and digits of other scripts
    "\uff11\uff12\uff17.0.0.1", "\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127\u30020\u30020\u30021",
    # by name
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "\uff4c\uff4fcalhost",
]  # fmt: skip
LOOPBACK_V6 = [
    "[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::FFFF:7F00:0001]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]",
    "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[::1%25lo]",
]  # fmt: skip
INSIDE = [
    "10.0.0.1", "10.1", "0x0a000001", "012.0.0.1", "167772161", "172.16.0.1", "172.31.255.255", "0xac100001",
    "192.168.0.1", "192.168.1", "0xc0a80001", "3232235521", "100.64.0.1", "198.18.0.1", "192.0.0.8", "224.0.0.1",
    "240.0.0.1", "255.255.255.255", "[fc00::1]", "[fd12:3456::1]", "[fe80::1]", "[fe80::1%25eth0]", "[ff02::1]",
    "[::ffff:10.0.0.1]", "[::ffff:c0a8:1]", "[2002:a00:1::1]", "[64:ff9b::a00:1]", "[2001:db8::1]",
    "printer.local", "db.internal", "intranet", "router.lan", "nas.home.arpa",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe", "169.254.43518",
    "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[fd00:ec2::254]", "168.63.129.16", "169.254.170.2",
    "metadata.google.internal", "metadata", "[64:ff9b::a9fe:a9fe]", "100.100.100.200", "192.0.0.192",
]  # fmt: skip
HOSTILE = LOOPBACK + LOOPBACK_V6 + INSIDE + METADATA
DISGUISED = [
    "http://site.example@127.0.0.1/", "http://127.0.0.1\\@site.example/", "http://127.0.0.1#@site.example/",
    "http://site.example\t@127.0.0.1/", "http:///127.0.0.1/", "http:127.0.0.1", "//127.0.0.1/", "http://127.0.0.1 /",
    "http://[::1", "http://127.0.0.1:0/", "http://127.0.0.1:99999/", "ftp://127.0.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_INFO", "dict://127.0.0.1:11211/stat", "unix:///var/run/docker.sock",
    "jar:http://127.0.0.1!/", "data:text/html,x", "http://127.0.0.1%00.site.example/",
]  # fmt: skip
LIMITS = Limits(("*/*",), 10_000, 5)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        opened.serve("/", "secret")
        yield opened


def test_there_are_more_than_sixty() -> None:
    assert len(set(HOSTILE)) >= 90


@pytest.mark.parametrize("host", HOSTILE)
async def test_a_hostile_address_is_refused(host: str, site: Site) -> None:
    """The name server of the test would lead every name here; what is refused never asks it for an address."""
    with pytest.raises(AddressRefusedError):
        await follow(Request(f"http://{host}:{site.port}/", LIMITS), resolver=Answers(["127.0.0.1"]))
    assert site.requests == []


@pytest.mark.parametrize("host", HOSTILE)
async def test_a_redirect_to_a_hostile_address_is_refused(host: str, site: Site) -> None:
    """The first address is listed; where it points to has another port, and is not."""
    async with open_site() as other:
        target = f"http://{host}:{other.port}/"
        ascii_target = target if target.isascii() else f"http://{host.encode('idna').decode()}:{other.port}/"
        start = site.serve("/go", status=302, Location=ascii_target)
        with pytest.raises(AddressRefusedError):
            await follow(Request(start, LIMITS), allowed=(site.host,))
        assert site.hits == ["/go"]
        assert other.requests == []


@pytest.mark.parametrize("url", DISGUISED)
async def test_what_hides_an_address_is_no_url_of_ours(url: str, site: Site) -> None:
    with pytest.raises((UrlRefusedError, AddressRefusedError)):
        await follow(Request(url, LIMITS), resolver=Answers(["127.0.0.1"]))
    assert site.requests == []


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "fd00::1"]
)
async def test_a_name_that_leads_there_is_refused_when_it_connects(address: str, site: Site) -> None:
    with pytest.raises(AddressRefusedError):
        await follow(Request(f"http://site.example:{site.port}/", LIMITS), resolver=Answers([address]))
    assert site.requests == []


async def test_an_answer_that_changes_between_two_questions_finds_no_gap(site: Site) -> None:
    """What was public when it was first asked for, and is not when the page is fetched: rebinding."""
    names = Answers(["93.184.216.34"], ["127.0.0.1"])
    assert (await names.resolve("site.example"))[0]["host"] == "93.184.216.34"
    with pytest.raises(AddressRefusedError):
        await follow(Request(f"http://site.example:{site.port}/", LIMITS), resolver=names)
    assert site.requests == []


async def test_robots_txt_is_fetched_under_the_same_rules(site: Site) -> None:
    fetcher = Fetcher(Manners(interval=0), resolver=Answers(["127.0.0.1"]))
    with pytest.raises(AddressRefusedError):
        await fetcher.fetch(Request(f"http://site.example:{site.port}/", LIMITS))
    assert site.requests == []
