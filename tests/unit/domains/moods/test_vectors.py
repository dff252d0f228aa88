from __future__ import annotations

import hashlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.domains.moods.model import similarity
from shared.domains.moods.vectors import DIMENSIONS, HashingEmbedder, vector_of
from shared.domains.moods.vocabulary import vocabulary

REPOSITORY = Path(__file__).parents[4]
TEXT = "Coastal: linen, breton stripes and espadrilles"
KNOWN = "5d65793ec900525e"


def digest(vector: list[float]) -> str:
    return hashlib.sha256(json.dumps(vector).encode()).hexdigest()[:16]


def test_a_text_has_the_vector_that_it_always_had() -> None:
    assert digest(vector_of(TEXT)) == KNOWN


@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_makes_the_same_vector(seed: str) -> None:
    code = f"import json; from shared.domains.moods.vectors import vector_of; print(json.dumps(vector_of({TEXT!r})))"
    environ = {**os.environ, "PYTHONHASHSEED": seed}
    output = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, env=environ, check=True, capture_output=True)
    assert digest(json.loads(output.stdout)) == KNOWN


def test_vectors_have_length_one_whatever_the_length_of_the_text() -> None:
    for text in ("linen", TEXT, TEXT * 50):
        assert math.hypot(*vector_of(text)) == pytest.approx(1, abs=1e-4)
        assert len(vector_of(text)) == DIMENSIONS


def test_a_text_without_words_has_no_direction() -> None:
    assert set(vector_of("... !")) == {0.0}


def test_like_texts_have_like_vectors() -> None:
    looks = {
        entry.id: vector_of(str(entry.signals.to_json())) for entry in vocabulary().values() if entry.signals.palette
    }
    classic = {other: similarity(looks["classic"], looks[other]) for other in looks if other != "classic"}
    assert max(classic, key=lambda each: classic[each]) in {"dark-academia", "preppy", "minimalist"}
    assert similarity(vector_of("prairie dress"), vector_of("prairie dresses")) > 0.9


async def test_all_texts_are_embedded_in_order() -> None:
    texts = ["linen", "tweed", "linen"]
    assert await HashingEmbedder().embed_documents(texts) == [vector_of(text) for text in texts]
    assert await HashingEmbedder().embed_documents([]) == []
