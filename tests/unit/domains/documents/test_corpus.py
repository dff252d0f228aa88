"""Every document of the recorded set, read as the app reads it: each ends in one of the seven ways, and most of its words are found."""

from __future__ import annotations

import pytest

from bench.documents import read_all, samples, scores
from shared.domains.documents.public import Refusal, Text
from shared.domains.documents.text import Outcome
from support.shared_folder import data

pytestmark = pytest.mark.slow
_LEAST = {
    "documents_f1": 0.92, "documents_f1_without_extra": 0.90, "documents_f1_pdf": 0.89, "documents_f1_docx": 0.91, "documents_f1_html": 0.95,
}  # fmt: skip


async def test_every_document_ends_in_one_of_the_seven_ways_and_no_child_dies() -> None:
    folder = data("documents").parent
    readings, largest, killed = await read_all(list(samples(folder)))
    assert len(readings) > 500
    for each in readings:
        assert isinstance(each.found, Text | Refusal)
        assert isinstance(each.found, Text) or each.found.words
        opened = each.sample.password is None or each.found.outcome is not Outcome.ENCRYPTED
        assert opened, each.sample.path
    figures = scores(readings)
    assert {name: figures[name] for name, least in _LEAST.items() if figures[name] < least} == {}
    assert killed == 0
    assert largest < 1024
