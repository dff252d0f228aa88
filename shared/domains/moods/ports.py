"""What the processor asks of the outside world beside storage: reading articles for moods, and turning texts into vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from shared.domains.moods.model import Signals


@dataclass(frozen=True, slots=True)
class Article:
    """Something that was published, as the mood processor reads it. Texts are plain."""

    key: str
    """A hash of its canonical address, or of its content where it has none."""
    title: str
    text: str
    url: str | None
    tags: tuple[str, ...]
    """What its source says that it is about, lower case."""
    at: datetime
    """When it was published, or first seen where that is not known; whole seconds, UTC."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mood that an article speaks of."""

    name: str
    """The mood's name, in any spelling."""
    primary: str
    """The name of its primary mood."""
    weight: float
    """How clearly, over 0 and at most 1."""
    signals: Signals = field(default_factory=Signals)
    """What the article names of the mood's look."""
    description: str = ""
    """The mood in a sentence, where it is not one that the vocabulary describes."""


Findings = tuple[Finding, ...]


class Extractor(Protocol):
    """Finds the moods that articles speak of."""

    batch: int
    """How many articles it takes at a time."""
    at_once: int
    """How many batches it works on at once: one, where it needs this process's own time."""
    most: int | None
    """How many articles it reads in a run, the newest; None: all."""

    async def extract(self, articles: Sequence[Article]) -> list[Findings]:
        """Return what was found in each article, in their order.

        Raises:
            MoodServiceError: the service behind it cannot answer now.
        """
        ...


class Embedder(Protocol):
    """Turns texts into vectors whose angles say how alike the texts are."""

    model: str
    """Which vectors these are: only those of one model can be compared."""

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector for each text, in their order, all of one length.

        Raises:
            MoodServiceError: the service behind it cannot answer now.
        """
        ...


class MoodServiceError(Exception):
    """The service that reads moods, or makes vectors, cannot answer now."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail or type(self).__doc__)
        self.retry_after = retry_after
        """Seconds it asked to be left alone, if it said so."""
