"""Documents made to do harm: each ends in one of the seven ways, within its limits, and the worker and its neighbours notice nothing."""

from __future__ import annotations

import asyncio
import resource

import pytest

from shared.declarations import settings_of
from shared.domains.documents.public import Refusal, Text, document_reader
from shared.domains.documents.text import Outcome
from support.documents import pdf
from support.hostile_documents import HOSTILE

READER = document_reader(settings_of({}))
_ENDS = {
    "zip bomb.docx": {Outcome.TOO_LARGE},
    "modest bomb.docx": {Outcome.TIMED_OUT, Outcome.TOO_LARGE, Outcome.NO_TEXT, Outcome.TEXT},
    "lying.docx": {Outcome.BROKEN},
    "many.docx": {Outcome.TOO_LARGE},
    "flate bomb.pdf": {Outcome.TOO_LARGE, Outcome.TIMED_OUT},
    "blank flate bomb.pdf": {Outcome.TOO_LARGE, Outcome.TIMED_OUT, Outcome.NO_TEXT},
    "endless pages.pdf": {Outcome.TOO_LARGE},
    "endless form.pdf": {Outcome.TOO_LARGE, Outcome.TIMED_OUT, Outcome.BROKEN, Outcome.NO_TEXT},
    "endless xref.pdf": {Outcome.TEXT, Outcome.BROKEN},
    "deep arrays.pdf": {Outcome.TEXT, Outcome.BROKEN},
    "deep.docx": {Outcome.BROKEN},
    "deep.html": {Outcome.NO_TEXT, Outcome.TEXT},
    "deep.rtf": {Outcome.TEXT, Outcome.TIMED_OUT},
    "laughs.docx": {Outcome.NO_TEXT, Outcome.BROKEN},
    "wide.xlsx": {Outcome.TOO_LARGE},
    "blanks.csv": {Outcome.NO_TEXT},
    "commas.csv": {Outcome.NO_TEXT, Outcome.TIMED_OUT},
    "quotes.csv": {Outcome.TEXT, Outcome.BROKEN, Outcome.TOO_LARGE},
    "stars.md": {Outcome.TEXT},
    "brackets.html": {Outcome.TOO_LARGE},
    "zeros.pdf": {Outcome.BROKEN},
    "long.xlsx": {Outcome.TEXT},
    "long.csv": {Outcome.TEXT},
}
_SLOW = frozenset(
    {
        "zip bomb.docx", "blank flate bomb.pdf", "modest bomb.docx", "commas.csv", "long.xlsx", "endless form.pdf", "deep.rtf",
        "flate bomb.pdf", "long.csv", "quotes.csv", "stars.md", "zeros.pdf", "lying.docx", "many.docx",
    }
)  # fmt: skip
"""Those that take a second and more: to be made, or until they are stopped."""


def _children() -> float:
    """Seconds of processor that children took which have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=pytest.mark.slow) if each in _SLOW else each for each in HOSTILE]
)
async def test_what_is_made_to_harm_ends_within_its_limits_beside_a_document_that_is_read(name: str) -> None:
    before = _children()
    harm, fine = await asyncio.gather(
        READER.read(HOSTILE[name](), name), READER.read(b"Words that are fine.", "fine.txt")
    )
    assert harm.outcome in _ENDS[name]
    assert isinstance(harm, Text) or harm.words
    assert isinstance(fine, Text)
    assert _children() - before < 10  # of a processor: how long that takes by the clock is the machine's affair


@pytest.mark.slow
async def test_two_thousand_pages_are_read_whole() -> None:
    lines = "\n".join("Some words are on each line of the page." for _ in range(40))
    found = await READER.read(pdf(*(f"Page {number}\n{lines}" for number in range(2_000))), "long.pdf")
    assert isinstance(found, Text)
    assert len(found.pages) == 2_000
    assert found.of_page(2_000).startswith("Page 1999\n")


async def test_pages_of_several_calls_are_joined_with_their_offsets(monkeypatch: pytest.MonkeyPatch) -> None:
    from shared.domains.documents.reader import joined
    from shared.domains.documents.reading import pdf as reading
    from shared.domains.documents.reading.dispatch import Part, read_part

    monkeypatch.setattr(reading, "_TURN_SECONDS", 0)
    data, parts = pdf("One.", "Two.", "Three."), []
    first: int | None = 0
    while first is not None:
        part = read_part(data, "x.pdf", None, first)
        assert isinstance(part, Part)
        parts.append(part.text)
        first = part.rest
    whole = joined(parts)
    assert len(parts) == 3
    assert [whole.of_page(number) for number in (1, 2, 3)] == ["One.", "Two.", "Three."]


@pytest.mark.slow
async def test_what_takes_too_long_in_all_is_timed_out() -> None:
    reader = document_reader(settings_of({"DOCUMENT_SECONDS": "5", "DOCUMENT_CPU_SECONDS": "300"}))
    found = await reader.read(b",\n" * (20 * 2**20), "x.csv")
    assert isinstance(found, Refusal)
    assert found.outcome is Outcome.TIMED_OUT
