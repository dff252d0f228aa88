"""Texts split into chunks: by paragraphs, where those are too long by lines, by sentences, by words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ItemSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data, text_at

_TOKEN = 4
"""Characters that count as a token: an estimate, which is right for English within a fifth or so."""


def _separators(value: Any) -> Any:
    if isinstance(value, str):
        return [each.replace("\\n", "\n").replace("\\t", "\t") for each in value.split(",")]
    return value


class ChunkSettings(ItemSettings):
    """How long chunks are, and where they may be cut."""

    input_field: str = Field(default="text", description="Path of the text.", examples=["pdf_output.text"])
    output_field: str = Field(default="chunks", description="Field of the chunks.")
    chunk_size: int = Field(
        default=1000, ge=100, le=10_000, description="Longest chunk, what it shares with others included."
    )
    chunk_overlap: int = Field(
        default=200, ge=0, le=2000, description="What a chunk repeats of the one before it, at most."
    )
    separators: Annotated[tuple[str, ...], BeforeValidator(_separators)] = Field(
        default=("\n\n", "\n", "."),
        min_length=1,
        description="Where a text may be cut, best first; a list, or a text with commas. Blanks and any character follow of themselves.",
    )
    length_function: Literal["characters", "words", "tokens"] = Field(
        default="characters", description="What lengths are counted in; a token is estimated as four characters."
    )
    keep_separator: bool = Field(
        default=True, description="Whether a chunk ends with the separator that it was cut at."
    )
    strip_whitespace: bool = Field(default=True, description="Strip blanks around chunks.")
    min_chunk_size: int = Field(
        default=100, ge=0, le=5000, description="A shorter one is joined to the one before it, where that has room."
    )
    add_metadata: bool = Field(default=True, description="Write `metadata` for each.")
    include_page_numbers: bool = Field(
        default=True, description="Say which pages a chunk is of, where the extractor wrote pages."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.chunk_overlap >= self.chunk_size:
            raise ValueError("chunk_overlap must be below chunk_size")
        if self.min_chunk_size > self.chunk_size:
            raise ValueError("min_chunk_size must not be above chunk_size")
        return self


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a text, by its offsets, and how it was cut."""

    start: int
    end: int
    level: int = 0
    separator: str | None = None


@executor(
    "recursive_text_chunker",
    settings=ChunkSettings,
    category="transform",
    example={"input_field": "pdf_output.text", "chunk_size": 1000, "chunk_overlap": 200},
)
async def recursive_text_chunker(item: Content, settings: ChunkSettings, run: Run) -> Content:  # noqa: ARG001 - the shape of all
    """Split a text into chunks that overlap.

    Each chunk has `text` and, in `metadata`, its index, offset, lengths, pages, and the separator that it was cut at. No chunk is longer than `chunk_size`.
    """
    text = text_at(item, settings.input_field)
    spans = split(text, settings)
    pages = _pages(item, settings, text) if settings.include_page_numbers else []
    chunks = [_chunk(text, number, span, settings, pages) for number, span in enumerate(spans)]
    item.data[settings.output_field] = chunks
    lengths = [len(each["text"]) for each in chunks]
    item.summary_data |= {
        "chunks_created": len(chunks),
        "avg_chunk_size": sum(lengths) // len(lengths) if lengths else 0,
        "chunking_method": "recursive",
    }
    return item


def split(text: str, settings: ChunkSettings) -> list[Span]:
    """The chunks of a text, in its order; what one repeats of the one before it is part of it."""
    separators = tuple(dict.fromkeys((*(each for each in settings.separators if each), " ")))
    measure = MEASURES[settings.length_function]
    room = settings.chunk_size - settings.chunk_overlap
    found = list(_cut(text, Span(0, len(text)), separators, room, measure))
    found = [each for span in found if (each := _trimmed(text, span, settings)).end > each.start]
    found = _without_small(text, found, settings, measure)
    return [found[0], *(_overlapping(text, *two, settings, measure) for two in pairwise(found))] if found else []


def _cut(text: str, span: Span, separators: Sequence[str], room: int, measure: Callable[[str], int]) -> Iterator[Span]:
    """Cut a part that is too long at its best separator, and put together what has room; what is still too long is cut finer."""
    if measure(text[span.start : span.end]) <= room:
        yield span
        return
    if not separators:
        yield from _hard(span, room, measure)
        return
    separator, finer = separators[0], separators[1:]
    held: Span | None = None
    for part in _parts(text, span, separator):
        if held and measure(text[held.start : part.end]) <= room:
            held = replace(held, end=part.end)
            continue
        if held:
            yield held
        held = None
        if measure(text[part.start : part.end]) <= room:
            held = part
        else:
            yield from _cut(text, replace(part, level=span.level + 1), finer, room, measure)
    if held:
        yield held


def _parts(text: str, span: Span, separator: str) -> Iterator[Span]:
    start = span.start
    while start < span.end:
        at = text.find(separator, start, span.end)
        end = span.end if at < 0 else at + len(separator)
        yield Span(start, end, span.level, separator)
        start = end


def _hard(span: Span, room: int, measure: Callable[[str], int]) -> Iterator[Span]:
    """Cut wherever it must be: there is no separator in a word, or in a language that has none."""
    start, step = span.start, room * (_TOKEN if measure is _tokens else 1)
    while start < span.end:
        end = min(span.end, start + step)
        yield Span(start, end, span.level, "")
        start = end


def _trimmed(text: str, span: Span, settings: ChunkSettings) -> Span:
    start, end = span.start, span.end
    if not settings.keep_separator and span.separator and text[start:end].endswith(span.separator):
        end -= len(span.separator)
    if settings.strip_whitespace:
        part = text[start:end]
        start, end = start + len(part) - len(part.lstrip()), end - len(part) + len(part.rstrip())
    return replace(span, start=start, end=max(start, end))


