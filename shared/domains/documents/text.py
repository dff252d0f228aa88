"""What a document is once it was read: its text with what is in it, or a refusal with words for whoever uploaded it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

READER = 1
"""The version of the readers: what an older one read, or refused, can be read anew."""


class Outcome(StrEnum):
    """How reading a document ends: in exactly one of these ways."""

    TEXT = "text"
    NO_TEXT = "no_text"
    ENCRYPTED = "encrypted"
    BROKEN = "broken"
    UNSUPPORTED = "unsupported"
    TOO_LARGE = "too_large"
    TIMED_OUT = "timed_out"


_WORDS = {
    Outcome.NO_TEXT: "There is no text in this document. If it shows pictures of pages, it must be read by a service that recognises text.",
    Outcome.ENCRYPTED: "This document is protected by a password. Give the password, and it is read again.",
    Outcome.BROKEN: "This document is damaged and cannot be read. Try to open it and to save it anew.",
    Outcome.UNSUPPORTED: "Documents of this format cannot be read.",
    Outcome.TOO_LARGE: "This document is too large to be read.",
    Outcome.TIMED_OUT: "Reading this document took too long.",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A document without text: which way it ended, and words for its user."""

    outcome: Outcome
    words: str
    format: str = ""
    """What it was taken for, such as `pdf`; empty where that is not known."""

    @classmethod
    def of(cls, outcome: Outcome, words: str = "", format: str = "") -> Refusal:
        """A refusal, with the usual words where there are no better ones."""
        return cls(outcome, words or _WORDS[outcome], format)


@dataclass(frozen=True, slots=True)
class Page:
    """A page, a slide or a sheet: a stretch of the text."""

    number: int
    """From 1."""
    start: int
    end: int
    """Offsets into the text: `text[start:end]` is the page's."""
    label: str = ""
    """A sheet's name, a chapter's file: what it is called where it is not just numbered."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within the text."""

    start: int
    """The offset of its line."""
    level: int
    title: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its text is part of the document's, a line for each row."""

    page: int
    start: int
    end: int
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Text:
    """What a document says."""

    text: str
    """In reading order: headings as `# Heading`, list items as `- item`, tables as rows between bars."""
    format: str
    """What it was read as: `pdf`, `docx`, `pptx`, `sheet`, `odf`, `html`, `rtf`, `csv`, `markdown`, `text`, ..."""
    pages: tuple[Page, ...] = ()
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    links: tuple[str, ...] = ()
    title: str = ""
    author: str = ""
    created: str = ""
    modified: str = ""
    """Moments in the form of ISO 8601, as far as the document tells them."""
    language: str | None = None
    """ISO 639-1."""

    @property
    def outcome(self) -> Outcome:
        """Always `text`: a document without any is a refusal."""
        return Outcome.TEXT

    def of_page(self, number: int) -> str:
        """The text of a page, from 1.

        Raises:
            LookupError: there is no such page.
        """
        for page in self.pages:
            if page.number == number:
                return self.text[page.start : page.end]
        raise LookupError(f"there is no page {number}")
