"""What enriching asks of the outside world: a summary, and topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Text:
    """What is to be enriched. Plain texts, which strangers wrote."""

    title: str
    text: str
    """An excerpt or a whole article; its paragraphs are lines. It may be empty."""
    tags: tuple[str, ...] = ()
    """What its publisher, or the place where it was found, files it under."""
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Enriched:
    """What was made of a text."""

    summary: str
    """Markdown; empty where there is nothing to be said beyond the title."""
    topics: tuple[str, ...]
    """The most telling first."""


class Enricher(Protocol):
    """Summarises, and says what a text is about."""

    name: str
    """Who it is, and of which version: what another one made is made anew."""

    async def enrich(self, text: Text) -> Enriched:
        """Enrich a text.

        Raises:
            EnricherUnavailableError: the service behind it cannot answer now.
        """
        ...


class EnricherUnavailableError(Exception):
    """The service that summarises cannot answer now."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail or type(self).__doc__)
        self.retry_after = retry_after
        """Seconds it asked to be left alone, if it said so."""
