"""Azure Document Intelligence behind the port of readers: for what holds no text of its own, such as scans and pictures.

Sources: "Analyze document" and "Get analyze result" of API version 2024-11-30. Offsets are asked for in code points, as Python counts.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.azure_ai import SCOPE
from shared.domains.documents.settings import DocumentSettings
from shared.domains.documents.text import Heading, Outcome, Page, Refusal, Table, Text
from shared.fetch import retry_after
from shared.jobs import RetryLater

if TYPE_CHECKING:
    import aiohttp

    from shared.settings import Settings

LOG = logging.getLogger("nightshift.documents")
_VERSION = "2024-11-30"
_PAUSE, _LONGEST_PAUSE = 1.0, 15.0
_LATER = 30.0
"""Seconds until a service that did not answer is asked again."""
_LEVELS = {"title": 1, "sectionHeading": 2}
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*")
"""How JPEG, PNG, BMP and TIFF begin."""
_REFUSALS = {
    "InvalidContentLength": Outcome.TOO_LARGE,
    "InvalidContentDimensions": Outcome.TOO_LARGE,
    "UnsupportedContent": Outcome.UNSUPPORTED,
    "InvalidContent": Outcome.BROKEN,
    "InvalidImage": Outcome.BROKEN,
    "ModelAnalyzeError": Outcome.BROKEN,
}
"""The service's codes for what is wrong with a document."""


def is_picture(data: bytes) -> bool:
    """Whether it is a picture of one of the sorts that the service reads."""
    return data.startswith(_PICTURES)


class HostedReader:
    """Has documents read by the service: a client for each, since beside an analysis a handshake is nothing."""

    def __init__(self, settings: Settings) -> None:
        chosen = settings.of(DocumentSettings)
        self._endpoint = str(chosen.intelligence_endpoint).rstrip("/")
        self._key, self._model, self._seconds = chosen.intelligence_key, chosen.intelligence_model, chosen.seconds
        self._client_id = settings.azure_client_id

    async def read(self, data: bytes, name: str, password: str | None = None) -> Text | Refusal:  # noqa: ARG002 - it opens nothing that is protected
        """Read a document.

        Raises:
            RetryLater: the service does not answer, or has too much to do.
        """
        import aiohttp

        try:
            async with asyncio.timeout(self._seconds), self._session() as session:
                return await self._analysed(session, data)
        except TimeoutError:
            return Refusal.of(Outcome.TIMED_OUT)
        except aiohttp.ClientError as error:
            raise RetryLater(_LATER, f"the service did not answer ({type(error).__name__})") from None

    async def _analysed(self, session: aiohttp.ClientSession, data: bytes) -> Text | Refusal:
        address = f"{self._endpoint}/documentintelligence/documentModels/{self._model}:analyze"
        query = {"api-version": _VERSION, "stringIndexType": "unicodeCodePoint"}
        async with session.post(address, params=query, data=data) as answer:
            if answer.status != 202:
                return _refusal(await _content(answer), answer.status, answer.headers)
            operation = answer.headers["Operation-Location"]
            if urlsplit(operation).netloc != urlsplit(self._endpoint).netloc:  # the key goes nowhere else
                raise RetryLater(_LATER, "the service named another host for its result")
        pause = _PAUSE
        while True:
            await asyncio.sleep(pause)
            async with session.get(operation) as answer:
                content = await _content(answer)
                if answer.status != 200:
                    return _refusal(content, answer.status, answer.headers)
                pause = retry_after(answer.headers.get("Retry-After")) or min(pause * 1.5, _LONGEST_PAUSE)
            if content.get("status") == "succeeded":
                return text_of(content["analyzeResult"])
            if content.get("status") == "failed":
                return _refusal(content, 400, {})

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        import aiohttp

        headers = {"Content-Type": "application/octet-stream"}
        if self._key:
            headers["Ocp-Apim-Subscription-Key"] = self._key
        else:
            headers["Authorization"] = f"Bearer {await self._token()}"
        async with aiohttp.ClientSession(headers=headers) as session:
            yield session

    async def _token(self) -> str:
        from azure.identity.aio import DefaultAzureCredential

        async with DefaultAzureCredential(managed_identity_client_id=self._client_id) as credential:
            return (await credential.get_token(SCOPE)).token


def text_of(result: Mapping[str, Any]) -> Text | Refusal:
    """What the service found, as the embedded readers tell it."""
    content = str(result.get("content") or "")
    if not content.strip():
        return Refusal.of(Outcome.NO_TEXT)
    pages = tuple(Page(int(each["pageNumber"]), *_span(each)) for each in result.get("pages", ()) if each.get("spans"))
    headings = tuple(
        Heading(_span(each)[0], _LEVELS[each["role"]], str(each["content"]))
        for each in result.get("paragraphs", ())
        if each.get("role") in _LEVELS and each.get("spans")
    )
    return Text(content, "hosted", pages, headings, tuple(map(_table, result.get("tables", ()))))


def _table(table: Mapping[str, Any]) -> Table:
    rows = [[""] * int(table["columnCount"]) for _ in range(int(table["rowCount"]))]
    for cell in table.get("cells", ()):
        for row in range(int(cell["rowIndex"]), int(cell["rowIndex"]) + int(cell.get("rowSpan", 1))):
            for column in range(int(cell["columnIndex"]), int(cell["columnIndex"]) + int(cell.get("columnSpan", 1))):
                rows[row][column] = str(cell.get("content") or "")
    page = next((int(each["pageNumber"]) for each in table.get("boundingRegions", ())), 1)
    return Table(page, *(_span(table) if table.get("spans") else (0, 0)), tuple(map(tuple, rows)))


def _span(element: Mapping[str, Any]) -> tuple[int, int]:
    spans = element["spans"]
    return int(spans[0]["offset"]), int(spans[-1]["offset"]) + int(spans[-1]["length"])


def _refusal(content: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Refusal:
    """What an answer means that is no success.

    Raises:
        RetryLater: it says nothing of the document.
    """
    error = content.get("error") or {}
    codes = [error.get("code"), (error.get("innererror") or {}).get("code")]
    outcome = next((_REFUSALS[code] for code in reversed(codes) if code in _REFUSALS), None)
    if outcome is None and status == 413:
        outcome = Outcome.TOO_LARGE
    if outcome is None:
        LOG.warning("document service refused: status=%d", status)
        raise RetryLater(retry_after(headers.get("Retry-After")) or _LATER, f"the service answered {status}")
    return Refusal.of(outcome)


async def _content(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    try:
        content = await answer.json(content_type=None)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
