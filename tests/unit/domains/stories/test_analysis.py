# ruff: noqa: RUF001  marks as they are printed
from __future__ import annotations

import pytest

from bench import default_data
from bench.__main__ import TARGETS
from bench.stories import TREEBANKS, lemmas
from shared.domains.stories.analysis.lemmas import LemmaAnalyser
from shared.domains.stories.analysis.tokens import pieces
from shared.domains.stories.languages import Language, Level

DATA = default_data()


@pytest.mark.parametrize(
    ("language", "sentence", "cut"),
    [
        ("en", "I don't think it's Tom's well-known U.S. book.", "I do n't think it 's Tom 's well-known U.S. book ."),
        ("en", "He’ll pay $3.50 at 10:30!", "He ’ll pay $ 3.50 at 10:30 !"),
        ("fr", "L'eau d'aujourd'hui, qu'en dis-tu ?", "L' eau d' aujourd'hui , qu' en dis -tu ?"),
        (
            "fr",
            "Quelqu'un va-t-il au rez-de-chaussée ? Donne-moi ça.",
            "Quelqu'un va -t-il au rez-de-chaussée ? Donne -moi ça .",
        ),
        ("es", "«¿Qué buscas aquí?», dijo él.", "« ¿ Qué buscas aquí ? » , dijo él ."),
        ("de", "„Gib mir’s“, sagte er um 14:30.", "„ Gib mir’s “ , sagte er um 14:30 ."),
    ],
)
def test_words_are_cut_where_a_learner_would(language: str, sentence: str, cut: str) -> None:
    found = list(pieces(sentence, language))
    assert [piece.text for piece in found] == cut.split()
    assert all(sentence[piece.start : piece.end] == piece.text for piece in found)


@pytest.mark.parametrize(
    ("language", "text", "sentences"),
    [
        ("en", "“We did it,” he said. “Now what?” Nobody knew.", ["“We did it,” he said.", "“Now what?”", "Nobody knew."]),
        ("fr", "Il dit : « C'est fini. » Puis il part. « Où ? » demande Nora.",
         ["Il dit : « C'est fini. »", "Puis il part.", "« Où ? » demande Nora."]),
        ("es", "«Vamos», dice. «¿Adónde?», pregunta Leo. Nada.", ["«Vamos», dice.", "«¿Adónde?», pregunta Leo.", "Nada."]),
        ("de", "Er sagt: „Das war Dr. Kern.“ Dann geht er. „Wohin?“, fragt Tom.",
         ["Er sagt: „Das war Dr. Kern.“", "Dann geht er.", "„Wohin?“, fragt Tom."]),
        ("en", "", []),
        ("en", "One line\n\nand another", ["One line", "and another"]),
    ],
)  # fmt: skip
def test_a_quotation_ends_with_its_mark(language: Language, text: str, sentences: list[str]) -> None:
    assert LemmaAnalyser().sentences(text, language) == sentences


def test_names_are_not_learnt_and_rare_words_stand_out() -> None:
    analyser = LemmaAnalyser()
    found = analyser.analyse(["Nora is looking at the chandelier.", "Then Nora went home."], Language.ENGLISH, Level.A1)
    words = {text.text[each.start : each.end]: each for text in found.sentences for each in text.tokens}
    assert (words["Nora"].pos, words["Nora"].rare) == ("PROPN", False)
    assert (words["chandelier"].rare, words["looking"].lemma, words["went"].lemma, words["is"].lemma) == (
        True,
        "look",
        "go",
        "be",
    )
    assert (words["the"].pos, words["at"].pos, words["."].lemma) == ("DET", None, None) or words["at"].pos == "ADP"
    easy = analyser.analyse(["She went home."], Language.ENGLISH, Level.A1)
    assert not any(token.rare for token in easy.sentences[0].tokens)


@pytest.mark.skipif(not (DATA / TREEBANKS).is_dir(), reason=f"no treebanks in {DATA}: see NIGHTSHIFT_DATA")
def test_lemmas_and_sentences_are_those_that_people_marked() -> None:
    figures = lemmas(DATA)
    missed = {name: value for name, value in figures.items() if name in TARGETS and value < TARGETS[name][1]}
    assert missed == {}
    for language in ("en", "fr", "es", "de"):
        assert figures[f"stories_{language}_lemmas_given"] - figures[f"stories_{language}_lemmas_raw"] <= 0.02
