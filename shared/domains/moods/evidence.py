"""From what articles say to what moods are: pure functions from moods and findings to moods."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from shared.domains.moods.model import FACETS, Mood, Signals, Support, counting, joined
from shared.domains.moods.names import identify, presentable
from shared.domains.moods.ports import Article, Finding, Findings
from shared.domains.moods.vocabulary import vocabulary

MOST_VALUES = 8
"""Values of each facet of a mood's look."""
NEW_NAME_SUPPORT = 3
"""Articles of one run that must name a mood which the vocabulary does not know before it gets a document."""

Moods = dict[str, Mood]


class Named(NamedTuple):
    """What a finding's mood is, canonically."""

    id: str
    name: str
    primary: str
    description: str


@dataclass(slots=True)
class Evidence:
    """The articles that support one mood."""

    named: Named
    supports: dict[str, Support] = field(default_factory=dict)

    def add(self, article: Article, finding: Finding) -> None:
        """Add an article; of two findings in one article the clearer stands."""
        known = self.supports.get(article.key)
        if known is None or known.weight < finding.weight:
            self.supports[article.key] = Support(
                article.key, article.title, article.url, article.at, finding.weight, finding.signals
            )


def canonical(finding: Finding) -> tuple[Named, ...]:
    """The moods that a finding speaks for: its primary one, and the sub-mood that it names, if any. None, if neither is known."""
    entry = vocabulary().get(identify(finding.name))
    primary = vocabulary().get(identify(entry.primary if entry else finding.primary))
    if primary is None or primary.name != primary.primary:
        return ()
    above = Named(primary.id, primary.name, primary.name, primary.description)
    if entry:
        own = Named(entry.id, entry.name, entry.primary, entry.description)
        return (own,) if own == above else (above, own)
    shown = presentable(finding.name)
    return (above, Named(identify(finding.name), shown, primary.name, finding.description)) if shown else (above,)


def collect(read: Iterable[tuple[Article, Findings]]) -> dict[str, Evidence]:
    """The evidence for each mood that articles name."""
    found: dict[str, Evidence] = {}
    for article, findings in read:
        for finding in findings:
            for named in canonical(finding):
                found.setdefault(named.id, Evidence(named)).add(article, finding)
    return found


def unified(stored: Iterable[Mood], half_life: timedelta) -> tuple[Moods, list[Mood]]:
    """Moods by canonical id; and the records that are merged into another one's, and are to go."""
    moods: Moods = {}
    gone = []
    for mood in sorted(stored, key=lambda one: (one.id != identify(one.name), one.id)):
        target = identify(mood.name)
        if target != mood.id:
            gone.append(mood)
            mood = replace(mood, id=target, version=0)  # noqa: PLW2901 - under its own name from here on
        moods[target] = joined(moods[target], mood, half_life) if target in moods else mood
    return moods, gone


def supported(moods: Moods, found: Mapping[str, Evidence], half_life: timedelta, most_per_primary: int) -> Moods:
    """The moods with more evidence: old ones, new ones of the vocabulary, and new names that are named often enough."""
    grown = dict(moods)
    for id, evidence in sorted(found.items(), key=lambda each: (-len(each[1].supports), each[0])):  # noqa: A001
        if id in grown or _has_room(evidence, grown, most_per_primary):
            supports = evidence.supports.values()
            mood = grown.get(id) or _new(evidence.named, min(one.at for one in supports))
            grown[id] = counting(mood, supports, half_life)
    return grown


def described(moods: Moods) -> Moods:
    """The moods as the vocabulary and their evidence describe them now."""
    subs: dict[str, list[str]] = defaultdict(list)
    for mood in moods.values():
        subs[mood.primary] += [mood.name] if not _primary_of(mood).is_primary else []
    return {id: _described(mood, subs) for id, mood in moods.items()}  # noqa: A001


def _described(mood: Mood, subs: Mapping[str, list[str]]) -> Mood:
    known = _primary_of(mood)
    below = tuple(sorted(subs[known.name])) if known.is_primary else ()
    return replace(known, sub_moods=below, signals=_signals_of(known))


def _primary_of(mood: Mood) -> Mood:
    """The mood with what the vocabulary says of it."""
    entry = vocabulary().get(mood.id)
    return replace(mood, name=entry.name, primary=entry.primary, description=entry.description) if entry else mood


def _signals_of(mood: Mood) -> Signals:
    """What the mood's articles name most, and then what the vocabulary has."""
    entry = vocabulary().get(mood.id)
    own = entry.signals if entry and entry.signals != Signals() else vocabulary()[identify(mood.primary)].signals
    return Signals(**{facet: _ranked(mood.articles, facet, own.of(facet)) for facet in FACETS})


def _ranked(articles: Iterable[Support], facet: str, own: tuple[str, ...]) -> tuple[str, ...]:
    named = Counter(value for one in articles for value in one.signals.of(facet))
    first = sorted(named, key=lambda value: (-named[value], value))
    return tuple(dict.fromkeys((*first, *own)))[:MOST_VALUES]


def _has_room(evidence: Evidence, moods: Moods, most_per_primary: int) -> bool:
    if evidence.named.id in vocabulary():
        return True
    siblings = sum(one.primary == evidence.named.primary and not one.is_primary for one in moods.values())
    return len(evidence.supports) >= NEW_NAME_SUPPORT and siblings < most_per_primary


def _new(named: Named, at: datetime) -> Mood:
    return Mood(named.id, named.name, named.primary, at, at, named.description)
