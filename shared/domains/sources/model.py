"""What is scraped, and what came of it: sources, their last runs, and things as a source shows them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.domains.collect.public import Sort
from shared.domains.items.public import Price
from shared.fetch.urls import former_keys, key
from shared.ports import Document
from shared.storage import iso

SOURCE = "source"
"""What the documents of sources say that they are."""

_FROZEN = ConfigDict(extra="forbid", frozen=True, defer_build=True)
Selector = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class SourceKind(StrEnum):
    """How a source is read."""

    REDDIT = "reddit"
    RSS = "rss"
    SITEMAP = "sitemap"
    BRAND_SITE = "brand_site"


class Selectors(BaseModel):
    """Where a brand's page shows its items: CSS selectors, which may end with `::attr(name)` for an attribute's value.

    All but `item` are looked for within an item, itself included.
    """

    model_config = _FROZEN

    item: Selector = Field(description="Each item of the page.")
    title: Selector | None = Field(None, description="Its name; by default a heading, the link's title or its text.")
    image: Selector | None = Field(None, description="Its picture; by default the first.")
    price: Selector | None = Field(None, description="Its price.")
    link: Selector | None = Field(None, description="The link to its own page; by default the first.")


class RunOutcome(StrEnum):
    """How a run of a source ended."""

    SCRAPED = "scraped"
    UNCHANGED = "unchanged"
    """The source said that nothing has changed, and nothing was read."""
    FAILED = "failed"


class Run(BaseModel):
    """The last run of a source."""

    model_config = _FROZEN

    at: AwareDatetime
    outcome: RunOutcome
    job_id: str
    """The job that it was."""
    found: int = 0
    """Things that the source showed."""
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    pages: int = 0
    """Pages behind a sitemap that were read."""
    refused: int = 0
    """Things that cannot be used, and pages that could not be had, or read, and will not be asked for again until their date changes."""
    refusals: dict[str, int] = {}
    """Of these, how many for which reason."""
    aside: int = 0
    """Pages that failed and rest for a while."""
    left: int = 0
    """Things that were too many for one run; the next goes on with them."""
    reason: str | None = None
    """Why it failed, in a short word."""
    error: str | None = None
    """Why it failed, in a sentence."""


class Health(StrEnum):
    """How a source is."""

    NEW = "new"
    HEALTHY = "healthy"
    FAILING = "failing"
    SWITCHED_OFF = "switched_off"
    """It failed too often."""
    INACTIVE = "inactive"
    """An operator switched it off."""


class Source(BaseModel):
    """Something that is scraped: what an operator says of it, and how it went."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    id: str
    kind: SourceKind
    label: str
    url: str | None = None
    """The address of the feed, sitemap or page; None on Reddit."""
    subreddit: str | None = None
    sort: Sort = "hot"
    """Which of a subreddit's listings."""
    selectors: Selectors | None = None
    currency: str | None = None
    """What a bare number, or a `$`, stands for (ISO 4217)."""
    tags: tuple[str, ...] = ()
    """What all its items are filed under."""
    owner: str = "system"
    active: bool = True
    poll_interval_seconds: int = 86400
    created_at: AwareDatetime
    updated_at: AwareDatetime
    """When an operator last changed it."""

    due_at: AwareDatetime
    """Not before this moment is it scraped by the timer."""
    last_run: Run | None = None
    last_success_at: AwareDatetime | None = None
    failures: int = 0
    """Failed runs in a row."""
    switched_off_reason: str | None = None
    etag: str | None = None
    """What its server said of the version last read, for asking whether that is still the current one."""
    last_modified: str | None = None
    versioned_url: str | None = None
    """The address that it is a version of."""
    moved_to: str | None = None
    """Where its address has moved for good."""
    fence: int = 0
    """Of the lock under which the last run was recorded."""

    @property
    def health(self) -> Health:
        """How it is."""
        if not self.active:
            return Health.SWITCHED_OFF if self.switched_off_reason else Health.INACTIVE
        if self.last_run is None:
            return Health.NEW
        return Health.FAILING if self.failures else Health.HEALTHY

    def to_document(self) -> Document:
        """As it is stored."""
        return {
            **self.model_dump(mode="json"),
            "pk": self.id,
            "type": SOURCE,
            "due_at": iso(self.due_at),
            "health": self.health.value,
        }

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """Read what `to_document` wrote."""
        return cls.model_validate(document)


def source_id(kind: SourceKind, where: str) -> str:
    """The id of the source of this kind at an address, or of a subreddit: it is one, however often it is asked for."""
    return _id_of(kind, where.casefold() if kind is SourceKind.REDDIT else key(where))


def former_source_ids(kind: SourceKind, where: str) -> list[str]:
    """The ids that a source may have been stored under while addresses were written otherwise; none for most of them."""
    return [] if kind is SourceKind.REDDIT else [_id_of(kind, former) for former in former_keys(where)]


def _id_of(kind: SourceKind, place: str) -> str:
    return f"{kind}_{hashlib.sha256(place.encode(errors='surrogatepass')).hexdigest()[:12]}"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing as a source shows it. Texts are plain."""

    url: str | None
    """The canonical address."""
    title: str = ""
    id: str = ""
    """The source's own id of it, if it has one."""
    text: str = ""
    image_url: str | None = None
    price: Price | None = None
    tags: tuple[str, ...] = ()
    score: float = 0.0
    published_at: datetime | None = None
    page: bool = False
    """Whether there is more to know of it on its page."""

    @property
    def mark(self) -> str:
        """What changes when the source shows something else, popularity apart."""
        price = self.price.to_json() if self.price else None
        published = iso(self.published_at) if self.published_at else None
        shown = (self.url, self.title, self.text, self.image_url, price, self.tags, published)
        return hashlib.sha256(json.dumps(shown).encode()).hexdigest()[:8]
