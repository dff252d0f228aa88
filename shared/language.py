"""Which language a text is in, by the dictionaries of `simplemma`.

On the 942 distinct sentences of the treebanks beside the repository it is right about 95.2 %, with all of `LANGUAGES` to choose from.
`py3langid` would take 62 MB more, numpy among it. The first call loads the dictionaries (some seconds of a processor, 70 MB): not on the
event loop, and best in the sandbox.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simplemma.language_detector import LanguageDetector

LANGUAGES = ("en", "fr", "es", "de", "it", "pt", "nl")
"""The languages told apart by their words, as ISO 639-1 writes them."""
_LOOKED_AT = 20_000
"""Characters from the beginning of a text: its hundred most usual words decide."""
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
        text: running text. Its first 20,000 characters are looked at.
    """
    text = text[:_LOOKED_AT]
    letters = len(_LETTER.findall(text))
    if not letters:
        return None
    if len(_LATIN.findall(text)) * 2 < letters:
        return _by_script(text, letters)
    known = [detector.proportion_in_each_language(text) for detector in _detectors()]
    shares = {language: sum(each.get(language, 0.0) for each in known) / len(known) for language in LANGUAGES}
    best = max(shares, key=lambda language: shares[language])  # of several the one that is named first
    return best if shares[best] >= _LEAST else None


def _by_script(text: str, letters: int) -> str | None:
    for language, script in _SCRIPTS:
        if len(script.findall(text)) * 4 > letters:
            return language
    return None


@cache
def _detectors() -> tuple[LanguageDetector, ...]:
    """One looks at the most usual words that are no names, the other at more of them, and at all."""
    from simplemma.language_detector import LanguageDetector
    from simplemma.strategies import DefaultStrategy
    from simplemma.token_sampler import MostCommonTokenSampler, RelaxedMostCommonTokenSampler

    strategy = DefaultStrategy(low_memory=True)  # 70 MB instead of 440
    return tuple(
        LanguageDetector(LANGUAGES, sampler, strategy)
        for sampler in (MostCommonTokenSampler(), RelaxedMostCommonTokenSampler())
    )
