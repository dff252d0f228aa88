"""Fetching images, and analysing them, over real HTTP on this machine."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import socket
import ssl
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from shared.adapters.sqlite import SqliteDocuments
from shared.declarations import settings_of
from shared.domains.taste.containers import TASTE
from shared.domains.taste.errors import AnalyserUnavailableError
from shared.domains.taste.feedback import Item, TasteJob
from shared.domains.taste.kinds import TastePriorJob, analyse_feedback, refresh_prior
from shared.domains.taste.store import TasteStore
from shared.domains.taste.vision import VisionAnalyser
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
from shared.jobs.errors import RetryLater
from shared.ports import Query
from shared.settings import Settings
from support.clock import FakeClock
from support.sites import Answers

MB = 1024 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """A server on this machine, which counts who came."""

    port: int = 0
    hits: list[str] = field(default_factory=list)
    requests: list[web.Request] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def serve(self, path: str, body: bytes = b"", status: int = 200, kind: str = "image/png", **headers: str) -> str:
        async def handler(_: web.Request) -> web.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(body=body, status=status, content_type=kind, headers=named)

        self.handlers[path] = handler
        return self.url(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.hits.append(request.path)
        self.requests.append(request)
        return await self.handlers[request.path](request)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application(client_max_size=50 * MB)
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    server = web.TCPSite(runner, "127.0.0.1", 0)
    await server.start()
    site.port = runner.addresses[0][1]
    yield site
    await runner.cleanup()


def png(colour: tuple[int, int, int] = (204, 29, 37)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(data, "PNG")
    return data.getvalue()


def bomb(side: int = 30_000) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(MB))) + chunk(b"IEND", b"")
    )


async def get(url: str, *allowed: str, resolver: AbstractResolver | None = None, seconds: float = 5) -> bytes:
    return await fetch_image(url, max_bytes=MB, timeout_seconds=seconds, allowed=allowed, resolver=resolver)


# --- who may be asked --------------------------------------------------------------------------------------------


async def test_an_allowed_host_is_fetched_honestly(site: Site) -> None:
    url = site.serve("/a.png", png())
    assert await get(url, site.host) == png()
    headers = site.requests[0].headers
    assert headers["User-Agent"].startswith("Nightshift/")
    assert headers["Accept"] == "image/*"
    assert "Cookie" not in headers
    assert "Referer" not in headers


async def test_nobody_is_asked_who_is_not_public(site: Site) -> None:
    site.serve("/a.png", png())
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
    site.serve("/a.png", png())
    names = Answers(answer)
    with pytest.raises(AddressRefusedError):
        await get(f"http://shop.example:{site.port}/a.png", resolver=names)
    assert site.hits == []
    assert names.asked == ["shop.example"]


async def test_answers_that_change_find_no_gap(site: Site) -> None:
    """A name is asked for once a hop, and what is checked is the very address that the socket would connect to."""
    site.serve("/a.png", png())
    site.serve("/go", status=302, Location=f"http://shop.example:{site.port}/a.png")
    names = Answers(["127.0.0.1"])
    with pytest.raises(AddressRefusedError):
        await get(site.url("/go"), site.host, resolver=names)
    assert names.asked == ["shop.example"]
    assert site.hits == ["/go"]
    listed = Answers(["127.0.0.1"], ["127.0.0.1"])
    url = f"http://shop.example:{site.port}"
    site.serve("/again", status=302, Location=f"http://other.example:{site.port}/a.png")
    with pytest.raises(AddressRefusedError):
        await get(f"{url}/again", f"shop.example:{site.port}", resolver=listed)
    assert listed.asked == ["shop.example", "other.example"]


async def test_a_listed_port_does_not_open_its_neighbours(site: Site) -> None:
    with pytest.raises(AddressRefusedError):
        await get(site.serve("/a.png", png()), f"127.0.0.1:{site.port + 1}")


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
        await get(site.serve("/go", status=302, Location=target), site.host)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://example.com/", "http://u:p@127.0.0.1/", "http://[::1"])
async def test_a_redirect_to_no_http_url_is_refused(site: Site, target: str) -> None:
    with pytest.raises(UrlRefusedError):
        await get(site.serve("/go", status=307, Location=target), site.host)


@settings(deadline=None, max_examples=300)
@given(
    st.text(max_size=30),
    st.sampled_from(["http://{}", "http://{}/a", "http://a.{}:80/", "http://[{}]/", "http://a.example/{}"]),
)
async def test_whatever_the_url_only_errors_of_fetching_are_raised(noise: str, form: str) -> None:
    with pytest.raises(FetchError):
        await get(form.format(noise), resolver=Answers(["127.0.0.1"]))


async def test_redirects_are_followed_and_counted(site: Site) -> None:
    site.serve("/a.png", png())
    for step in range(5):
        site.serve(f"/{step}", status=301, Location="/a.png" if step == 4 else f"/{step + 1}")
    assert await get(site.url("/0"), site.host) == png()
    site.serve("/-1", status=301, Location="/0")
    with pytest.raises(TooManyRedirectsError):
        await get(site.url("/-1"), site.host)


async def test_a_redirect_to_nowhere_is_refused(site: Site) -> None:
    with pytest.raises(StatusRefusedError):
        await get(site.serve("/go", status=302), site.host)


async def test_no_proxy_is_taken_from_the_environment(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert await get(site.serve("/a.png", png()), site.host) == png()


async def test_cookies_are_not_kept(site: Site) -> None:
    site.serve("/a.png", png())
    await get(site.serve("/go", status=302, Location="/a.png", Set_Cookie="session=1; Path=/"), site.host)
    assert "Cookie" not in site.requests[-1].headers


# --- how much is taken -------------------------------------------------------------------------------------------


async def test_a_20_mb_image_is_refused_by_its_header(site: Site) -> None:
    with pytest.raises(BodyTooLargeError):
        await get(site.serve("/big.png", bytes(20 * MB)), site.host)


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
        await get(site.serve("/zip.png", body, Content_Encoding="gzip"), site.host)


async def test_a_body_of_just_the_limit_is_taken(site: Site) -> None:
    assert len(await get(site.serve("/fit.png", bytes(MB)), site.host)) == MB
    with pytest.raises(BodyTooLargeError):
        await get(site.serve("/over.png", bytes(MB + 1)), site.host)


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "application/json", "imagery/png"])
async def test_what_is_no_image_is_refused(site: Site, kind: str) -> None:
    with pytest.raises(ContentTypeRefusedError):
        await get(site.serve("/page", b"<html>", kind=kind), site.host)


async def test_other_types_can_be_asked_for(site: Site) -> None:
    url = site.serve("/feed", b"<rss/>", kind="application/rss+xml")
    fetched = await fetch(
        url, accept=("text/", "application/rss+xml"), max_bytes=MB, timeout_seconds=5, allowed=(site.host,)
    )
    assert (fetched.body, fetched.content_type, fetched.url) == (b"<rss/>", "application/rss+xml", url)


# --- what may pass, and what may not -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 410, 451])
async def test_a_status_that_stays_is_final(site: Site, status: int) -> None:
    with pytest.raises(StatusRefusedError):
        await get(site.serve("/x", status=status), site.host)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_status_that_may_pass_can_be_retried(site: Site, status: int) -> None:
    with pytest.raises(FetchUnavailableError) as caught:
        await get(site.serve("/x", status=status, Retry_After="17"), site.host)
    assert caught.value.retry_after == 17


async def test_a_slow_server_is_left(site: Site) -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/png"})
        await response.prepare(request)
        for _ in range(100):
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
        ("999999", 3600),
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


# --- the job -----------------------------------------------------------------------------------------------------


@dataclass
class Context:
    """What the handlers use of a job's context."""

    documents: SqliteDocuments
    settings: Settings
    clock: FakeClock
    steps: list[str] = field(default_factory=list)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test"))

    async def progress(self, step: str, completed: int, total: int) -> None:
        assert 0 <= completed <= total
        self.steps.append(step)

    async def checkpoint(self) -> None:
        self.steps.append("checkpoint")


