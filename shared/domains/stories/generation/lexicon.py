"""The grammar's words, and each of their forms that a sentence can ask for.

A form is named by the article that it has in the masculine, or by the pronoun that it is: `einem` is the indefinite dative,
`du` is *du, de la* or *de l'*. So the sentences of ``grammar/sentences.toml`` read like sentences.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from shared.domains.stories.languages import Language

FOLDER = Path(__file__).parent / "grammar"
WRITTEN = (Language.ENGLISH, Language.FRENCH, Language.SPANISH, Language.GERMAN)
"""The languages that the grammar knows."""
_VOWELS = "aeiouhâêéèîœ"
"""What French articles are cut short before; every h of these words is silent."""


@dataclass(frozen=True)
class Noun:
    """A noun in one language: `gender` is m, f or n."""

    word: str
    gender: str
    genitive: str = ""


@dataclass(frozen=True)
class Entry:
    """A line of the lexicon: the same thing, place, person, name or phrase in all languages."""

    kind: str
    number: int
    raw: dict[str, Any]

    @property
    def genres(self) -> tuple[str, ...]:
        """The genres that it belongs to; empty: all."""
        return tuple(self.raw.get("genres", ()))

    @property
    def inside(self) -> bool:
        """Whether a place has a door and walls."""
        return not self.raw.get("outside", False)

    @property
    def ground(self) -> bool:
        """Whether a place has earth and stones underfoot."""
        return bool(self.raw.get("ground", False))

    def noun(self, language: Language) -> Noun:
        """Its noun in a language."""
        return _noun(self.raw[language], language)

    def text(self, language: Language) -> str:
        """Its words as the lexicon has them; a name is the same in all languages."""
        return str(self.raw.get(language, self.raw["en"]))


@cache
def lexicon() -> dict[str, tuple[Entry, ...]]:
    """All words by their kind: place, thing, person, adjective, friend, when, weather, mood."""
    with (FOLDER / "lexicon.toml").open("rb") as file:
        content = tomllib.load(file)
    return {kind: tuple(Entry(kind, n, raw) for n, raw in enumerate(rows)) for kind, rows in content.items()}


def adjectives(kind: str) -> tuple[Entry, ...]:
    """The adjectives that a kind of noun takes."""
    return tuple(each for each in lexicon()["adjective"] if kind in each.raw.get("kinds", (kind,)))


def surface(entry: Entry, language: Language, form: str, adjective: Entry | None = None) -> str:
    """The words of an entry in a form, with an adjective where there is one.

    Raises:
        KeyError: the language has no such form.
    """
    if not form:
        return entry.text(language)
    if entry.kind == "friend":
        return _FORMS[language][form](Noun(entry.text(language), "f" if entry.raw.get("feminine") else "m"), None)
    return _FORMS[language][form](entry.noun(language), adjective)


def _noun(text: str, language: Language) -> Noun:
    word, _, genitive = text.partition(", ")
    word, _, gender = word.partition("|")
    if language == Language.ENGLISH:
        return Noun(word, "n")
    article = "l'" if word.startswith("l'") else word.split(" ")[0]
    known = {"le": "m", "la": "f", "el": "m", "der": "m", "die": "f", "das": "n"}
    return Noun(word.removeprefix(article).strip(), gender or known[article], genitive)


# --- English --------------------------------------------------------------------------------------------------------


def _a(noun: Noun, adjective: Entry | None) -> str:
    words = f"{adjective.raw['en']} {noun.word}" if adjective else noun.word
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


# --- French and Spanish ---------------------------------------------------------------------------------------------


def _by_gender(masculine: str, feminine: str) -> Callable[[Noun, Entry | None], str]:
    return lambda noun, _: feminine if noun.gender == "f" else masculine


def _elided(masculine: str, feminine: str, short: str) -> Callable[[Noun, Entry | None], str]:
    def form(noun: Noun, _: Entry | None) -> str:
        if noun.word[0] in _VOWELS:
            return f"{short}{noun.word}"
        return f"{feminine if noun.gender == 'f' else masculine} {noun.word}"

    return form


def _un_french(noun: Noun, adjective: Entry | None) -> str:
    article = "une" if noun.gender == "f" else "un"
    if adjective is None:
        return f"{article} {noun.word}"
    masculine, feminine, *before_vowel = adjective.raw["fr"].split(", ")
    word = feminine if noun.gender == "f" else masculine
    if not adjective.raw.get("first"):
        return f"{article} {noun.word} {word}"
    if noun.gender == "m" and noun.word[0] in _VOWELS:
        word = before_vowel[0]
    return f"{article} {word} {noun.word}"


def _with_noun(masculine: str, feminine: str) -> Callable[[Noun, Entry | None], str]:
    return lambda noun, _: f"{feminine if noun.gender == 'f' else masculine} {noun.word}"


def _un_spanish(noun: Noun, adjective: Entry | None) -> str:
    words = f"{'una' if noun.gender == 'f' else 'un'} {noun.word}"
    if adjective is None:
        return words
    word = str(adjective.raw["es"])
    return f"{words} {word[:-1] + 'a' if noun.gender == 'f' and word.endswith('o') else word}"


# --- German ---------------------------------------------------------------------------------------------------------


def _german(masculine: str, feminine: str, neuter: str) -> Callable[[Noun, Entry | None], str]:
    articles = {"m": masculine, "f": feminine, "n": neuter}
    return lambda noun, _: f"{articles[noun.gender]} {noun.word}"


def _pronoun(masculine: str, feminine: str, neuter: str) -> Callable[[Noun, Entry | None], str]:
    pronouns = {"m": masculine, "f": feminine, "n": neuter}
    return lambda noun, _: pronouns[noun.gender]


def _indefinite(articles: tuple[str, str, str], endings: tuple[str, str, str]) -> Callable[[Noun, Entry | None], str]:
    def form(noun: Noun, adjective: Entry | None) -> str:
        which = "mfn".index(noun.gender)
        inflected = f"{adjective.raw['de']}{endings[which]} " if adjective else ""
        return f"{articles[which]} {inflected}{noun.word}"

    return form


def _des(noun: Noun, _: Entry | None) -> str:
    return f"der {noun.word}" if noun.gender == "f" else f"des {noun.genitive}"


_FORMS: dict[Language, dict[str, Callable[[Noun, Entry | None], str]]] = {
    Language.ENGLISH: {
        "a": _a,
        "the": lambda noun, _: f"the {noun.word}",
        "The": lambda noun, _: f"the {noun.word.title()}",
    },
    Language.FRENCH: {
        "un": _un_french,
        "le": _elided("le", "la", "l'"),
        "du": _elided("du", "de la", "de l'"),
        "au": _elided("au", "à la", "à l'"),
        "e": _by_gender("", "e"),
        "le_pron": _by_gender("le", "la"),
        "lequel": _by_gender("lequel", "laquelle"),
    },
    Language.SPANISH: {
        "un": _un_spanish,
        "el": _with_noun("el", "la"),
        "del": _with_noun("del", "de la"),
        "al": _with_noun("al", "a la"),
        "lo": _by_gender("lo", "la"),
        "el_cual": _by_gender("el cual", "la cual"),
        "sentado": _by_gender("sentado", "sentada"),
    },
    Language.GERMAN: {
        "ein": _indefinite(("ein", "eine", "ein"), ("er", "e", "es")),
        "einen": _indefinite(("einen", "eine", "ein"), ("en", "e", "es")),
        "einem": _indefinite(("einem", "einer", "einem"), ("en", "en", "en")),
        "der": _german("der", "die", "das"),
        "den": _german("den", "die", "das"),
        "dem": _german("dem", "der", "dem"),
        "des": _des,
        "im": _german("im", "in der", "im"),
        "zum": _german("zum", "zur", "zum"),
        "vom": _german("vom", "von der", "vom"),
        "ihn": _pronoun("ihn", "sie", "es"),
        "der_rel": _pronoun("der", "die", "das"),
        "den_rel": _pronoun("den", "die", "das"),
        "dem_rel": _pronoun("dem", "der", "dem"),
    },
}
