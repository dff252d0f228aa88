"""spaCy, where it is asked for and installed with a model of the language: sentences, lemmas and parts of speech of a model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from shared.domains.stories.analysis.lemmas import MOST, ranks
from shared.domains.stories.languages import Language, Level
from shared.domains.stories.ports import Analysis, Sentence, ServiceError, Token

MODELS = {
    Language.ENGLISH: "en_core_web_sm",
    Language.FRENCH: "fr_core_news_sm",
    Language.SPANISH: "es_core_news_sm",
    Language.GERMAN: "de_core_news_sm",
    Language.ITALIAN: "it_core_news_sm",
    Language.PORTUGUESE: "pt_core_news_sm",
    Language.DUTCH: "nl_core_news_sm",
    Language.POLISH: "pl_core_news_sm",
    Language.SWEDISH: "sv_core_news_sm",
    Language.DANISH: "da_core_news_sm",
}
"""The model of each language, a package of its own."""
_NOT_LEARNT = frozenset({"PROPN", "NUM", "PUNCT", "SYM", "X", "SPACE"})


class SpacyAnalyser:
    """Finds words with spaCy's small models."""

    name = "spacy"

    def sentences(self, text: str, language: Language) -> list[str]:
        """The sentences of a text."""
        return [each.text.strip() for each in _model(language)(text).sents if each.text.strip()]

    def analyse(self, sentences: Sequence[str], language: Language, level: Level) -> Analysis:
        """The words of sentences."""
        rank, most = ranks(language), MOST[level]
        documents = _model(language).pipe(sentences)
        found = zip(sentences, documents, strict=True)
        return Analysis(
            sentences=tuple(
                Sentence(text=text, tokens=tuple(_token(each, rank, most) for each in document if not each.is_space))
                for text, document in found
            )
        )


def _token(token: Any, rank: dict[str, int], most: int) -> Token:
    word = token.is_alpha or any(char.isalpha() for char in token.text)
    learnt = word and token.lemma_ and token.pos_ not in _NOT_LEARNT
    rare = bool(learnt and rank) and rank.get(token.lemma_.lower(), most) >= most
    return Token(
        start=token.idx, end=token.idx + len(token.text), lemma=(token.lemma_ or None) if word else None, pos=token.pos_ or None, rare=rare
    )  # fmt: skip


@cache
def _model(language: Language) -> Any:
    """A language's model; ServiceError where it is not installed."""
    import spacy

    try:
        return spacy.load(MODELS[language])
    except OSError:
        raise ServiceError(f"spaCy's model {MODELS[language]} is not installed") from None
