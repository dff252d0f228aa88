"""How moods look from outside."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment
from shared.domains.moods.model import Mood, Support, iso

_DIGITS = 4
_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class SignalsView(TypedDict):
    """What a mood looks like; in each list first what its articles name most."""

    palette: list[str]
    patterns: list[str]
    silhouettes: list[str]
    fabrics: list[str]
    key_pieces: list[str]


@with_config(_CLOSED)
class ArticleView(TypedDict):
    """An article that supports a mood, and how clearly."""

    title: str
    url: str | None
    at: Moment
    weight: float


@with_config(_CLOSED)
class MoodSummary(TypedDict):
    """A mood in a list."""

    id: str
    name: str
    primary: str
    sub_moods: list[str]
    description: str
    trend_score: float
    articles_counted: int
    first_seen: Moment
    last_seen: Moment
    embedding: Literal["current", "stale", "missing"]


@with_config(_CLOSED)
class MoodView(MoodSummary):
    """A mood with its look and the articles that count most."""

    version: int
    scored_at: Moment
    signals: SignalsView
    articles: list[ArticleView]


@with_config(_CLOSED)
class MoodList(TypedDict):
    """Every mood, or those of one primary mood, by trend score."""

    scored_at: Moment
    items: list[MoodSummary]


@with_config(_CLOSED)
class SimilarMood(TypedDict):
    """A mood like another one; 1: the same direction of their vectors."""

    id: str
    name: str
    primary: str
    similarity: float


@with_config(_CLOSED)
class SimilarMoods(TypedDict):
    """The moods most like one, by the cosine of their vectors."""

    id: str
    items: list[SimilarMood]


def summary_view(mood: Mood, at: datetime, half_life: timedelta) -> MoodSummary:
    """A mood in a list, its trend as of a moment."""
    return {
        "id": mood.id,
        "name": mood.name,
        "primary": mood.primary,
        "sub_moods": list(mood.sub_moods),
        "description": mood.description,
        "trend_score": round(mood.trend(at, half_life), _DIGITS),
        "articles_counted": len(mood.counted),
        "first_seen": iso(mood.first_seen),
        "last_seen": iso(mood.last_seen),
        "embedding": mood.embedding_status,
    }


def mood_view(mood: Mood, at: datetime, half_life: timedelta) -> MoodView:
    """A mood with its look and its articles."""
    signals: SignalsView = {**mood.signals.to_json()}  # type: ignore[typeddict-item]
    return {
        **summary_view(mood, at, half_life),
        "version": mood.version,
        "scored_at": iso(at),
        "signals": signals,
        "articles": [_article(one) for one in mood.articles],
    }


def similar_view(share: float, mood: Mood) -> SimilarMood:
    """A mood like another one."""
    return {"id": mood.id, "name": mood.name, "primary": mood.primary, "similarity": round(share, _DIGITS)}


def _article(one: Support) -> ArticleView:
    return {"title": one.title, "url": one.url, "at": iso(one.at), "weight": one.weight}
