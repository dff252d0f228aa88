"""How sources, their items and their subscriptions look from outside."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, Uuid
from shared.domains.items.public import Item
from shared.domains.sources.model import Run, Source
from shared.domains.sources.subscriptions import Subscription
from shared.storage import iso

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class SelectorsView(TypedDict):
    """Where a brand's page shows its items."""

    item: str
    title: str | None
    image: str | None
    price: str | None
    link: str | None


@with_config(_CLOSED)
class RunView(TypedDict):
    """The last run of a source, and what became of the things that it found."""

    at: Moment
    outcome: Literal["scraped", "unchanged", "failed"]
    job_id: Uuid
    found: int
    new: int
    changed: int
    unchanged: int
    pages: int
    refused: int
    refusals: dict[str, int]
    aside: int
    left: int
    reason: str | None
    error: str | None


@with_config(_CLOSED)
class SourceView(TypedDict):
    """A source: what an operator says of it, and how it fares."""

    id: str
    kind: Literal["reddit", "rss", "sitemap", "brand_site"]
    label: str
    url: str | None
    subreddit: str | None
    sort: Literal["hot", "new", "top"]
    selectors: SelectorsView | None
    currency: str | None
    tags: list[str]
    owner: str
    active: bool
    poll_interval_seconds: int
    created_at: Moment
    updated_at: Moment
    health: Literal["new", "healthy", "failing", "switched_off", "inactive"]
    due_at: Moment
    failures: int
    switched_off_reason: str | None
    last_success_at: Moment | None
    last_run: RunView | None


@with_config(_CLOSED)
class SourcePage(TypedDict):
    """One page of sources, in the order of their ids."""

    items: list[SourceView]
    cursor: str | None


@with_config(_CLOSED)
class PriceView(TypedDict):
    """What something costs; the amount as text, so that no digit is lost."""

    amount: str
    currency: str | None


@with_config(_CLOSED)
class OriginView(TypedDict):
    """A source that an item was found at."""

    source_id: str
    kind: str
    label: str


@with_config(_CLOSED)
class ItemView(TypedDict):
    """One thing that was gathered."""

    item_id: str
    url: str | None
    title: str
    text: str
    image_url: str | None
    price: PriceView | None
    tags: list[str]
    score: float
    sources: list[OriginView]
    content_hash: str
    first_seen_at: Moment
    updated_at: Moment
    published_at: Moment | None
    version: int


@with_config(_CLOSED)
class ItemPage(TypedDict):
    """One page of items, newest first."""

    items: list[ItemView]
    cursor: str | None


@with_config(_CLOSED)
class SubscriptionView(TypedDict):
    """A source that a user follows."""

    source_id: str
    since: Moment


@with_config(_CLOSED)
class SubscriptionPage(TypedDict):
    """One page of what a user follows."""

    items: list[SubscriptionView]
    cursor: str | None


def source_view(source: Source) -> SourceView:
    """A source with its health."""
    return {
        "id": source.id,
        "kind": source.kind.value,
        "label": source.label,
        "url": source.url,
        "subreddit": source.subreddit,
        "sort": source.sort,
        "selectors": _selectors_view(source),
        "currency": source.currency,
        "tags": list(source.tags),
        "owner": source.owner,
        "active": source.active,
        "poll_interval_seconds": source.poll_interval_seconds,
        "created_at": iso(source.created_at),
        "updated_at": iso(source.updated_at),
        "health": source.health.value,
        "due_at": iso(source.due_at),
        "failures": source.failures,
        "switched_off_reason": source.switched_off_reason,
        "last_success_at": iso(source.last_success_at) if source.last_success_at else None,
        "last_run": _run_view(source.last_run) if source.last_run else None,
    }


def item_view(item: Item) -> dict[str, Any]:
    """An item; the shape is `ItemView`."""
    return item.to_json()


def subscription_view(subscription: Subscription) -> SubscriptionView:
    """A source that a user follows."""
    return {"source_id": subscription.source_id, "since": subscription.since}


def _selectors_view(source: Source) -> SelectorsView | None:
    chosen = source.selectors
    if chosen is None:
        return None
    return {
        "item": chosen.item, "title": chosen.title, "image": chosen.image, "price": chosen.price, "link": chosen.link
    }  # fmt: skip


def _run_view(run: Run) -> RunView:
    return {
        "at": iso(run.at),
        "outcome": run.outcome.value,
        "job_id": run.job_id,
        "found": run.found,
        "new": run.new,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "pages": run.pages,
        "refused": run.refused,
        "refusals": dict(run.refusals),
        "aside": run.aside,
        "left": run.left,
        "reason": run.reason,
        "error": run.error,
    }
