# ruff: noqa: RUF001  quotation marks, as they are printed
"""Sentences of a text: simplemma's splitter, helped with quotation marks as the languages set them."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

_LONE_CLOSING = re.compile(r"[»”“’)\]]+(?=\s|$|[,.;:])")


def sentences_of(text: str, language: str) -> list[str]:
    """The sentences of a text, in their order, without the space between them; each is a slice of the text."""
    if not text.strip():
        return []
    cut: list[str] = []
    at = 0
    plain = _plain(text, language)
    for piece in _splitter()(plain, lang=str(language)):
        begin = plain.index(piece, at)
        at = begin + len(piece)
        _add(cut, text[begin:at], text[begin - 1 : begin] if cut else "")
    return cut


def _add(cut: list[str], piece: str, before: str) -> None:
    """Append a sentence; the mark that ends a quotation belongs to the one that it ends."""
    closing = _LONE_CLOSING.match(piece) if cut else None
    if not closing:
        cut.append(piece)
        return
    rest = piece[closing.end() :]
    cut[-1] += before + closing[0]
    begins = rest.lstrip()
    if begins and begins[0].isupper():
        cut.append(begins)
    else:
        cut[-1] += rest


def _plain(text: str, language: str) -> str:
    """The text with marks of the same length that the splitter knows: German closes with the mark that English opens with."""
    return re.sub("(?<=[.!?…])“", "”", text) if language == "de" else text


@cache
def _splitter() -> Any:
    from simplemma import split_sentences

    return split_sentences
