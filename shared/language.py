"""Which language a text is in, by the dictionaries of `simplemma`.

On the 942 distinct sentences of the treebanks beside the repository it is right about 95.5 %, with all of `LANGUAGES` to choose from.
They take 19 MB; `py3langid` would take 78, numpy among it. The first call loads the dictionaries (some seconds of a processor, 70 MB): not on the
event loop, and best in the sandbox.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simplemma.language_detector import LanguageDetector
    from simplemma.strategies import LemmatizationStrategy

LANGUAGES = ("en", "fr", "es", "de", "it", "pt", "nl")
"""The languages told apart by their words, as ISO 639-1 writes them."""
_LOOKED_AT = 4_000
"""Characters from the beginning of a text: its most usual words decide, and each is looked up in every dictionary."""
_SAMPLE = 100
"""Words that are looked up, in the dictionary of each language."""
_REMEMBERED = 50_000
_LEAST = 0.2
"""The share of its words that a language must know."""
_SCRIPTS = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
)
"""Scripts that one language is written in, as a rule. Japanese comes first: it is written in Chinese characters too."""
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile("[A-Za-z\u00aa-\u024f]")


def language_of(text: str) -> str | None:
    """The language of a text; None where it is none of those that are known, or where there are too few words to say.

    Args:
        text: running text. Its first 4,000 characters are looked at.
    """
    text = text[:_LOOKED_AT]
    letters = len(_LETTER.findall(text))
    if not letters:
        return None
    if len(_LATIN.findall(text)) * 2 < letters:
        return _by_script(text, letters)
    shares = _detector().proportion_in_each_language(text)
    best = max(LANGUAGES, key=lambda language: shares.get(language, 0.0))  # of several the one that is named first
    return best if shares.get(best, 0.0) >= _LEAST else None


def _by_script(text: str, letters: int) -> str | None:
    for language, script in _SCRIPTS:
        if len(script.findall(text)) * 4 > letters:
            return language
    return None


@cache
def _detector() -> LanguageDetector:
    """Looks up the most usual words of a text, and remembers those that it met: texts of a language share them."""
    from simplemma.language_detector import LanguageDetector
    from simplemma.strategies import LOW_MEMORY_DICTIONARY_FACTORY, DictionaryLookupStrategy
    from simplemma.token_sampler import RelaxedMostCommonTokenSampler

    strategy = DictionaryLookupStrategy(LOW_MEMORY_DICTIONARY_FACTORY)  # 70 MB instead of 440
    return LanguageDetector(LANGUAGES, RelaxedMostCommonTokenSampler(sample_size=_SAMPLE), _Remembering(strategy))


class _Remembering:
    """Dictionaries that remember what they were asked."""

    def __init__(self, strategy: LemmatizationStrategy) -> None:
        self._lemma = lru_cache(_REMEMBERED)(strategy.get_lemma)

    def get_lemma(self, token: str, lang: str) -> str | None:
        """The lemma of a word in a language; None where it knows no such word."""
        return self._lemma(token, lang)