def _without_small(text: str, spans: list[Span], settings: ChunkSettings, measure: Callable[[str], int]) -> list[Span]:
    made: list[Span] = []
    for span in spans:
        small = measure(text[span.start : span.end]) < settings.min_chunk_size
        if small and made and measure(text[made[-1].start : span.end]) <= settings.chunk_size - settings.chunk_overlap:
            made[-1] = replace(made[-1], end=span.end)
        else:
            made.append(span)
    return made


def _overlapping(text: str, before: Span, span: Span, settings: ChunkSettings, measure: Callable[[str], int]) -> Span:
    """The chunk with the end of the one before it: whole words, as many as the overlap has room for."""
    if not settings.chunk_overlap:
        return span
    start = span.start
    words = [found.start() + before.start for found in re.finditer(r"\S+", text[before.start : before.end])]
    for word in reversed(words):
        within = measure(text[word : span.start]) <= settings.chunk_overlap
        if not within or measure(text[word : span.end]) > settings.chunk_size:
            break
        start = word
    return replace(span, start=start)


def _chunk(text: str, number: int, span: Span, settings: ChunkSettings, pages: list[tuple[int, int]]) -> Data:
    part = text[span.start : span.end]
    chunk: Data = {"text": part}
    if settings.add_metadata:
        chunk["metadata"] = {
            "chunk_index": number, "offset": span.start, "char_count": len(part), "word_count": len(part.split()), "split_level": span.level,
            "separator_used": span.separator, "page_numbers": _pages_of(span, pages),
        }  # fmt: skip
    return chunk


def _pages(item: Content, settings: ChunkSettings, text: str) -> list[tuple[int, int]]:
    """Where each page begins in the text, with its number: of the `pages`, or `slides`, beside the text."""
    place = settings.input_field.rpartition(".")[0]
    beside = item.get(place) if place else item.data
    listed = (beside.get("pages") or beside.get("slides") or []) if isinstance(beside, dict) else []
    found, at = [], 0
    for number, page in enumerate(listed, 1):
        content = page.get("text") if isinstance(page, dict) else None
        begins = text.find(content, at) if content else -1
        if begins >= 0:
            found.append((begins, int(page.get("page_number") or page.get("slide_number") or number)))
            at = begins + len(content or "")
    return found


def _pages_of(span: Span, pages: list[tuple[int, int]]) -> list[int] | None:
    if not pages:
        return None
    ends = [begins for begins, _ in pages[1:]] + [span.end + 1]
    return [number for (begins, number), end in zip(pages, ends, strict=True) if begins < span.end and end > span.start]


def _words(text: str) -> int:
    return len(text.split())


def _tokens(text: str) -> int:
    return -(-len(text) // _TOKEN)


MEASURES: dict[str, Callable[[str], int]] = {"characters": len, "words": _words, "tokens": _tokens}
"""How lengths are counted."""


class PageSplitSettings(ItemSettings):
    """How many pages a part has."""

    split_by: Literal["pages", "chunks", "characters"] = Field(
        default="pages", description="Pages that an extractor wrote, or parts of a number of characters."
    )
    chunk_size: int = Field(default=5, ge=1, le=10_000, description="Pages, or characters, of a part.")
    overlap_pages: int = Field(default=0, ge=0, le=100, description="Pages that a part repeats of the one before it.")
    output_field: str = Field(default="chunks", description="Field of the parts.")

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.overlap_pages >= self.chunk_size:
            raise ValueError("overlap_pages must be below chunk_size")
        return self


@executor(
    "document_splitter",
    settings=PageSplitSettings,
    category="transform",
    example={"split_by": "pages", "chunk_size": 5},
)
async def document_splitter(item: Content, settings: PageSplitSettings, run: Run) -> Content:  # noqa: ARG001 - the shape of all
    """Split a document into parts of some pages.

    Each part has `chunk_id`, `text`, `page_range` and `pages`; `chunk_processor` runs a pipeline over them. An item without pages is one part.
    """
    pages = pages_of(item)
    if settings.split_by == "pages" and pages:
        step = settings.chunk_size - settings.overlap_pages
        starts = range(0, max(1, len(pages) - settings.overlap_pages), step)
        parts = [_part(pages[at : at + settings.chunk_size]) for at in starts]
    else:
        text = text_at(item, "text")
        size = max(1, len(text) if settings.split_by == "pages" else settings.chunk_size)
        parts = [_plain(text[at : at + size]) for at in range(0, max(1, len(text)), size)]
    item.data[settings.output_field] = [{"chunk_id": f"{number}", **part} for number, part in enumerate(parts)]
    item.summary_data["chunks_created"] = len(parts)
    return item


def _plain(text: str) -> Data:
    return {"text": text, "page_range": None, "pages": []}


def _part(pages: list[Data]) -> Data:
    numbers = [each["page_number"] for each in pages]
    text = "\n\n".join(each["text"] for each in pages)
    return {
        "text": text,
        "page_range": f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else f"{numbers[0]}",
        "pages": pages,
    }


def pages_of(item: Content) -> list[Data]:
    """The pages that the last extractor has written: number and text."""
    for value in reversed([item.data, *item.data.values()]):
        listed = (value.get("pages") or value.get("slides")) if isinstance(value, dict) else None
        if isinstance(listed, list) and all(
            isinstance(each, dict) and isinstance(each.get("text"), str) for each in listed
        ):
            return [
                {"page_number": each.get("page_number") or each.get("slide_number") or number, "text": each["text"]}
                for number, each in enumerate(listed, 1)
            ]
    return []
