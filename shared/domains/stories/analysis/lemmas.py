"""Words and their dictionary forms by simplemma: no model, 54 languages, a few milliseconds for an entry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from shared.domains.stories.analysis.corrections import FRENCH_NOUNS, LEMMAS, PARTS_OF_SPEECH
from shared.domains.stories.analysis.sentences import sentences_of
from shared.domains.stories.analysis.tokens import Piece, pieces
from shared.domains.stories.generation.lexicon import lexicon
from shared.domains.stories.languages import Language, Level
from shared.domains.stories.ports import Analysis, Sentence, Token

if TYPE_CHECKING:
    from simplemma import Lemmatizer
    from simplemma.strategies import DefaultStrategy

MOST = {Level.A1: 750, Level.A2: 1500, Level.B1: 2750, Level.B2: 4500, Level.C1: 6000, Level.C2: 8000}
"""How many of a language's most frequent words somebody at a level is taken to know (lemmas, names left out)."""
_APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
_FREQUENT = Path(__file__).parent / "frequent"


class LemmaAnalyser:
    """Finds sentences by rules, dictionary forms in simplemma's lists, and parts of speech where the word leaves no doubt."""

    name = "simplemma"

    def sentences(self, text: str, language: Language) -> list[str]:
        """The sentences of a text."""
        paragraphs = (line for line in text.splitlines() if line.strip())
        return [sentence for line in paragraphs for sentence in sentences_of(line, language)]

    def analyse(self, sentences: Sequence[str], language: Language, level: Level) -> Analysis:
        """The words of sentences."""
        rank = ranks(language)
        names = _names(sentences, language)
        found = (
            Sentence(text=text, tokens=tuple(_tokens(text, language, rank, MOST[level], names))) for text in sentences
        )
        return Analysis(sentences=tuple(found))


def _names(sentences: Sequence[str], language: Language) -> frozenset[str]:
    """Words that have a capital where no sentence begins: they are names where one begins, too. In German they may be any noun."""
    companions = frozenset(each.text(language) for each in lexicon()["friend"])
    if language == Language.GERMAN:
        return companions
    later = (piece.text for text in sentences for piece in [each for each in pieces(text, language) if each.word][1:])
    return companions | frozenset(word for word in later if word[0].isupper() and word != "I")


def _tokens(text: str, language: Language, rank: dict[str, int], most: int, names: frozenset[str]) -> list[Token]:
    tokens = []
    first = True
    for piece in pieces(text, language):
        if not piece.word:
            sign = "NUM" if piece.text[0].isdigit() else "PUNCT"
            tokens.append(Token(start=piece.start, end=piece.end, pos=sign))
            continue
        named = piece.text in names
        lemma = lemma_of(piece.text, language, first=first and not named)
        name = named and (lemma[0].isupper() or piece.text[0].isupper())
        usual = min(rank.get(lemma.lower(), most), rank.get(piece.text.lower(), most)) < most
        rare = bool(rank) and not name and not usual and _stands_alone(piece, lemma, language)
        pos = "PROPN" if name and lemma != "I" else _pos(piece.text, lemma, language, first=first)
        tokens.append(Token(start=piece.start, end=piece.end, lemma=lemma, pos=pos, rare=rare))
        first = False
    return tokens


def _stands_alone(piece: Piece, lemma: str, language: str) -> bool:
    """Whether a piece is a word of its own, and not what another has lost (*l'*, *'s*), or a word of grammar."""
    word = piece.text.lower().replace(_APOSTROPHE, "'")
    return len(word) > 1 and "'" not in word[:2] and len(lemma) > 1 and word not in PARTS_OF_SPEECH.get(language, {})


def lemma_of(word: str, language: str, *, first: bool = False) -> str:
    """A word's dictionary form. `first`: it begins a sentence, where every word has a capital."""
    plain = word.replace(_APOSTROPHE, "'").lstrip("-").removeprefix("t-")
    lower = plain.lower()
    known = LEMMAS.get(language, {}).get(lower)
    if known and (language != "de" or first or not plain[0].isupper()):
        return known
    if first and plain[:1].isupper() and plain != "I" and _begins_in_lower_case(plain, lower, language):
        plain = lower
    lemma = _lemmatizer().lemmatize(plain or word, language)
    if language == "fr" and lemma.endswith("é") and lemma not in FRENCH_NOUNS:
        infinitive = f"{lemma[:-1]}er"  # a participle, which the lists have as an adjective, is mostly met as a verb
        return infinitive if _is_known()(infinitive, language) else lemma
    return lemma


def _begins_in_lower_case(word: str, lower: str, language: str) -> bool:
    """Whether the first word of a sentence would have a small letter elsewhere."""
    known = _is_known()
    if language == "de":
        return known(lower, language) and not (known(word, language) and lower not in PARTS_OF_SPEECH["de"] and
                                               _lemmatizer().lemmatize(word, language)[0].isupper())  # fmt: skip
    return known(lower, language) or lower in ranks(language)


def _pos(word: str, lemma: str, language: str, *, first: bool) -> str | None:
    known = PARTS_OF_SPEECH.get(language, {})
    found = known.get(word) or known.get(word.lower().replace(_APOSTROPHE, "'").lstrip("-"))
    if found is None and language == "de" and lemma[0].isupper() and word[0].isupper() and not first:
        return "NOUN"  # or a name: German capitals tell no more
    return found


@cache
def ranks(language: str) -> dict[str, int]:
    """A language's frequent lemmas, in lower case, each with its rank from 0; empty where there is no list."""
    path = _FREQUENT / f"{language}.txt"
    if not path.exists():
        return {}
    return {lemma: rank for rank, lemma in enumerate(path.read_text(encoding="utf-8").split())}


@cache
def _lemmatizer() -> Lemmatizer:
    from simplemma import Lemmatizer

    return Lemmatizer(lemmatization_strategy=_strategy())


@cache
def _is_known() -> Callable[[str, str], bool]:
    return _strategy().is_dictionary_member


@cache
def _strategy() -> DefaultStrategy:
    """One set of dictionaries, in the form that takes little memory: some 15 MB a language, read in about a second."""
    from simplemma.strategies import DefaultStrategy

    return DefaultStrategy(low_memory=True)
