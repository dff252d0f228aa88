"""The embedded enricher: summaries are extracts, topics are subjects whose words a text uses, and what its publisher files it under."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from shared import folding
from shared.domains.site.ports import Enriched, Text
from shared.domains.site.sentences import telling

_SUBJECTS = Path(__file__).parent / "subjects.toml"
MOST_TOPICS = 5
_SUBJECTS_OF_A_TEXT, _LEAST, _SHARE = 3, 2.6, 0.5
"""How many subjects a text may have, what its words must amount to for one, and beside the one they speak of most."""
_FILED, _TITLE, _TEXT = 3.0, 1.6, 1.0
"""What a word counts where the publisher files it, in the title, and in the text."""
_READ = 4000
"""Characters of a text that are read for topics."""
_LONGEST_TAG, _WORDS_OF_A_TAG = 28, 3
_OF_ANYTHING = frozenset({
    "news", "world news", "features", "feature", "article", "articles", "blog", "blogs", "post", "posts", "uncategorized", "uncategorised",
    "general", "misc", "other", "latest", "home", "all", "video", "videos", "top stories", "featured", "comment", "opinion", "untagged",
    "main", "default", "culture", "series",
})  # fmt: skip
"""What says nothing about one text."""
_FOR_MACHINES = re.compile(r"[a-z]{2,}[A-Z]\w*$")
"""Such as `tvEpisode`."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&=:])")


class ExtractiveEnricher:
    """Needs no service, and says nothing that the text does not say."""

    name = "extracts-1"

    async def enrich(self, text: Text) -> Enriched:
        """Return the most telling sentences, and up to five topics."""
        said = " ".join(escaped(each) for each in telling(text.text, text.title))
        return Enriched(said, topics_of(text))


def topics_of(text: Text) -> tuple[str, ...]:
    """What a text is about: subjects first, then what it is filed under."""
    subjects = _subjects_of(text)
    filed = (presentable(tag) for tag in text.tags)
    found: dict[str, str] = {}
    for each in (*subjects, *filter(None, filed)):
        found.setdefault(" ".join(map(folding.stem, folding.words(each))), each)
    return tuple(found.values())[:MOST_TOPICS]


def presentable(tag: str) -> str | None:
    """A tag as a topic; None where it is none: a few words, and not an address, a number or a sentence."""
    words = tag.replace("_", " ").split()
    shown = " ".join(words)
    fits = 2 <= len(shown) <= _LONGEST_TAG and len(words) <= _WORDS_OF_A_TAG and "/" not in shown
    if (
        not fits
        or shown.lower() in _OF_ANYTHING
        or _FOR_MACHINES.match(shown)
        or not any(letter.isalpha() for letter in shown)
    ):
        return None
    return shown if shown != shown.lower() else shown[0].upper() + shown[1:]


def escaped(text: str) -> str:
    """A plain text as Markdown that says the same."""
    return _MARKDOWN.sub(r"\\\1", " ".join(text.split()))


def _subjects_of(text: Text) -> list[str]:
    weights: Counter[str] = Counter()
    for words, weight in ((_terms(" . ".join(text.tags)), _FILED), (_terms(text.title), _TITLE), (_terms(text.text[:_READ]), _TEXT)):  # fmt: skip
        for word in words & _known().keys():
            weights.update(dict.fromkeys(_known()[word], weight * len(word.split())))
    found = weights.most_common(_SUBJECTS_OF_A_TEXT)
    return [name for name, weight in found if weight >= max(_LEAST, _SHARE * found[0][1])]


def _terms(text: str) -> set[str]:
    """The words of a text, and its phrases of two and three words, folded."""
    words = [folding.stem(word) for word in folding.words(text)]
    return {" ".join(words[at : at + length]) for length in (1, 2, 3) for at in range(len(words) - length + 1)}


@cache
def _known() -> Mapping[str, tuple[str, ...]]:
    """The subjects that each term speaks of."""
    tables = tomllib.loads(_SUBJECTS.read_text(encoding="utf-8"))
    found: dict[str, tuple[str, ...]] = {}
    for name, entry in tables.items():
        for term in _folded((name, *entry["words"])):
            found[term] = (*found.get(term, ()), name)
    return found


def _folded(terms: Iterable[str]) -> set[str]:
    return {" ".join(map(folding.stem, folding.words(term))) for term in terms}