@pytest.fixture
async def context(tmp_path: Path, clock: FakeClock, site: Site) -> AsyncIterator[Context]:
    documents = SqliteDocuments(tmp_path / "taste.db", clock)
    yield Context(documents, settings_of({"FETCH_ALLOWED_HOSTS": site.host, "FETCH_TIMEOUT_SECONDS": "2"}), clock)
    await documents.close()


def job(**changes: Any) -> TasteJob:
    return TasteJob.model_validate(
        {
            "user_id": "u",
            "item_id": "i",
            "signal": "up",
            "item": {"title": "Silk gown", "occasion": "wedding"},
            "occurred_at": "2026-01-01T00:00:00Z",
        }
        | changes
    )


async def run(payload: TasteJob, context: Context) -> Any:
    return await analyse_feedback(payload, context)  # type: ignore[arg-type]


async def stored(context: Context) -> dict[str, Any]:
    page = await context.documents.query(TASTE, Query(order_by="sort"))
    return {document["kind"]: document for document in page.items}


async def test_a_job_without_an_image_reports_no_progress(context: Context) -> None:
    result = await run(job(), context)
    assert result["image"] == {"status": "none"}
    assert result["facets"] == {"occasion": ["wedding"], "garment": ["gown"], "material": ["silk"]}
    assert context.steps == []
    assert result["profile"] == (await TasteStore(context.documents, context.clock).read("u")).fingerprint
    assert json.loads(json.dumps(result)) == result


