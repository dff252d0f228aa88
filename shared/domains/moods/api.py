"""Moods over HTTP: all of them by trend, one, and those like it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domains.moods.settings import MoodSettings
from shared.web.answers import Answer, Problem, tagged_answer
from shared.web.parameters import WORD
from shared.web.requests import read_choice, read_limit, unfit
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import READ

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.moods.model import Mood

MOST_SIMILAR = 50

api = Api(__name__, "moods", Parameter("mood_id", "path", WORD, "The mood's id, or another spelling of its name."))
_PRIMARY = Parameter("primary", "query", "vocabulary:PRIMARIES", "Only those of this primary mood.")
_LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": MOST_SIMILAR, "default": 10}, "How many."
)


@api.route("ListMoods", "GET moods", READ, {200: "views:MoodList", 304: None}, (422,), parameters=(_PRIMARY,))
async def list_moods(app: App, call: Call) -> Answer:
    """The moods, by how much they are talked about."""
    from shared.domains.moods.model import iso
    from shared.domains.moods.store import MoodStore
    from shared.domains.moods.views import summary_view
    from shared.domains.moods.vocabulary import PRIMARIES

    primary = read_choice(call.query, "primary", PRIMARIES)
    moods = await MoodStore(app.documents).current()
    shown = [summary_view(mood, *_as_of(app)) for mood in moods if primary in (None, mood.primary)]
    shown.sort(key=lambda one: (-one["trend_score"], one["id"]))
    return tagged_answer({"scored_at": iso(_hour(app)), "items": shown}, call.if_none_match)


@api.route("GetMood", "GET moods/{mood_id}", READ, {200: "views:MoodView", 304: None}, (404, 422))
async def get_mood(app: App, call: Call) -> Answer:
    """A mood, its look and the articles that support it."""
    from shared.domains.moods.views import mood_view

    mood = await _mood(app, call.path["mood_id"])
    return tagged_answer(mood_view(mood, *_as_of(app)), call.if_none_match)


@api.route(
    "ListSimilarMoods", "GET moods/{mood_id}/similar", READ, {200: "views:SimilarMoods", 304: None}, (404, 422), parameters=(_LIMIT,)
)  # fmt: skip
async def list_similar_moods(app: App, call: Call) -> Answer:
    """The moods most like one, the likest first; of vectors only those of the same embedder compare."""
    from shared.domains.moods.model import similarity
    from shared.domains.moods.store import MoodStore
    from shared.domains.moods.views import similar_view

    limit = read_limit(call.query, 10, MOST_SIMILAR)
    mood = await _mood(app, call.path["mood_id"])
    others = [one for one in await MoodStore(app.documents).current() if _comparable(one, mood)]
    ranked = sorted(
        ((similarity(mood.vector, one.vector), one) for one in others), key=lambda pair: (-pair[0], pair[1].id)
    )
    items = [similar_view(share, one) for share, one in ranked[:limit]]
    return tagged_answer({"id": mood.id, "items": items}, call.if_none_match)


def _comparable(one: Mood, mood: Mood) -> bool:
    same = one.embedding.model == mood.embedding.model
    return same and bool(one.vector) and bool(mood.vector) and one.id != mood.id


async def _mood(app: App, mood_id: str) -> Mood:
    from shared.domains.moods.names import identify
    from shared.domains.moods.store import MoodStore

    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", mood_id):
        raise unfit("mood_id", "must be the id of a mood, such as dark-academia")
    name = identify(mood_id)
    found = await MoodStore(app.documents).read(name) if name else None  # dashes alone are the name of nothing
    if found is None:
        raise Problem(404, "Not found", "there is no such mood")
    return found.value


def _as_of(app: App) -> tuple[datetime, timedelta]:
    return _hour(app), timedelta(days=app.settings.of(MoodSettings).half_life_days)


def _hour(app: App) -> datetime:
    """The full hour: scores decay all the time, and an answer that changed each second could not be cached."""
    return app.clock.now().replace(minute=0, second=0, microsecond=0)
