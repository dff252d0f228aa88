"""Moods over HTTP: all of them by trend, one, and those like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from shared.domains.moods.model import Mood, Support, iso, similarity
from shared.domains.moods.names import identify
from shared.domains.moods.settings import MoodSettings
from shared.domains.moods.store import MoodStore
from shared.domains.moods.vocabulary import PRIMARIES
from shared.jobs.errors import FieldProblem
from shared.web.answers import Answer, Problem, tagged_answer
from shared.web.requests import invalid, read_choice, read_limit

if TYPE_CHECKING:
    from shared.app import App

MOST_SIMILAR = 50
_DIGITS = 4
_CLOSED = ConfigDict(extra="forbid")
_Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]


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
    at: _Moment
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
    first_seen: _Moment
    last_seen: _Moment
    embedding: Literal["current", "stale", "missing"]


@with_config(_CLOSED)
class MoodView(MoodSummary):
    """A mood with its look and the articles that count most."""

    version: int
    scored_at: _Moment
    signals: SignalsView
    articles: list[ArticleView]


@with_config(_CLOSED)
class MoodList(TypedDict):
    """Every mood, or those of one primary mood, by trend score."""

    scored_at: _Moment
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


async def show_all(app: App, params: Mapping[str, str], if_none_match: str | None) -> Answer:
    """The moods by trend score; with `primary`, only those of one primary mood."""
    primary = read_choice(params, "primary", PRIMARIES)
    moods = await MoodStore(app.documents).current()
    shown = [_summary(mood, app) for mood in moods if primary in (None, mood.primary)]
    shown.sort(key=lambda one: (-one["trend_score"], one["id"]))
    return tagged_answer({"scored_at": iso(_hour(app)), "items": shown}, if_none_match)


async def show_one(app: App, mood_id: str, if_none_match: str | None) -> Answer:
    """One mood, by its id or any spelling of its name."""
    mood = await _mood(app, mood_id)
    view = {
        **_summary(mood, app),
        "version": mood.version,
        "scored_at": iso(_hour(app)),
        "signals": mood.signals.to_json(),
        "articles": [_article(one) for one in mood.articles],
    }
    return tagged_answer(view, if_none_match)


async def show_similar(app: App, mood_id: str, params: Mapping[str, str], if_none_match: str | None) -> Answer:
    """The moods most like one, the likest first; of vectors only those of the same embedder compare."""
    limit = read_limit(params, 10, MOST_SIMILAR)
    mood = await _mood(app, mood_id)
    others = [one for one in await MoodStore(app.documents).current() if _comparable(one, mood)]
    ranked = sorted(
        ((similarity(mood.vector, one.vector), one) for one in others), key=lambda pair: (-pair[0], pair[1].id)
    )
    return tagged_answer({"id": mood.id, "items": [_alike(share, one) for share, one in ranked[:limit]]}, if_none_match)


def _comparable(one: Mood, mood: Mood) -> bool:
    same = one.embedding.model == mood.embedding.model
    return same and bool(one.vector) and bool(mood.vector) and one.id != mood.id


async def _mood(app: App, mood_id: str) -> Mood:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", mood_id):
        raise invalid((FieldProblem("mood_id", "must be the id of a mood, such as dark-academia"),))
    name = identify(mood_id)
    found = await MoodStore(app.documents).read(name) if name else None  # dashes alone are the name of nothing
    if found is None:
        raise Problem(404, "Not found", "there is no such mood")
    return found[0]


def _hour(app: App) -> datetime:
    """The full hour: scores decay all the time, and an answer that changed each second could not be cached."""
    return app.clock.now().replace(minute=0, second=0, microsecond=0)


def _summary(mood: Mood, app: App) -> dict[str, Any]:
    half_life = timedelta(days=app.settings.of(MoodSettings).half_life_days)
    return {
        "id": mood.id,
        "name": mood.name,
        "primary": mood.primary,
        "sub_moods": list(mood.sub_moods),
        "description": mood.description,
        "trend_score": round(mood.trend(_hour(app), half_life), _DIGITS),
        "articles_counted": len(mood.counted),
        "first_seen": iso(mood.first_seen),
        "last_seen": iso(mood.last_seen),
        "embedding": mood.embedding_status,
    }


def _article(one: Support) -> ArticleView:
    return {"title": one.title, "url": one.url, "at": iso(one.at), "weight": one.weight}


def _alike(share: float, mood: Mood) -> SimilarMood:
    return {"id": mood.id, "name": mood.name, "primary": mood.primary, "similarity": round(share, _DIGITS)}
