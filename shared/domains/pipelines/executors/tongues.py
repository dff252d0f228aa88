"""Languages and scripts of texts. All of this runs in the sandbox."""

from __future__ import annotations

import unicodedata
from collections import Counter

from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.texts import LONGEST
from shared.language import language_of

_PIECE = 400
_MOST_PIECES = 30
_THREE = {
    "en": "eng", "fr": "fra", "es": "spa", "de": "deu", "it": "ita", "pt": "por", "nl": "nld", "ja": "jpn", "ko": "kor", "zh": "zho", "el": "ell",
    "he": "heb", "th": "tha", "ru": "rus", "ar": "ara",
}  # fmt: skip
_NAMES = {
    "en": "English", "fr": "French", "es": "Spanish", "de": "German", "it": "Italian", "pt": "Portuguese", "nl": "Dutch", "ja": "Japanese",
    "ko": "Korean", "zh": "Chinese", "el": "Greek", "he": "Hebrew", "th": "Thai", "ru": "Russian", "ar": "Arabic",
}  # fmt: skip


def told(text: str, how: Data) -> Data:
    """The language of a text, or all of them with the shares of the text that are in them; `how` has the settings."""
    shares = shares_of(text)
    script = script_of(text) if how["detect_script"] else None
    main = next(iter(shares.items()), (None, 0.0))
    sure = main[1] >= how["min_confidence"]
    one = {"language": _written(main[0] if sure else None, how["iso_format"]), "confidence": main[1]}
    if not how["detect_multiple"]:
        return {**one, **({"script": script} if how["detect_script"] else {})}
    least = how["min_confidence"] / 5
    several = [
        {
            "language": _written(language, how["iso_format"]),
            "confidence": share,
            **({"script": script} if script else {}),
        }
        for language, share in shares.items()
        if share >= least
    ]
    return {"languages": several, "primary_language": one["language"] or (several[0]["language"] if several else None)}


def shares_of(text: str) -> dict[str, float]:
    """The shares of a text that are in each language, the largest first: of up to thirty pieces from all of it."""
    pieces = _pieces(text[:LONGEST])
    counts: Counter[str] = Counter()
    letters = sum(map(len, pieces)) or 1
    for piece in pieces:
        language = language_of(piece)
        if language:
            counts[language] += len(piece)
    return {language: round(count / letters, 3) for language, count in counts.most_common()}


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for paragraph in text.split("\n"):
        if pieces and len(pieces[-1]) < 25:
            pieces[-1] += f"\n{paragraph}"
        else:
            pieces += [paragraph[at : at + _PIECE] for at in range(0, len(paragraph), _PIECE)]
    pieces = [each for each in pieces if each.strip()]
    return pieces[:: max(1, -(-len(pieces) // _MOST_PIECES))]


def script_of(text: str) -> str | None:
    """The script that most of its letters are of: `Latin`, `Cyrillic`, `Han`."""
    counts = Counter(unicodedata.name(each, "").split(" ")[0] for each in text[:20_000] if each.isalpha())
    if not counts:
        return None
    name = counts.most_common(1)[0][0]
    return {"CJK": "Han"}.get(name, name.capitalize())


def _written(language: str | None, form: str) -> str | None:
    if language is None or form == "iso-639-1":
        return language
    return _THREE.get(language, language) if form == "iso-639-3" else _NAMES.get(language, language)
