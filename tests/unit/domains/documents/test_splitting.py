"""Chunks: as long as they may be, cut where a reader would, and with offsets that hold."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.documents.splitting import split, split_text
from shared.domains.documents.text import Heading, Page, Text

PROSE = " ".join(f"This is sentence number {number}, which says little." for number in range(60))


def test_chunks_end_with_sentences_and_repeat_some_of_the_one_before() -> None:
    chunks = split_text(PROSE, size=300, overlap=80)
    assert len(chunks) > 5
    assert all(chunk.text.endswith(".") and chunk.text.startswith("This is") for chunk in chunks)
    for one, other in itertools.pairwise(chunks):
        assert one.start < other.start < one.end < other.end
        assert one.end - other.start <= 80


def test_no_chunk_crosses_a_heading_and_each_knows_those_above_it() -> None:
    text = "Before.\n\n# One\n\nFirst.\n\n## Deeper\n\nSecond.\n\n# Two\n\nThird."
    headings = tuple(
        Heading(text.index(mark), level, title)
        for mark, level, title in (("# One", 1, "One"), ("## Deeper", 2, "Deeper"), ("# Two", 1, "Two"))
    )
    chunks = split(Text(text, "markdown", (Page(1, 0, 20), Page(2, 20, len(text))), headings), size=500)
    assert [chunk.headings for chunk in chunks] == [(), ("One",), ("One", "Deeper"), ("Two",)]
    assert [chunk.page for chunk in chunks] == [1, 1, 2, 2]
    assert [chunk.number for chunk in chunks] == [0, 1, 2, 3]


def test_paragraphs_come_before_sentences_and_words_before_nothing() -> None:
    first, second = "One. Two. Three. Four. Five.", "Six. Seven. Eight."
    assert [chunk.text for chunk in split_text(f"{first}\n\n{second}", size=40, overlap=0)] == [first, second]
    assert [chunk.text for chunk in split_text("x" * 25, size=10, overlap=0)] == ["x" * 10, "x" * 10, "x" * 5]


@given(st.text(alphabet="ab .\n!é漢", max_size=400), st.integers(1, 60), st.integers(0, 59))
def test_offsets_hold_and_nothing_but_blanks_is_lost(text: str, size: int, overlap: int) -> None:
    if overlap >= size:
        with pytest.raises(ValueError, match="overlap"):
            split_text(text, size, overlap)
        return
    chunks = split_text(text, size, overlap)
    covered = set()
    for chunk in chunks:
        assert chunk.text == text[chunk.start : chunk.end]
        assert 0 < len(chunk.text) <= size
        covered |= set(range(chunk.start, chunk.end))
    assert all(text[at].isspace() for at in range(len(text)) if at not in covered)