async def test_a_job_twice_changes_nothing(context: Context, site: Site) -> None:
    payload = job(image_url=site.serve("/a.png", png()))
    first = await run(payload, context)
    before = await stored(context)
    assert await run(payload, context) == first
    assert await stored(context) == before


async def test_the_colours_of_the_image_are_found(context: Context, site: Site) -> None:
    result = await run(job(image_url=site.serve("/a.png", png())), context)
    assert result["image"] == {"status": "read"}
    assert result["facets"]["colour"] == ["red"]
    assert context.steps == ["fetching image", "checkpoint"]
    evidence = (await stored(context))["evidence"]
    assert evidence["sources"]["colour"] == ["image"]
    assert site.host not in json.dumps(evidence)


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/big.png", {"body": bytes(20 * MB)}, "too-large"),
        ("/bomb.png", {"body": bomb()}, "too-many-pixels"),
        ("/html.png", {"body": b"<html>"}, "not-an-image"),
        ("/page", {"body": b"<html>", "kind": "text/html"}, "wrong-type"),
        ("/gone.png", {"status": 404}, "not-served"),
        ("/go", {"status": 302, "Location": "http://169.254.169.254/"}, "not-public"),
    ],
)
async def test_an_image_that_is_refused_is_done_without(
    context: Context, site: Site, path: str, answer: dict[str, Any], reason: str
) -> None:
    result = await run(job(image_url=site.serve(path, **answer)), context)
    assert result["image"] == {"status": "refused", "reason": reason}
    assert result["facets"]["occasion"] == ["wedding"]
    assert (await stored(context))["evidence"]["image"] == result["image"]


async def test_an_address_that_is_private_after_all_is_done_without(context: Context) -> None:
    result = await run(job(image_url="http://127.0.0.1:1/a.png"), context)
    assert result["image"] == {"status": "refused", "reason": "not-public"}


async def test_an_image_that_cannot_be_had_now_is_waited_for(context: Context, site: Site) -> None:
    busy = job(image_url=site.serve("/busy.png", status=503, Retry_After="9"))
    with pytest.raises(RetryLater) as later:
        await run(busy, context)
    assert later.value.seconds == 9
    with pytest.raises(FetchUnavailableError):
        await run(job(image_url=site.serve("/down.png", status=500)), context)
    assert await stored(context) == {}


async def test_a_down_after_an_up_stands(context: Context) -> None:
    await run(job(), context)
    await run(job(signal="down", occurred_at="2026-01-01T00:00:01Z"), context)
    await run(job(), context)
    profile = (await stored(context))["profile"]
    assert (profile["ups"], profile["downs"]) == (0, 1)


async def test_the_prior_is_refreshed_by_a_job(context: Context) -> None:
    for number in range(6):
        await run(job(user_id=f"u{number}"), context)
    result = await refresh_prior(TastePriorJob(), context)  # type: ignore[arg-type]
    assert result["users"] == 6
    assert (await context.documents.read(TASTE, "~prior", "prior")) is not None


