"""A digest's content: made of a shelf of new items, the moods and one reader. Pure: equal input, equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domains.digests.choosing import allowed, choose
from shared.domains.digests.model import Candidate, Mood, Reader, Scored, web_url
from shared.domains.digests.scoring import reasons_of, score
from shared.domains.digests.weeks import digest_id
from shared.domains.taste.public import lexicon
from shared.storage import iso

SCHEMA = 1
MOST_MOODS = 3
_MOST_CHIPS = 5
_EXCERPT = 280
_LOOSE_ENDS = " ,.;:-\u2013\u2014"


@dataclass(frozen=True, slots=True)
class Occasion:
    """For whom, which week, and which items are new."""

    user_id: str
    week: str
    since: datetime
    until: datetime
    name: str | None = None
    time_zone: str = "UTC"


def compose(
    occasion: Occasion, candidates: Sequence[Candidate], moods: Sequence[Mood], reader: Reader, size: int
) -> dict[str, Any]:
    """Make a digest of up to `size` suggestions; see `docs/reference/digests.md` for what it holds."""
    fit = allowed(candidates, reader)
    chosen = choose([score(one, reader, moods, occasion.until) for one in fit], size)
    name = digest_id(occasion.user_id, occasion.week)
    return {
        "schema": SCHEMA,
        "digest_id": name,
        "user_id": occasion.user_id,
        "week": occasion.week,
        "name": occasion.name,
        "time_zone": occasion.time_zone,
        "since": iso(occasion.since),
        "until": iso(occasion.until),
        "considered": len(candidates),
        "suggestions": [_suggestion(one, rank) for rank, one in enumerate(chosen, 1)],
        "moods": [_mood(mood) for mood in _shown(moods)],
        "feedback": {
            "method": "POST",
            "path": f"/api/digests/{name}/feedback",
            "body": {"item_id": "the suggestion's item_id", "signal": "up or down"},
        },
    }


def _suggestion(one: Scored, rank: int) -> dict[str, Any]:
    item = one.candidate
    return {
        "rank": rank,
        "item_id": item.item_id,
        "title": item.title,
        "url": web_url(item.url),
        "image_url": web_url(item.image_url),
        "price": item.price,
        "text": _excerpt(item.text),
        "tags": list(item.tags),
        "source": {"source_id": item.source_id, "label": item.source},
        "first_seen_at": iso(item.first_seen),
        "score": round(one.score, 4),
        "reasons": list(reasons_of(one)),
        "contributions": [part.to_json() for part in one.contributions],
        "facets": {facet: sorted(values) for facet, values in sorted(item.appearance.facets.items())},
    }


def _shown(moods: Sequence[Mood]) -> list[Mood]:
    return sorted(moods, key=lambda mood: (-mood.strength, mood.id))[:MOST_MOODS]


def _mood(mood: Mood) -> dict[str, Any]:
    colours = lexicon().colours
    palette = [colour for colour in mood.signals.get("colour", ()) if colour in colours][:_MOST_CHIPS]
    return {
        "mood_id": mood.id,
        "name": mood.name,
        "description": mood.description,
        "strength": round(mood.strength, 4),
        "palette": [{"name": colour, "hex": "#{:02x}{:02x}{:02x}".format(*colours[colour])} for colour in palette],
        "key_pieces": list(mood.signals.get("garment", ()))[:_MOST_CHIPS],
    }


def _excerpt(text: str) -> str:
    """The beginning of a text, cut between two words."""
    text = " ".join(text.split())
    if len(text) <= _EXCERPT:
        return text
    whole = text[:_EXCERPT].rsplit(" ", 1)[0].rstrip(_LOOSE_ENDS)
    return f"{whole}…"
