"""Stories without a model: sentences of a grammar, chosen by what was decided, and by a seed.

A story has a companion from its first entry to its last, a place that changes where the reader walks, things that are found,
given and hidden, and people who want something. What came before is read from the text of the story itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

from shared.domains.stories.generation.lexicon import WRITTEN, Entry, adjectives, lexicon
from shared.domains.stories.generation.sentences import Filler, Template, of_role, read
from shared.domains.stories.languages import Language, Level
from shared.domains.stories.ports import Brief, Draft

_BANDS = {Level.A1: "A", Level.A2: "A", Level.B1: "B", Level.B2: "B", Level.C1: "C", Level.C2: "C"}
_MIX = {"A": (("A", 1.0),), "B": (("B", 0.65), ("A", 0.35)), "C": (("C", 0.6), ("B", 0.4))}
"""Of which levels the sentences of a level are."""
_CHOICES = {Level.A1: 2, Level.A2: 3, Level.B1: 3, Level.B2: 3, Level.C1: 4, Level.C2: 4}
_OPENING = (("open", "scene", "scene"), ("friend", "friend_says"), ("find", "look"), ("ask",))
_MIDDLE = (("after", "scene"), ("meet", "person_says"), ("find", "look"), ("tension", "friend_says"), ("ask",))
_ENDING = (("after", "scene"), ("meet", "person_says"), ("climax", "resolve"), ("resolve", "end"))
_SORTS = ("go", "talk", "follow", "give", "keep", "wait")
"""What can be decided, in the order in which it is offered."""
_OF_PERSONS = ("talk", "follow", "give")
_SENTENCE = re.compile(r"[^\n]+")


class GrammarGenerator:
    """Writes in English, French, Spanish and German. The same brief always gives the same entry."""

    name = "grammar"

    def can_write(self, language: Language) -> bool:
        """Whether the grammar knows a language."""
        return language in WRITTEN

    async def generate(self, brief: Brief) -> Draft:
        """Write an entry. Every sentence of it is one of the grammar's."""
        return _Writing(brief).draft()


@dataclass
class _State:
    """What a story is about at some point of it."""

    friend: Entry
    place: Entry
    thing: Entry | None = None
    person: Entry | None = None
    decided: str = ""
    """Which sort of choice was taken last."""
    used: set[Template] = field(default_factory=set)

    def tell(self, text: str, language: Language) -> None:
        """Take in a sentence of the story, or a choice."""
        found = read(text, language)
        if found is None:
            return
        template, fillers = found
        self.used.add(template)
        for name in ("place", "thing", "person"):
            if name in fillers:
                setattr(self, name, fillers[name].entry)
        if template.role.startswith("choice."):
            self.decided = template.role.removeprefix("choice.")
            self.place = fillers["next"].entry if "next" in fillers else self.place


