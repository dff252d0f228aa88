"""Which addresses may be fetched."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.fetch import check_url, parse_allowed
from shared.fetch.addresses import is_public
from shared.fetch.client import _NotPublicError, _open_public_socket
from shared.fetch.errors import AddressRefusedError, FetchRefusedError, UrlRefusedError

NOT_PUBLIC = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "192.169.0.1", "2606:4700::1111", "2a00:1450:4001::1"]

ODD_URLS = [
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7f.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://0/",
    "http://10.1/",
    "http://0xa9fea9fe/",
    "http://2852039166/",
    "http://0251.0376.0251.0376/",
    "http://127.0.0.1./",
    "http://\u2460\u2461\u2466.\u24ea.\u24ea.\u2460/",
    "http://127\u30020\u30020\u30021/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:7f00:1]/",
    "http://[fe80::1%25eth0]/",
    "http://localhost/",
    "http://LOCALHOST:8080/",
    "http://localhost./",
    "http://a.localhost/",
    "http://metadata/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://printer.local/",
    "http://db.corp/",
    "http://router.home.arpa/",
]
NO_URLS = [
    "",
    "example.com/a.jpg",
    "/a.jpg",
    "//example.com/a.jpg",
    "ftp://example.com/a",
    "file:///etc/passwd",
    "gopher://example.com/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "http://",
    "http:///a.jpg",
    "http://user@example.com/",
    "http://user:secret@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1\\@example.com/",
    "http://example.com:0/",
    "http://example.com:65536/",
    "http://example.com:port/",
    "http://[::1",
    "http://exa mple.com/",
    "http://example.com/\r\nHost: other",
    "http://example.com/\x00",
    " http://example.com/",
    f"http://example.com/{'a' * 2048}",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_by_check_and_by_socket(address: str) -> None:
    assert not is_public(address)
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    with pytest.raises(AddressRefusedError):
        check_url(f"http://{host}/a.jpg")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with pytest.raises(_NotPublicError):
        _open_public_socket((family, socket.SOCK_STREAM, 0, "", (address, 80)))


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_passes(address: str) -> None:
    assert is_public(address)
    check_url(f"https://[{address}]/a.jpg" if ":" in address else f"https://{address}/a.jpg")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    _open_public_socket((family, socket.SOCK_STREAM, 0, "", (address, 80))).close()


@pytest.mark.parametrize("url", ODD_URLS)
def test_odd_notations_and_local_names_are_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError):
        check_url(url)


@pytest.mark.parametrize("url", NO_URLS)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(UrlRefusedError):
        check_url(url)


@pytest.mark.parametrize("url", ["http://example.com", "HTTPS://Example.COM:8443/a?b#c", "http://bücher.example/ü.png"])
def test_an_ordinary_url_passes(url: str) -> None:
    check_url(url)


def test_the_list_of_allowed_hosts() -> None:
    allowed = parse_allowed(" 127.0.0.1:8080, Shop.Local ,,[::1]:9000")
    check_url("http://127.0.0.1:8080/a.jpg", allowed)
    check_url("http://shop.local/a.jpg", allowed)
    check_url("https://SHOP.local:444/a.jpg", allowed)
    check_url("http://[::1]:9000/", allowed)
    for other in ("http://127.0.0.1:8081/", "http://127.0.0.1/", "http://a.shop.local/", "http://[::1]/"):
        with pytest.raises(AddressRefusedError):
            check_url(other, allowed)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_python_agrees_about_what_passes_of_ipv4(ip: ipaddress.IPv4Address) -> None:
    if is_public(str(ip)):
        assert ip.is_global
        assert not ip.is_multicast


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_no_address_inside_another_passes(ip: ipaddress.IPv4Address) -> None:
    for wrapped in (
        f"::ffff:{ip}",
        f"::{ip}",
        f"64:ff9b::{ip}",
        str(ipaddress.IPv6Address((0x2002 << 112) | (int(ip) << 80))),
    ):
        assert not is_public(wrapped)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_refused_or_passes_and_never_breaks(url: str) -> None:
    for candidate in (url, f"http://{url}"):
        with suppress(FetchRefusedError):
            check_url(candidate)
