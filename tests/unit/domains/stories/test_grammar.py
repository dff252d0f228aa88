from __future__ import annotations

import random
from itertools import pairwise

import pytest

from shared.domains.stories.analysis.lemmas import LemmaAnalyser
from shared.domains.stories.generation.grammar_generator import GrammarGenerator
from shared.domains.stories.generation.lexicon import WRITTEN, adjectives, lexicon
from shared.domains.stories.generation.sentences import Filler, Template, of_role, read, templates
from shared.domains.stories.languages import Genre, Language, Level
from shared.domains.stories.ports import Brief, Draft, Past, UntranslatableError
from shared.domains.stories.translation.glossary import GlossaryTranslator

PAIRS = [(source, target) for source in WRITTEN for target in WRITTEN if source != target]


async def story(language: Language, number: int, length: int = 3, **changes: object) -> list[Draft]:
    """A whole story, by decisions that differ from story to story."""
    drafts: list[Draft] = []
    past: tuple[Past, ...] = ()
    for entry in range(1, length + 1):
        brief = Brief.model_validate({
            "story_seed": f"story {number}", "seed": f"{number}/{entry}", "language": language, "native_language": "en",
            "level": list(Level)[number % 6], "genre": list(Genre)[number % 4], "number": entry, "length": length, "story": past,
        } | changes)  # fmt: skip
        drafts.append(draft := await GrammarGenerator().generate(brief))
        if draft.choices:
            choice = number % len(draft.choices)
            told = {"title": draft.title, "text": draft.text, "choice": choice, "chosen": draft.choices[choice]}
            past = (*past, Past.model_validate({"entry_id": str(entry), **told}))
    return drafts


def fillers_of(template: Template, dice: random.Random) -> dict[str, Filler]:
    fillers = {}
    for slot in sorted(template.slots):
        kind = "place" if slot == "next" else slot
        adjective = dice.choice(adjectives(kind)) if slot in template.described else None
        fillers[slot] = Filler(dice.choice(lexicon()[kind]), adjective)
    return fillers


@pytest.mark.parametrize("language", WRITTEN)
def test_every_sentence_is_read_back_as_what_it_was_made_of(language: Language) -> None:
    dice = random.Random(language)
    for template in templates():
        for _ in range(4):
            fillers = fillers_of(template, dice)
            text = template.render(language, fillers)
            found = read(text, language)
            assert found is not None, text
            assert all(found[0].render(each, found[1]) == template.render(each, fillers) for each in WRITTEN), text


def test_a_sentence_says_the_same_of_the_same_in_every_language() -> None:
    for template in templates():
        for language in WRITTEN:
            slots = [part for part in template.parts(language) if not isinstance(part, str)]
            assert {slot.name for slot in slots} == template.slots, template.raw
            assert {slot.name for slot in slots if slot.described} == template.described, template.raw


@pytest.mark.parametrize("language", WRITTEN)
async def test_stories_are_cut_into_the_sentences_that_they_are_made_of(language: Language) -> None:
    translator = GlossaryTranslator()
    for number in range(18):
        for draft in await story(language, number):
            sentences = LemmaAnalyser().sentences(draft.text, language)
            assert all(read(sentence, language) for sentence in sentences)
            assert draft.text.replace("\n\n", " ") == " ".join(sentences)
            target = WRITTEN[(WRITTEN.index(language) + 1) % 4]
            there = await translator.translate([draft.title, *sentences, *draft.choices], language, target)
            back = await translator.translate(there.texts, target, language)
            assert back.texts == (draft.title, *sentences, *draft.choices)


@pytest.mark.parametrize(("source", "target"), PAIRS)
async def test_every_pair_can_be_translated(source: Language, target: Language) -> None:
    draft = (await story(source, 3))[0]
    translated = await GlossaryTranslator().translate(draft.choices, source, target)
    assert len(translated.texts) == len(draft.choices)
    assert set(translated.texts).isdisjoint(draft.choices)


async def test_what_the_grammar_cannot_say_is_not_translated() -> None:
    translator = GlossaryTranslator()
    assert not translator.can_translate(Language.ENGLISH, Language.ENGLISH)
    assert not translator.can_translate(Language.ENGLISH, Language.ITALIAN)
    with pytest.raises(UntranslatableError):
        await translator.translate(["Stocks fell on Monday."], Language.ENGLISH, Language.FRENCH)
    with pytest.raises(UntranslatableError):
        await translator.translate(["You come to an old castle."], Language.ENGLISH, Language.POLISH)


async def test_a_story_is_the_same_whenever_it_is_told_and_another_for_another_seed() -> None:
    assert await story(Language.GERMAN, 7) == await story(Language.GERMAN, 7)
    assert await story(Language.GERMAN, 7) != await story(Language.GERMAN, 13)


async def test_an_entry_follows_on_what_was_decided() -> None:
    sorts = {"Parle": "talk", "Suis": "follow", "Donne": "give", "Cache": "keep", "Marche": "go", "Attends": "wait"}
    seen = set()
    for number in range(0, 120, 6):  # A1: the words of choices begin as above
        drafts = await story(Language.FRENCH, number)
        for before, after in pairwise(drafts):
            chosen = before.choices[number % len(before.choices)]
            sort = sorts[chosen.split()[0]]
            first = LemmaAnalyser().sentences(after.text, Language.FRENCH)[0]
            found = read(first, Language.FRENCH)
            assert found is not None
            assert found[0].role == f"after.{sort}"
            seen.add(sort)
    assert len(seen) >= 3


async def test_choices_are_two_to_four_and_the_last_entry_has_none() -> None:
    for number in range(12):
        *before, last = await story(Language.SPANISH, number, length=4)
        assert last.choices == ()
        for draft in before:
            assert 2 <= len(set(draft.choices)) == len(draft.choices) <= 4


@pytest.mark.parametrize("language", WRITTEN)
async def test_a_higher_level_has_longer_sentences(language: Language) -> None:
    async def words(level: str) -> float:
        texts = [each.text for number in range(4) for each in await story(language, number, level=level)]
        sentences = [sentence for text in texts for sentence in LemmaAnalyser().sentences(text, language)]
        return sum(len(sentence.split()) for sentence in sentences) / len(sentences)

    a, b, c = await words("A1"), await words("B1"), await words("C1")
    assert a < b < c
    assert a < 9


async def test_words_that_are_due_come_back() -> None:
    due = ("Schlüssel", "hund")
    with_them = [
        each.text
        for n in range(24)
        for each in await story(Language.GERMAN, n, level="A2", genre="fantasy", words_due=due)
    ]
    without = [each.text for n in range(24) for each in await story(Language.GERMAN, n, level="A2", genre="fantasy")]
    assert sum("Schlüssel" in text for text in with_them) > 1.5 * sum("Schlüssel" in text for text in without)
    assert sum("Hund" in text for text in with_them) > sum("Hund" in text for text in without)


def test_every_role_has_a_sentence_for_beginners_that_needs_no_walls() -> None:
    for role in (
        "open",
        "scene",
        "friend",
        "friend_says",
        "find",
        "look",
        "meet",
        "person_says",
        "tension",
        "ask",
        "climax",
        "end",
    ):
        fitting = [
            each for each in of_role(role) if each.level == "A" and not (each.inside or each.ground or each.needs)
        ]
        assert fitting, role
