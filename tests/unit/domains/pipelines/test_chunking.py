"""Chunks of texts: cut where it is best, never too long, and nothing lost."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domains.pipelines.executors import chunking
from shared.domains.pipelines.executors.chunking import ChunkSettings, split
from support.executors import Bench, item

PARAGRAPHS = "\n\n".join(f"Paragraph {n} begins here. " + f"Sentence of paragraph {n}. " * 12 for n in range(8))


def texts(text: str, **settings: Any) -> list[str]:
    return [text[each.start : each.end] for each in split(text, ChunkSettings.model_validate(settings))]


def test_a_text_is_cut_at_paragraphs_where_they_fit() -> None:
    chunks = texts(PARAGRAPHS, chunk_size=500, chunk_overlap=100)
    assert len(chunks) == 8
    assert all(f"Paragraph {n} begins" in chunk for n, chunk in enumerate(chunks))
    assert chunks[1].startswith(("Sentence of paragraph 0", "of paragraph 0", "paragraph 0", "0."))


def test_what_is_too_long_is_cut_finer() -> None:
    chunks = texts(PARAGRAPHS, chunk_size=200, chunk_overlap=0)
    assert all(len(chunk) <= 200 for chunk in chunks)
    assert all(chunk.endswith(".") for chunk in chunks)
    long_word = texts("x" * 950 + " end", chunk_size=300, chunk_overlap=0, min_chunk_size=0)
    assert [len(each) for each in long_word] == [300, 300, 300, 50, 3]


@pytest.mark.parametrize("count", ["characters", "words", "tokens"])
@given(
    st.text(alphabet="abc .\n,", max_size=3000),
    st.integers(100, 400),
    st.integers(0, 99),
)
def test_no_chunk_is_too_long_and_together_they_are_the_text(count: str, text: str, size: int, overlap: int) -> None:
    settings = ChunkSettings.model_validate(
        {
            "chunk_size": size,
            "chunk_overlap": overlap,
            "min_chunk_size": 50,
            "length_function": count,
            "strip_whitespace": False,
        }
    )
    spans = split(text, settings)
    measure = chunking.MEASURES[count]
    assert all(measure(text[each.start : each.end]) <= size for each in spans)
    assert all(later.start <= each.end and each.end < later.end for each, later in pairwise(spans))
    if spans:
        assert (spans[0].start, spans[-1].end) == (0, len(text))


def test_a_small_rest_is_joined_and_separators_go_where_they_are_not_kept() -> None:
    text = "a" * 150 + "\n\n" + "b" * 30
    assert len(texts(text, chunk_size=300, chunk_overlap=100, min_chunk_size=50)) == 1
    cut = texts("a" * 90 + ";" + "b" * 90, chunk_size=100, chunk_overlap=0, separators=";", keep_separator=False)
    assert cut == ["a" * 90, "b" * 90]
    assert ChunkSettings.model_validate({"separators": "\\n\\n,\\n,."}).separators == ("\n\n", "\n", ".")


async def test_chunks_know_their_pages_and_offsets() -> None:
    texts_of = [f"Page {n}. " + "word " * 60 for n in (1, 2, 3)]
    text = "\n\n---\n\n".join(texts_of)
    output = {"text": text, "pages": [{"page_number": n, "text": each} for n, each in enumerate(texts_of, 1)]}
    settings = {"input_field": "pdf_output.text", "chunk_size": 400, "chunk_overlap": 50}
    data = await Bench().data("recursive_text_chunker", settings, pdf_output=output)
    for number, chunk in enumerate(data["chunks"]):
        about = chunk["metadata"]
        assert about["chunk_index"] == number
        assert text[about["offset"] :].startswith(chunk["text"])
        assert about["char_count"] == len(chunk["text"]) <= 400
    assert data["chunks"][0]["metadata"]["page_numbers"] == [1]
    assert data["chunks"][-1]["metadata"]["page_numbers"][-1] == 3


async def test_the_text_of_an_extractor_is_found_and_none_is_told() -> None:
    (made,) = await Bench().do("recursive_text_chunker", {"add_metadata": False}, item(word_output={"text": "hello"}))
    assert made.data["chunks"] == [{"text": "hello"}]
    assert made.summary_data["chunks_created"] == 1
    with pytest.raises(Exception, match=r"there is no field 'x\.y'; fields of this item: text"):
        await Bench().do("recursive_text_chunker", {"input_field": "x.y"}, item(text="t"))
    assert (await Bench().data("recursive_text_chunker", {}, text=""))["chunks"] == []


@pytest.mark.parametrize(
    "settings", [{"chunk_overlap": 1000}, {"min_chunk_size": 2000}, {"chunk_size": 1}, {"separators": []}]
)
def test_sizes_that_cannot_be_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ChunkSettings.model_validate(settings)


@pytest.mark.parametrize(
    ("settings", "ranges"),
    [({"chunk_size": 2}, ["1-2", "3-4", "5"]), ({"chunk_size": 3, "overlap_pages": 1}, ["1-3", "3-5"]), ({"chunk_size": 9}, ["1-5"])],
)  # fmt: skip
async def test_documents_are_split_by_pages(settings: dict[str, Any], ranges: list[str]) -> None:
    output = {"pages": [{"page_number": n, "text": str(n)} for n in range(1, 6)]}
    data = await Bench().data("document_splitter", settings, pdf_output=output)
    assert [each["page_range"] for each in data["chunks"]] == ranges
    assert data["chunks"][0]["text"].startswith("1\n\n2")


async def test_what_has_no_pages_is_one_part() -> None:
    data = await Bench().data("document_splitter", {}, text="all of it")
    assert [(each["chunk_id"], each["text"]) for each in data["chunks"]] == [("0", "all of it")]
    data = await Bench().data("document_splitter", {"split_by": "characters", "chunk_size": 4}, text="all of it")
    assert [each["text"] for each in data["chunks"]] == ["all ", "of i", "t"]
