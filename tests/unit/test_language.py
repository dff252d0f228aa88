"""Telling languages apart: right on 95 % of the treebanks' sentences, and honest about what it does not know."""

from __future__ import annotations

import gzip

import pytest

from shared.language import language_of
from support.shared_folder import data

EXAMPLES = {
    "en": "The parcel was left with the neighbours, who did not know when we would be back.",
    "fr": "Le colis a été déposé chez les voisins, qui ne savaient pas quand nous reviendrions.",
    "es": "El paquete se dejó con los vecinos, que no sabían cuándo volveríamos.",
    "de": "Das Paket wurde bei den Nachbarn abgegeben, die nicht wussten, wann wir zurückkommen.",
    "it": "Il pacco è stato lasciato ai vicini, che non sapevano quando saremmo tornati.",
    "el": "Το δέμα αφέθηκε στους γείτονες.",  # noqa: RUF001 - Greek
    "ja": "荷物は隣の人に預けられました。",
    "ko": "소포는 이웃에게 맡겨졌습니다.",
}


@pytest.mark.parametrize("language", EXAMPLES)
def test_a_sentence_is_in_its_language(language: str) -> None:
    assert language_of(EXAMPLES[language]) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "12 345 / 67",
        "xq zzkr wprt",
        "\u041f\u0430\u043a\u0435\u0442 \u0434\u043b\u044f \u0441\u043e\u0441\u0435\u0434\u0430",
    ],
)
def test_what_nobody_can_tell_is_not_told(text: str) -> None:
    assert language_of(text) is None


def test_of_the_treebanks_sentences_95_in_a_hundred_are_told() -> None:
    folder = data("treebanks")
    sentences = [
        (language, line.removeprefix("# text = ").strip())
        for language in ("en", "fr", "es", "de")
        for line in gzip.decompress((folder / f"{language}.tsv.gz").read_bytes()).decode().splitlines()
        if line.startswith("# text = ")
    ]
    right = sum(language_of(text) == language for language, text in sentences)
    assert len(sentences) > 900
    assert right / len(sentences) >= 0.95