# --- the model ---------------------------------------------------------------------------------------------------

SEEN = {
    "style": ["Boho", "martian"],
    "colour": ["Navy Blue"],
    "garment": ["gowns"],
    "occasion": [],
    "pattern": [],
    "material": ["silk"],
}


def _completion(content: str) -> bytes:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ).encode()


def _eyes(site: Site, status: int = 200, content: str = json.dumps(SEEN), **headers: str) -> Settings:
    path = "/openai/deployments/eyes/chat/completions"
    site.serve(path, _completion(content), status, "application/json", **headers)
    return settings_of(
        {
            "FETCH_ALLOWED_HOSTS": site.host,
            "AZURE_OPENAI_ENDPOINT": site.url(""),
            "AZURE_OPENAI_VISION_DEPLOYMENT": "eyes",
            "AZURE_OPENAI_API_KEY": "not-a-secret",
        }
    )


async def test_the_model_sees_a_small_copy_and_nothing_of_the_user(site: Site) -> None:
    bodies: list[dict[str, Any]] = []
    settings = _eyes(site)

    async def handler(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(body=_completion(json.dumps(SEEN)), content_type="application/json")

    site.handlers["/openai/deployments/eyes/chat/completions"] = handler
    data = io.BytesIO()
    Image.effect_noise((1500, 1500), 80).save(data, "PNG")
    findings = await VisionAnalyser(settings).analyse(Item(title="Anna's gown"), data.getvalue())
    assert findings.facets == {
        "style": {"bohemian": 0.9},
        "colour": {"navy": 0.9},
        "garment": {"gown": 0.9},
        "material": {"silk": 0.9},
    }
    assert site.requests[0].headers["api-key"] == "not-a-secret"
    assert site.requests[0].query["api-version"] == settings.openai_api_version
    assert bodies[0]["model"] == "eyes"
    assert "Anna" not in json.dumps(bodies)
    assert len(json.dumps(bodies)) < 300_000 < len(data.getvalue())


async def test_without_a_key_the_identity_signs_in(site: Site) -> None:
    async def token() -> str:
        return "of-the-identity"

    analyser = VisionAnalyser(replace(_eyes(site), openai_api_key=None))
    analyser.__dict__["_token"] = token
    assert (await analyser.analyse(Item(), png())).facets["colour"] == {"navy": 0.9}
    assert site.requests[0].headers["Authorization"] == "Bearer of-the-identity"


@pytest.mark.parametrize(
    "content",
    ["", "I cannot help with that.", "{}", "[]", json.dumps(SEEN | {"more": 1}), json.dumps(SEEN | {"style": "x"})],
)
async def test_an_answer_of_another_shape_is_nothing_seen(site: Site, content: str) -> None:
    findings = await VisionAnalyser(_eyes(site, content=content)).analyse(Item(), png())
    assert findings.facets == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_model_that_refuses_is_done_without(site: Site, status: int) -> None:
    assert (await VisionAnalyser(_eyes(site, status)).analyse(Item(), png())).facets == {}
    assert len(site.hits) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_model_that_is_busy_is_asked_later(site: Site, status: int) -> None:
    with pytest.raises(AnalyserUnavailableError) as caught:
        await VisionAnalyser(_eyes(site, status, Retry_After="21")).analyse(Item(), png())
    assert caught.value.retry_after == 21
    assert len(site.hits) == 1


async def test_a_job_waits_for_the_model(context: Context, site: Site) -> None:
    payload = job(image_url=site.serve("/a.png", png()))
    context.settings = _eyes(site, 429, Retry_After="21")
    with pytest.raises(RetryLater) as later:
        await run(payload, context)
    assert later.value.seconds == 21
    context.settings = _eyes(site)
    result = await run(payload, context)
    assert result["facets"]["colour"] == ["red", "navy"]
    assert result["facets"]["style"] == ["bohemian"]


async def test_no_image_means_no_question(site: Site) -> None:
    assert (await VisionAnalyser(_eyes(site)).analyse(Item(title="gown"), None)).facets == {}
    assert site.hits == []
