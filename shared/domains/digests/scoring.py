"""The score of an item for a user: a sum of contributions, each of which says in words what it is for.

A reason is never made up afterwards: it is the text of a contribution that the score really has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from shared.domains.digests.appearance import GOES_WITH, alike, goes_with
from shared.domains.digests.model import Candidate, Contribution, Leaning, Mood, Opinion, Reader, Scored

TASTE = {
    "category": 0.7, "garment": 0.7, "occasion": 1.0, "size": 1.0,
    "style": 1.0, "colour": 0.9, "brand": 0.7, "pattern": 0.6, "material": 0.6,
}  # fmt: skip
"""Points of a facet that could not fit better."""
MOOD = 1.0
WARDROBE = 0.8
SOURCE = 1.2
LIKED = 1.2
DISLIKED = 2.0
RECEPTION = 0.6
NEW = 0.3
"""Points of what could not be better, of each other sort."""
_HALF_NEW_DAYS = 3.5
_LIKE = 0.3
"""From here on two things are alike enough to speak of."""
_ARTICLE, _MATCH = 1.0, 0.7
"""How much an item counts for a mood that supports it, or only looks like it."""
_NEEDED_SIGNALS = 2
_MOST_OPINIONS = 60


def score(candidate: Candidate, reader: Reader, moods: Sequence[Mood], until: datetime) -> Scored:
    """Score a candidate; the contributions come largest first, and none is zero."""
    parts = [
        *taste_parts(candidate, reader),
        *_mood_part(candidate, moods),
        *_wardrobe_part(candidate, reader),
        *_source_part(candidate, reader),
        *_feedback_parts(candidate, reader.opinions[:_MOST_OPINIONS]),
        *_reception_part(candidate),
        _new_part(candidate, until),
    ]
    kept = sorted((part for part in parts if part.points), key=lambda part: (-part.points, part.of, part.text))
    return Scored(candidate, tuple(kept))


def reasons_of(scored: Scored, most: int = 2) -> tuple[str, ...]:
    """Why an item is suggested: what adds most to its score. That it is new is said where there is nothing else to say."""
    good = [part for part in scored.contributions if part.points > 0]
    telling = [part for part in good if part.of != "new"] or good
    return tuple(part.text for part in telling[:most])


def taste_parts(candidate: Candidate, reader: Reader) -> Iterator[Contribution]:
    """One contribution for each facet of the item: the mean lean towards its values, times how surely it has them."""
    for facet, values in candidate.appearance.facets.items():
        known = reader.leanings.get(facet)
        if not known or facet not in TASTE:
            continue
        total = sum(values.values())
        pulls = [(known[value].lift * weight, value) for value, weight in values.items() if value in known]
        if not pulls or not total:
            continue
        points = TASTE[facet] * sum(pull for pull, _ in pulls) / total * max(values.values())
        strongest = max(pulls) if points > 0 else min(pulls)
        yield Contribution("taste", points, _taste_text(facet, strongest[1], known[strongest[1]], points))


def _taste_text(facet: str, value: str, leaning: Leaning, points: float) -> str:
    rated, named = leaning.n_up + leaning.n_down, _named(facet, value)
    if points < 0:
        turned = f"you turned down {leaning.n_down} of {rated}" if leaning.n_down and not leaning.need else ""
        return f"{named}: {turned or 'not what you usually choose'}"
    if leaning.need and rated:
        return f"{named}: like {_times(rated, 'piece')} you rated"
    if leaning.n_up:
        return f"{named}: you liked {leaning.n_up} of {rated}"
    return f"{named}: liked by people with a taste like yours"


def _named(facet: str, value: str) -> str:
    match facet:
        case "size":
            return f"Size {value.upper()}"
        case "occasion":
            return f"For {value}"
        case "brand":
            return f"By {value.title()}"
    return value.capitalize()


def _times(count: int, noun: str) -> str:
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def _mood_part(candidate: Candidate, moods: Sequence[Mood]) -> Iterator[Contribution]:
    """The mood that it fits best, if it fits any."""
    fits = [fit for mood in moods if (fit := _fit(candidate, mood)) is not None]
    if fits:
        yield max(fits, key=lambda fit: (fit.points, fit.text))


def _fit(candidate: Candidate, mood: Mood) -> Contribution | None:
    weight = 0.4 + 0.6 * mood.strength
    if candidate.url is not None and candidate.url in mood.urls:
        return Contribution("mood", MOOD * _ARTICLE * weight, f"One of the articles behind the mood {mood.name}")
    facets = candidate.appearance.facets
    shared = [
        value
        for facet, values in mood.signals.items()
        for value in values
        if facets.get(facet, {}).get(value, 0) >= 0.8
    ]
    if len(shared) < _NEEDED_SIGNALS:
        return None
    now = "much talked about now" if mood.strength >= 0.5 else "in the air now"
    points = MOOD * _MATCH * weight * min(1.0, len(shared) / 3)
    return Contribution("mood", points, f"Fits the mood {mood.name}, {now}: {', '.join(shared[:3])}")


def _wardrobe_part(candidate: Candidate, reader: Reader) -> Iterator[Contribution]:
    """The piece of the wardrobe that it goes with best, if it goes with any."""
    if candidate.appearance.group is None:
        return
    fits = [(goes_with(candidate.appearance, piece.appearance), piece.title) for piece in reader.wardrobe]
    if fits and max(fits)[0] >= GOES_WITH:
        fit, title = max(fits)
        yield Contribution("wardrobe", WARDROBE * fit, f"Goes with your {title}")


def _source_part(candidate: Candidate, reader: Reader) -> Iterator[Contribution]:
    if reader.follows & (candidate.source_ids | {candidate.source_id}):
        yield Contribution("source", SOURCE, f"From {candidate.source}, which you follow")


def _feedback_parts(candidate: Candidate, opinions: Iterable[Opinion]) -> Iterator[Contribution]:
    """What of that kind the user said before: the nearest liked one adds, the nearest disliked one takes away."""
    mine = candidate.appearance.values()
    near: dict[bool, tuple[float, str]] = {}
    for opinion in opinions:
        likeness = alike(mine, opinion.values)
        if likeness >= _LIKE and likeness > near.get(opinion.up, (0.0, ""))[0]:
            near[opinion.up] = likeness, opinion.title
    if True in near:
        yield Contribution("feedback", LIKED * near[True][0], f"Like “{_short(near[True][1])}”, which you liked")
    if False in near:
        yield Contribution(
            "feedback", -DISLIKED * near[False][0], f"Like “{_short(near[False][1])}”, which you turned down"
        )


def _reception_part(candidate: Candidate) -> Iterator[Contribution]:
    if candidate.reception > 0:
        how = "Well received at" if candidate.reception >= 0.5 else "Noticed at"
        yield Contribution("reception", RECEPTION * min(candidate.reception, 1.0), f"{how} {candidate.source}")


def _new_part(candidate: Candidate, until: datetime) -> Contribution:
    days = max((until - candidate.first_seen).total_seconds(), 0.0) / 86400
    seen = f"{candidate.first_seen.day} {candidate.first_seen:%B}"
    return Contribution("new", NEW * 2.0 ** (-days / _HALF_NEW_DAYS), f"New: first seen on {seen}")


def _short(title: str, most: int = 60) -> str:
    return title if len(title) <= most else f"{title[: most - 1].rstrip()}…"
