"""The grammar's sentences: rendered in any of its languages, and read back from any of them.

Reading back is what makes the glossary a translator: a sentence tells of which template it is an instance, and with which
words; the same template with the same words, in another language, is its translation.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Any, NamedTuple

from shared.domains.stories.generation.lexicon import FOLDER, WRITTEN, Entry, adjectives, lexicon, surface
from shared.domains.stories.languages import Language

_SLOT = re.compile(r"\{(\w+)(?::(\w+))?(\+?)(!?)\}")
_KIND = {"next": "place"}
"""Slots that are of another kind than their name says."""


class Filler(NamedTuple):
    """What stands in a slot."""

    entry: Entry
    adjective: Entry | None = None


Fillers = Mapping[str, Filler]


class _Slot(NamedTuple):
    name: str
    form: str
    described: bool
    capital: bool

    def written(self, filler: Filler, language: Language) -> str:
        text = surface(filler.entry, language, self.form, filler.adjective if self.described else None)
        return text[0].upper() + text[1:] if self.capital else text

    def readings(self, language: Language) -> dict[str, Filler]:
        """What each text that may stand here means; of a form that does not tell words apart, one of them."""
        kind = _KIND.get(self.name, self.name)
        with_them: tuple[Entry | None, ...] = adjectives(kind) if self.described else (None,)
        fillers = (Filler(entry, adjective) for entry, adjective in product(lexicon()[kind], with_them))
        return {self.written(filler, language): filler for filler in fillers}


@dataclass(frozen=True)
class Template:
    """A sentence with slots, in every language of the grammar."""

    number: int
    raw: Mapping[str, Any]

    @property
    def role(self) -> str:
        """Where in an entry it may stand."""
        return str(self.raw["role"])

    @property
    def level(self) -> str:
        """From which levels on it is used: A, B or C."""
        return str(self.raw["level"])

    @property
    def inside(self) -> bool:
        """Whether it speaks of doors and walls."""
        return bool(self.raw.get("inside", False))

    @property
    def ground(self) -> bool:
        """Whether it speaks of stones and earth."""
        return bool(self.raw.get("ground", False))

    @property
    def unless(self) -> tuple[str, ...]:
        """The sorts of choices after which it makes no sense."""
        return tuple(self.raw.get("unless", ()))

    @property
    def needs(self) -> tuple[str, ...]:
        """The sorts of choices of which one must follow."""
        return tuple(self.raw.get("needs", ()))

    @cached_property
    def slots(self) -> frozenset[str]:
        """The names of what it speaks of."""
        return frozenset(name for name, *_ in _SLOT.findall(self.raw["en"]))

    @cached_property
    def described(self) -> frozenset[str]:
        """The names of what it gives an adjective."""
        return frozenset(name for name, _, plus, _ in _SLOT.findall(self.raw["en"]) if plus)

    def parts(self, language: Language) -> list[str | _Slot]:
        """Its text in a language, cut at the slots."""
        cut: list[str | _Slot] = []
        at = 0
        text = _typeset(str(self.raw[language]), language)
        for found in _SLOT.finditer(text):
            cut += [text[at : found.start()], _Slot(found[1], found[2] or "", bool(found[3]), bool(found[4]))]
            at = found.end()
        return [*cut, text[at:]]

    def render(self, language: Language, fillers: Fillers) -> str:
        """The sentence in a language."""
        written = (
            part if isinstance(part, str) else part.written(fillers[part.name], language)
            for part in self.parts(language)
        )
        text = "".join(written)
        return text[0].upper() + text[1:]

    def read(self, language: Language, text: str) -> dict[str, Filler] | None:
        """The words with which it is this text, or None where it is not."""
        pattern, readings = _reader(self, language)
        for spelled in (text, text[:1].lower() + text[1:]):
            found = pattern.fullmatch(spelled)
            fillers = found and _agreed(found.groups(), readings)
            if fillers is not None:
                return fillers
        return None

    def __hash__(self) -> int:
        """Its number tells it from the others."""
        return self.number


def _agreed(groups: tuple[str, ...], readings: list[tuple[_Slot, dict[str, Filler]]]) -> dict[str, Filler] | None:
    """What the slots hold, if those of one name hold the same. Forms that show only a gender follow the others."""
    fillers: dict[str, Filler] = {}
    unclear: list[tuple[_Slot, str, dict[str, Filler]]] = []
    for text, (slot, meanings) in zip(groups, readings, strict=True):
        if len(meanings) < len(lexicon()[_KIND.get(slot.name, slot.name)]):
            unclear.append((slot, text, meanings))
        elif slot.name in fillers and fillers[slot.name].entry != meanings[text].entry:
            return None
        elif slot.name not in fillers or slot.described:
            fillers[slot.name] = meanings[text]
    for slot, text, meanings in unclear:
        fillers.setdefault(slot.name, meanings[text])
    return fillers


@cache
def _reader(template: Template, language: Language) -> tuple[re.Pattern[str], list[tuple[_Slot, dict[str, Filler]]]]:
    pattern, readings = "", []
    for part in template.parts(language):
        if isinstance(part, str):
            pattern += re.escape(part)
        else:
            meanings = part.readings(language)
            readings.append((part, meanings))
            pattern += f"({'|'.join(re.escape(each) for each in sorted(meanings, key=len, reverse=True))})"
    return re.compile(pattern), readings


def _typeset(text: str, language: Language) -> str:
    """French signs keep the space before them on their line."""
    return re.sub(r" (?=[?!:;»])|(?<=«) ", "\N{NO-BREAK SPACE}", text) if language == Language.FRENCH else text


@cache
def templates() -> tuple[Template, ...]:
    """All sentences."""
    with (FOLDER / "sentences.toml").open("rb") as file:
        return tuple(Template(number, raw) for number, raw in enumerate(tomllib.load(file)["sentence"]))


@cache
def of_role(role: str) -> tuple[Template, ...]:
    """The sentences of a role."""
    return tuple(each for each in templates() if each.role == role)


def read(text: str, language: Language) -> tuple[Template, dict[str, Filler]] | None:
    """Of which sentence a text is an instance, and with which words; None where it is of none."""
    if language not in WRITTEN:
        return None
    for template in templates():
        fillers = template.read(language, text)
        if fillers is not None:
            return template, fillers
    return None
