"""Fetching over real HTTP on this machine: who may be asked, how much is taken, what may pass."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch import fetch, fetch_image, retry_after
from shared.fetch.errors import (
    AddressRefusedError,
    BodyTooLargeError,
    ContentTypeRefusedError,
    FetchError,
    FetchRefusedError,
    FetchUnavailableError,
    StatusRefusedError,
    TooManyRedirectsError,
    UrlRefusedError,
)
from shared.jobs.testing import FakeClock
from support.examples import examples
from support.pictures import MB, png
from support.sites import Answers, Site


async def get(url: str, *allowed: str, resolver: AbstractResolver | None = None, seconds: float = 60) -> bytes:
    return await fetch_image(url, max_bytes=MB, timeout_seconds=seconds, allowed=allowed, resolver=resolver)


# --- who may be asked --------------------------------------------------------------------------------------------


async def test_an_allowed_host_is_fetched_honestly(site: Site) -> None:
    url = site.image("/a.png", png())
    assert await get(url, site.host) == png()
    headers = site.requests[0].headers
    assert headers["User-Agent"].startswith("Nightshift/")
    assert headers["Accept"] == "image/*"
    assert "Cookie" not in headers
    assert "Referer" not in headers


async def test_nobody_is_asked_who_is_not_public(site: Site) -> None:
    site.image("/a.png", png())
    for host in ("127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:7f00:1]", "127.1"):
        with pytest.raises(AddressRefusedError):
            await get(f"http://{host}:{site.port}/a.png")
    assert site.hits == []


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"],
        ["127.0.0.1", "127.0.0.2", "10.0.0.1"],
        ["::1", "127.0.0.1"],
        ["::ffff:127.0.0.1"],
        ["169.254.169.254"],
        ["64:ff9b::7f00:1"],
        ["0.0.0.0"],
    ],
)
async def test_a_name_that_resolves_to_what_is_not_public_is_refused(site: Site, answer: list[str]) -> None:
    site.image("/a.png", png())
    names = Answers(answer)
    with pytest.raises(AddressRefusedError):
        await get(f"http://shop.example:{site.port}/a.png", resolver=names)
    assert site.hits == []
    assert names.asked == ["shop.example"]


async def test_answers_that_change_find_no_gap(site: Site) -> None:
    """A name is asked for once a hop, and what is checked is the very address that the socket would connect to."""
    site.image("/a.png", png())
    site.image("/go", status=302, Location=f"http://shop.example:{site.port}/a.png")
    names = Answers(["127.0.0.1"])
    with pytest.raises(AddressRefusedError):
        await get(site.url("/go"), site.host, resolver=names)
    assert names.asked == ["shop.example"]
    assert site.hits == ["/go"]
    listed = Answers(["127.0.0.1"], ["127.0.0.1"])
    url = f"http://shop.example:{site.port}"
    site.image("/again", status=302, Location=f"http://other.example:{site.port}/a.png")
    with pytest.raises(AddressRefusedError):
        await get(f"{url}/again", f"shop.example:{site.port}", resolver=listed)
    assert listed.asked == ["shop.example", "other.example"]


async def test_a_listed_port_does_not_open_its_neighbours(site: Site) -> None:
    with pytest.raises(AddressRefusedError):
        await get(site.image("/a.png", png()), f"127.0.0.1:{site.port + 1}")


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://0x7f.1/",
        "http://localhost/",
    ],
)
async def test_a_redirect_is_checked_like_a_first_address(site: Site, target: str) -> None:
    with pytest.raises(AddressRefusedError):
        await get(site.image("/go", status=302, Location=target), site.host)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/", "http://u:p@127.0.0.1/", "http://[::1"])
async def test_a_redirect_to_no_http_url_is_refused(site: Site, target: str) -> None:
    with pytest.raises(UrlRefusedError):
        await get(site.image("/go", status=307, Location=target), site.host)


@examples(300)
@given(
    st.text(max_size=30),
    st.sampled_from(["http://{}", "http://{}/a", "http://a.{}:80/", "http://[{}]/", "http://a.example/{}"]),
)
async def test_whatever_the_url_only_errors_of_fetching_are_raised(noise: str, form: str) -> None:
    with pytest.raises(FetchError):
        await get(form.format(noise), resolver=Answers(["127.0.0.1"]))


async def test_redirects_are_followed_and_counted(site: Site) -> None:
    site.image("/a.png", png())
    for step in range(5):
        site.image(f"/{step}", status=301, Location="/a.png" if step == 4 else f"/{step + 1}")
    assert await get(site.url("/0"), site.host) == png()
    site.image("/-1", status=301, Location="/0")
    with pytest.raises(TooManyRedirectsError):
        await get(site.url("/-1"), site.host)


async def test_a_redirect_to_nowhere_is_refused(site: Site) -> None:
    with pytest.raises(StatusRefusedError):
        await get(site.image("/go", status=302), site.host)


async def test_no_proxy_is_taken_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await get(site.image("/a.png", png()), site.host) == png()


async def test_cookies_are_not_kept(site: Site) -> None:
    site.image("/a.png", png())
    await get(site.image("/go", status=302, Location="/a.png", Set_Cookie="session=1; Path=/"), site.host)
    assert "Cookie" not in site.requests[-1].headers


# --- how much is taken -------------------------------------------------------------------------------------------


async def test_a_20_mb_image_is_refused_by_its_header(site: Site) -> None:
    with pytest.raises(BodyTooLargeError):
        await get(site.image("/big.png", bytes(20 * MB)), site.host)


async def test_a_20_mb_image_of_unsaid_length_is_refused_on_the_way(site: Site) -> None:
    sent = 0

    async def stream(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        for _ in range(320):
            await response.write(bytes(64 * 1024))
            sent += 64 * 1024
        return response

    site.handlers["/stream.png"] = stream
    with pytest.raises(BodyTooLargeError):
        await get(site.url("/stream.png"), site.host)
    assert sent < 20 * MB


async def test_a_body_is_measured_after_decompression(site: Site) -> None:
    body = gzip.compress(bytes(50 * MB))
    assert len(body) < MB
    with pytest.raises(BodyTooLargeError):
        await get(site.image("/zip.png", body, Content_Encoding="gzip"), site.host)


async def test_a_body_of_just_the_limit_is_taken(site: Site) -> None:
    assert len(await get(site.image("/fit.png", bytes(MB)), site.host)) == MB
    with pytest.raises(BodyTooLargeError):
        await get(site.image("/over.png", bytes(MB + 1)), site.host)


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "application/json", "imagery/png"])
async def test_what_is_no_image_is_refused(site: Site, kind: str) -> None:
    with pytest.raises(ContentTypeRefusedError):
        await get(site.serve("/page", b"<html>", kind=kind), site.host)


async def test_other_types_can_be_asked_for(site: Site) -> None:
    url = site.serve("/feed", b"<rss/>", kind="application/rss+xml")
    fetched = await fetch(
        url, accept=("text/", "application/rss+xml"), max_bytes=MB, timeout_seconds=60, allowed=(site.host,)
    )
    assert (fetched.body, fetched.content_type, fetched.url) == (b"<rss/>", "application/rss+xml", url)


# --- what may pass, and what may not -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410, 451])
async def test_a_status_that_stays_is_final(site: Site, status: int) -> None:
    with pytest.raises(StatusRefusedError):
        await get(site.image("/x", status=status), site.host)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_may_pass_can_be_retried(site: Site, status: int) -> None:
    with pytest.raises(FetchUnavailableError) as caught:
        await get(site.image("/x", status=status, Retry_After="17"), site.host)
    assert caught.value.retry_after == 17


async def test_a_slow_server_is_left(site: Site) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        for _ in range(1200):
            await response.write(b"x")
            await asyncio.sleep(0.05)
        return response

    site.handlers |= {"/slow": slow, "/trickle": trickle}
    for path in ("/slow", "/trickle"):
        with pytest.raises(FetchUnavailableError):
            await get(site.url(path), site.host, seconds=0.3)


async def test_a_broken_connection_can_be_retried(site: Site) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png", "Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"some")
        assert request.transport
        request.transport.abort()
        return response

    site.handlers["/cut"] = cut
    with pytest.raises(FetchUnavailableError):
        await get(site.url("/cut"), site.host)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(FetchUnavailableError):
        await get(f"http://{closed}/", closed)


async def test_a_name_that_does_not_resolve_can_be_retried() -> None:
    class Down(Answers):
        async def resolve(self, *_: Any, **__: Any) -> list[ResolveResult]:
            raise OSError("no such name")

    with pytest.raises(FetchUnavailableError):
        await get("http://shop.example/a.png", resolver=Down([]))


async def test_a_server_that_speaks_no_tls_is_no_success(site: Site) -> None:
    with pytest.raises(FetchError):
        await get(f"https://{site.host}/a.png", site.host)


async def test_a_server_without_a_valid_certificate_is_refused(tmp_path: Path) -> None:
    certificate, key = _self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    with pytest.raises(FetchRefusedError) as caught:
        await get(f"https://{host}/a.png", host)
    assert caught.value.reason == "bad-certificate"
    server.close()
    await server.wait_closed()


def _self_signed(folder: Path) -> tuple[Path, Path]:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(1)
    )
    certificate = builder.sign(key, hashes.SHA256())
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("999999", 999999),
        ("Mon, 05 Jan 2026 12:01:00 GMT", 60),
        ("Mon, 05 Jan 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after(header: str | None, expected: float | None, clock: FakeClock) -> None:
    assert retry_after(header, clock.now()) == expected
