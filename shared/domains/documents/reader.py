"""Reading documents where it can be killed: the port, and the embedded reader behind it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from shared.domains.documents.reading.dispatch import read_part
from shared.domains.documents.settings import DocumentSettings
from shared.domains.documents.text import Heading, Outcome, Page, Refusal, Table, Text
from shared.language import language_of
from shared.sandbox import Failure, Limits, Why, sandbox, sandbox_within

if TYPE_CHECKING:
    from shared.settings import Settings

LOG = logging.getLogger("nightshift.documents")
_TOLD = 4_000
"""Characters that tell the language."""


class DocumentReader(Protocol):
    """Reads documents."""

    async def read(self, data: bytes, name: str, password: str | None = None) -> Text | Refusal:
        """Read a document; that it cannot be read is a value too.

        Args:
            data: its bytes.
            name: the name of its file: where the bytes say little, its ending says what it is.
            password: opens it, where it is protected.
        """
        ...


def document_reader(settings: Settings) -> DocumentReader:
    """The reader that the settings ask for."""
    embedded = EmbeddedReader(settings)
    if settings.of(DocumentSettings).intelligence_endpoint is None:
        return embedded
    from shared.domains.documents.hosted import HostedReader

    return ReaderOfPictures(embedded, HostedReader(settings))


class ReaderOfPictures:
    """Reads with what is built in, and has a service read what shows pictures of text."""

    def __init__(self, embedded: EmbeddedReader, service: DocumentReader) -> None:
        self._embedded = embedded
        self._service = service

    async def read(self, data: bytes, name: str, password: str | None = None) -> Text | Refusal:
        """Read a document."""
        from shared.domains.documents.hosted import is_picture

        found = await self._embedded.read(data, name, password)
        if isinstance(found, Text) or not (found.outcome is Outcome.NO_TEXT or is_picture(data)):
            return found
        seen = await self._service.read(data, name, password)
        if isinstance(seen, Refusal):
            return seen if seen.outcome is not Outcome.NO_TEXT else found
        return replace(seen, format=found.format or "picture", language=await self._embedded.language(seen.text))


class EmbeddedReader:
    """Reads documents with what is built in, in the sandbox: nothing that a document does reaches the worker."""

    def __init__(self, settings: Settings) -> None:
        chosen = settings.of(DocumentSettings)
        self._most = chosen.max_bytes
        self._seconds = chosen.seconds
        self.sandbox = sandbox_within(Limits(chosen.processes, chosen.cpu_seconds, chosen.memory_mb * 2**20))
        self._general = sandbox(settings)

    async def read(self, data: bytes, name: str, password: str | None = None) -> Text | Refusal:
        """Read a document."""
        if len(data) > self._most:
            words = f"This document is too large to be read: it has more than {self._most // 2**20} MiB."
            return Refusal.of(Outcome.TOO_LARGE, words)
        try:
            async with asyncio.timeout(self._seconds):
                found = await self._read(data, name, password)
        except TimeoutError:
            return Refusal.of(Outcome.TIMED_OUT)
        if isinstance(found, Refusal):
            return found
        if not found.text.strip():
            return Refusal.of(Outcome.NO_TEXT, format=found.format)
        return replace(found, language=await self.language(found.text))

    def close(self) -> None:
        """End the children; a later call starts new ones."""
        self.sandbox.close()
        self._general.close()

    async def _read(self, data: bytes, name: str, password: str | None) -> Text | Refusal:
        """All pages, some at a time: each call may take its own CPU time."""
        parts: list[Text] = []
        first: int | None = 0
        while first is not None:
            part = await self.sandbox.run(read_part, data, name, password, first)
            if isinstance(part, Failure):
                LOG.warning("document not read: why=%s type=%s", part.why.value, part.type)
                return _refusal(part)
            if isinstance(part, Refusal):
                return part
            parts.append(part.text)
            first = part.rest
        return parts[0] if len(parts) == 1 else joined(parts)

    async def language(self, text: str) -> str | None:
        """The language of a text, told in the sandbox."""
        found = await self._general.run(language_of, text[:_TOLD])
        return None if isinstance(found, Failure) else found


def joined(parts: list[Text]) -> Text:
    """The pages of one document, read by several calls, as one text."""
    gap, at, whole = "\n\n", 0, parts[0]
    pages: list[Page] = []
    headings: list[Heading] = []
    tables: list[Table] = []
    for part in parts:
        before = len(pages)
        pages += [
            replace(each, number=each.number + before, start=each.start + at, end=each.end + at) for each in part.pages
        ]
        headings += [replace(each, start=each.start + at) for each in part.headings]
        tables += [
            replace(each, page=each.page + before, start=each.start + at, end=each.end + at) for each in part.tables
        ]
        at += len(part.text) + len(gap)
    links = dict.fromkeys(link for part in parts for link in part.links)
    return replace(
        whole,
        text=gap.join(part.text for part in parts),
        pages=tuple(pages),
        headings=tuple(headings),
        tables=tuple(tables),
        links=tuple(links),
    )


def _refusal(failure: Failure) -> Refusal:
    if failure.why is Why.TIME:
        return Refusal.of(Outcome.TIMED_OUT)
    if failure.why is Why.MEMORY:
        return Refusal.of(Outcome.TOO_LARGE, "This document is too large to be read: it takes too much memory.")
    return Refusal.of(Outcome.BROKEN)