class _Writing:
    """One entry in the making."""

    def __init__(self, brief: Brief) -> None:
        self._brief = brief
        self._random = Random(f"{brief.story_seed}/{brief.seed}")  # noqa: S311 - a story, not a secret
        self._band = _BANDS[brief.level]
        self._due = {word.lower() for word in brief.words_due}
        story = Random(brief.story_seed)  # noqa: S311
        self._state = _State(story.choice(lexicon()["friend"]), story.choice(self._of_genre("place")))
        for past in brief.story:
            for line in _SENTENCE.findall(past.text):
                for sentence in _cut(line, brief.language):
                    self._state.tell(sentence, brief.language)
            self._state.tell(past.chosen, brief.language)
        self._said: set[Template] = set()
        """What this entry has said: it does not repeat itself, where a story may."""
        self._met = self._state.decided in _OF_PERSONS
        self._next = self._another("place", self._state.place)

    def draft(self) -> Draft:
        """The entry."""
        choices = [] if self._brief.last else self._choices()
        sorts = {template.role.removeprefix("choice.") for template in choices}
        paragraphs = (" ".join(self._paragraph(roles, sorts)) for roles in self._plan())
        text = "\n\n".join(each for each in paragraphs if each)
        title = self._render(self._pick("title", ()))
        return Draft(title=title, text=text, choices=tuple(self._render(each) for each in choices))

    def _plan(self) -> list[tuple[str, ...]]:
        begun: tuple[tuple[str, ...], ...] = _ENDING if self._brief.last else _MIDDLE
        paragraphs = [list(each) for each in (begun if self._brief.number > 1 else _OPENING)]
        if self._met:
            paragraphs[1].remove("meet")
        if self._brief.level is not Level.A1 and not self._brief.last:
            paragraphs[-2].append("tension")
        if self._band != "A":
            paragraphs[0].append("scene")
        return [tuple(each) for each in paragraphs]

    def _paragraph(self, roles: tuple[str, ...], sorts: set[str]) -> list[str]:
        sentences = []
        for role in roles:
            self._prepare(role)
            template = self._pick(f"after.{self._state.decided or 'wait'}" if role == "after" else role, sorts)
            if template not in self._said:
                sentences.append(self._render(template))
                self._said.add(template)
        return sentences

    def _prepare(self, role: str) -> None:
        """Have ready what a sentence of this role speaks of."""
        if role == "find":
            self._state.thing = self._another("thing", self._state.thing)
        if role == "meet":
            self._state.person = self._another("person", self._state.person)

    def _choices(self) -> list[Template]:
        """Two to four things that can be done: of different sorts, of what the entry is going to show."""
        sorts = [each for each in _SORTS if self._brief.number > 1 or each not in _OF_PERSONS]
        chosen = self._random.sample(sorts, min(len(sorts), _CHOICES[self._brief.level]))
        chosen.sort(key=_SORTS.index)
        level = "A" if self._band == "A" else "B"
        return [next(each for each in of_role(f"choice.{sort}") if each.level == level) for sort in chosen]

    def _pick(self, role: str, sorts: set[str] | tuple[str, ...]) -> Template:
        """A sentence of this role: at the level, not told yet, and with words that are due where there are any."""
        fitting = [each for each in of_role(role) if self._fits(each, sorts)]
        fitting = [each for each in fitting if each not in self._said] or fitting
        fresh = [each for each in fitting if each not in self._state.used] or fitting
        bands, weights = zip(*_MIX[self._band], strict=True)
        band = self._random.choices(bands, weights)[0]
        order = [band, *(each for each in ("A", "B", "C") if each <= self._band and each != band)]
        at_level = next(([each for each in fresh if each.level == wanted] for wanted in order
                         if any(each.level == wanted for each in fresh)), fresh)  # fmt: skip
        self._random.shuffle(at_level)
        template = max(at_level, key=self._due_words)
        self._state.used.add(template)
        return template

    def _fits(self, template: Template, sorts: set[str] | tuple[str, ...]) -> bool:
        place = self._state.place
        if (template.inside and not place.inside) or (template.ground and not place.ground):
            return False
        if (template.needs and not set(template.needs) & set(sorts)) or self._state.decided in template.unless:
            return False
        known = {"thing": self._state.thing, "person": self._state.person}
        return all(known.get(slot, True) for slot in template.slots) and template.level <= self._band

    def _due_words(self, template: Template) -> int:
        if not self._due:
            return 0
        text = "".join(part for part in template.parts(self._brief.language) if isinstance(part, str))
        return len(self._due & set(re.findall(r"\w+", text.lower())))

    def _render(self, template: Template) -> str:
        return template.render(self._brief.language, {name: self._filler(name, template) for name in template.slots})

    def _filler(self, name: str, template: Template) -> Filler:
        state = self._state
        known = {"friend": state.friend, "place": state.place, "next": self._next,
                 "thing": state.thing, "person": state.person}  # fmt: skip
        entry = known.get(name) or self._random.choice(lexicon()[name])
        return Filler(entry, self._adjective(entry.kind) if name in template.described else None)

    def _adjective(self, kind: str) -> Entry:
        return self._random.choice([each for each in adjectives(kind) if each.raw.get("level", "A") <= self._band])

    def _another(self, kind: str, present: Entry | None) -> Entry:
        """Another of the genre's, one whose word is due where there is one."""
        others = [each for each in self._of_genre(kind) if each != present]
        self._random.shuffle(others)
        return max(others, key=lambda each: each.noun(self._brief.language).word.lower() in self._due)

    def _of_genre(self, kind: str) -> list[Entry]:
        return [each for each in lexicon()[kind] if self._brief.genre in each.genres]


def _cut(line: str, language: Language) -> list[str]:
    from shared.domains.stories.analysis.sentences import sentences_of

    return sentences_of(line, language)
