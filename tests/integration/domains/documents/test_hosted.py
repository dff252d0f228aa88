"""Azure Document Intelligence over the wire, against a server on this machine that speaks its protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from shared.declarations import settings_of
from shared.domains.documents import hosted
from shared.domains.documents.public import Refusal, Text, document_reader
from shared.domains.documents.text import Outcome
from shared.jobs import RetryLater
from support.documents import pdf

PNG = b"\x89PNG\r\n\x1a\n picture"
CONTENT = "Invoice\nTotal 5 €"
RESULT = {
    "content": CONTENT,
    "pages": [{"pageNumber": 1, "spans": [{"offset": 0, "length": len(CONTENT)}]}],
    "paragraphs": [{"role": "title", "content": "Invoice", "spans": [{"offset": 0, "length": 7}]}],
    "tables": [
        {
            "rowCount": 1, "columnCount": 2, "spans": [{"offset": 8, "length": 9}], "boundingRegions": [{"pageNumber": 1}],
            "cells": [{"rowIndex": 0, "columnIndex": 0, "content": "Total"}, {"rowIndex": 0, "columnIndex": 1, "content": "5 €"}],
        }
    ],
}  # fmt: skip


@dataclass
class Service:
    """What the server was asked, and what it is to answer."""

    url: str = ""
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    accepted: Any = 202
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    async def analyse(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        self.bodies.append(await request.read())
        if self.accepted != 202:
            status, content = self.accepted
            return web.json_response(content, status=status, headers={"Retry-After": "7"})
        return web.Response(status=202, headers={"Operation-Location": f"{self.url}/documentintelligence/results/1"})

    async def result(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        status, content = self.answers.pop(0)
        return web.json_response(content, status=status)


@pytest.fixture
async def service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    monkeypatch.setattr(hosted, "_PAUSE", 0.01)
    made = Service()
    app = web.Application()
    app.router.add_post("/documentintelligence/documentModels/{model}:analyze", made.analyse)
    app.router.add_get("/documentintelligence/results/1", made.result)
    async with TestServer(app) as server:
        made.url = str(server.make_url("")).rstrip("/")
        yield made


async def read(service: Service, data: bytes, name: str) -> Text | Refusal:
    settings = settings_of(
        {"AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT": service.url, "AZURE_DOCUMENT_INTELLIGENCE_KEY": "the key"}
    )
    return await document_reader(settings).read(data, name)


async def test_a_scan_is_read_by_the_service_with_pages_headings_and_tables(service: Service) -> None:
    service.answers = [(200, {"status": "running"}), (200, {"status": "succeeded", "analyzeResult": RESULT})]
    scan = pdf("")
    found = await read(service, scan, "scan.pdf")
    assert isinstance(found, Text)
    assert (found.text, found.format, found.of_page(1)) == (CONTENT, "pdf", CONTENT)
    assert [(each.start, each.level, each.title) for each in found.headings] == [(0, 1, "Invoice")]
    assert [table.rows for table in found.tables] == [(("Total", "5 €"),)]
    first = service.asked[0]
    assert service.bodies == [scan]
    assert first.headers["Ocp-Apim-Subscription-Key"] == "the key"
    assert first.match_info["model"] == "prebuilt-layout"
    assert dict(first.query) == {"api-version": "2024-11-30", "stringIndexType": "unicodeCodePoint"}


async def test_a_picture_is_read_by_it_and_what_has_text_is_not_sent(service: Service) -> None:
    service.answers = [(200, {"status": "succeeded", "analyzeResult": RESULT})]
    found = await read(service, PNG, "photo.png")
    assert isinstance(found, Text)
    assert found.format == "picture"
    assert isinstance(await read(service, b"Words of its own.", "x.txt"), Text)
    assert service.bodies == [PNG]


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ({"code": "InvalidRequest", "innererror": {"code": "InvalidContent"}}, Outcome.BROKEN),
        ({"code": "InvalidRequest", "innererror": {"code": "InvalidContentLength"}}, Outcome.TOO_LARGE),
        ({"code": "InvalidRequest", "innererror": {"code": "UnsupportedContent"}}, Outcome.UNSUPPORTED),
    ],
)
async def test_what_the_service_refuses_ends_in_one_of_the_seven_ways(
    service: Service, answer: dict[str, Any], outcome: Outcome
) -> None:
    service.accepted = (400, {"error": answer})
    found = await read(service, PNG, "photo.png")
    assert isinstance(found, Refusal)
    assert found.outcome is outcome
    service.accepted, service.answers = 202, [(200, {"status": "failed", "error": answer})]
    again = await read(service, PNG, "photo.png")
    assert again.outcome is outcome


async def test_a_picture_without_words_has_no_text(service: Service) -> None:
    service.answers = [(200, {"status": "succeeded", "analyzeResult": {"content": " "}})]
    found = await read(service, pdf(""), "scan.pdf")
    assert isinstance(found, Refusal)
    assert found.outcome is Outcome.NO_TEXT


async def test_a_service_that_is_busy_or_away_is_asked_again_when_it_says(service: Service) -> None:
    service.accepted = (429, {"error": {"code": "TooManyRequests"}})
    with pytest.raises(RetryLater) as busy:
        await read(service, PNG, "photo.png")
    assert busy.value.seconds == 7
    service.url = "http://127.0.0.1:9"
    with pytest.raises(RetryLater, match="did not answer"):
        await read(service, PNG, "photo.png")
