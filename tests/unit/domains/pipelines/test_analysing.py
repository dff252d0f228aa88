"""What is built in for analysing texts, without any model."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executors import entities, feelings, personal, reckoned, texts, tongues
from support.executors import Bench, item
from support.shared_folder import data

NEWS = """The city of Hamburg opened a new port on Monday. The port cost 400 million euros and took nine years to build.
Ships from Asia use the port already. Critics say that the port came too late. The weather was fine.
A port of this size needs 2,000 workers, and the city wants to train them. Birds sang."""
PEOPLE = (
    "Dr. Angela Merkel met Barack Obama in Berlin on 3 March 2015 at 10:30. Siemens AG paid $4.5 million to Deutsche Bank, 12% more than in the U.S.; "
    "call +49 30 1234567 or mail a.b@x.org, see https://x.org/a?b. The University of Oxford opened 5 km from 10.0.0.1."
)
PERSONAL = (
    "John Smith, born 12 March 1980, SSN 123-45-6789, card 4111 1111 1111 1111, IBAN DE89 3704 0044 0532 0130 00, passport no. C01X00T47, "
    "IP 10.0.0.1, lives at 12 Baker Street. Phone (555) 123-4567, mail j@x.org."
)


async def test_a_summary_is_of_sentences_that_say_most_in_their_order() -> None:
    bench = Bench()
    for length, count in (("brief", 1), ("short", 3)):
        data = await bench.data(
            "text_summarizer", {"summary_length": length, "summary_style": "bullet_points"}, text=NEWS
        )
        lines = data["summary"].splitlines()
        assert len(lines) == count
        bare = " ".join(NEWS.split())
        places = [bare.index(line.removeprefix("- ")) for line in lines]
        assert places == sorted(places)
        assert not any("weather" in line or "Birds" in line for line in lines)
    focused = await bench.data("text_summarizer", {"summary_length": "brief", "focus_areas": "weather"}, text=NEWS)
    assert focused["summary"] == "The weather was fine."
    (made,) = await bench.do("text_summarizer", {}, item(text=NEWS))
    assert made.summary_data["step_method"] == "built-in"
    assert (await bench.data("text_summarizer", {}, text="Short."))["summary"] == "Short."


async def test_entities_are_found_by_their_sorts() -> None:
    found = (await Bench().data("entity_extractor", {"entity_types": list(entities.RULES)}, text=PEOPLE))["entities"]
    assert found == {
        "person": ["Angela Merkel", "Barack Obama"],
        "organization": ["Siemens AG", "Deutsche Bank", "University of Oxford"],
        "location": ["Berlin", "U.S"],
        "date": ["3 March 2015"],
        "time": ["10:30"],
        "money": ["$4.5 million"],
        "percentage": ["12%"],
        "phone": ["+49 30 1234567"],
        "email": ["a.b@x.org"],
        "url": ["https://x.org/a?b"],
        "quantity": ["5 km"],
        "ip-address": ["10.0.0.1"],
    }
    listed = await Bench().data("entity_extractor", {"entity_types": "email,url", "output_format": "list"}, text=PEOPLE)
    assert listed["entities"] == ["a.b@x.org", "https://x.org/a?b"]
    shown = await Bench().data("entity_extractor", {"entity_types": "email", "include_context": True}, text=PEOPLE)
    assert "mail a.b@x.org, see" in shown["entities"]["email"][0]["context"]


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+49 30 1234567", True), ("(555) 123-4567", True), ("030/1234567", True), ("2015-03-04", False), ("2014-2015", False), ("1111 1111 1111", False),
        ("3.14159265358", False), ("12345678", False), ("1 2 3", False),
    ],
)  # fmt: skip
def test_a_telephone_is_told_from_other_digits(text: str, phone: bool) -> None:
    found = [each.text for each in entities.entities_in(f"call {text} now", ("phone",))]
    assert found == ([text] if phone else [])


@pytest.mark.parametrize(
    ("sort", "good", "bad"),
    [
        ("credit_card", "4111 1111 1111 1111", "4111 1111 1111 1112"),
        ("credit_card", "378282246310005", "0000000000000000"),
        ("bank_account", "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 01"),
        ("ssn", "123-45-6789", "666-45-6789"),
        ("ssn", "078-05-1120", "078-00-1120"),
        ("ip_address", "192.168.0.1", "300.1.1.1"),
        ("email", "ann@example.org", "ann@example"),
        ("passport", "C01X00T47", "ABCDEFGH"),
        ("address", "12 Baker Street", "12 angry men"),
        ("address", "Hauptstraße 12, 20095 Hamburg", "die Straße war leer"),
        ("date_of_birth", "12 March 1980", "yesterday"),
    ],
)
def test_personal_data_is_told_by_its_form_and_check_digits(sort: str, good: str, bad: str) -> None:
    lead = {"passport": "passport no. ", "date_of_birth": "born "}.get(sort, "it is ")
    assert [each.value for each in personal.found_in(f"{lead}{good}.", (sort,), 0.7)] == [good]
    assert personal.found_in(f"{lead}{bad}.", (sort,), 0.7) == []


@pytest.mark.parametrize(
    ("action", "start"),
    [
        ("redact", "[REDACTED-NAME], born [REDACTED-DATE_OF_BIRTH]"),
        ("mask", "***, born ***"),
        ("label", "<PII-NAME>John Smith</PII-NAME>, born"),
    ],
)
async def test_personal_data_is_covered_and_nothing_of_it_is_left(action: str, start: str) -> None:
    settings = {"pii_types": list(personal.RULES), "action": action, "custom_patterns": ["IBAN"]}
    (made,) = await Bench().do("pii_detector", settings, item(text=PERSONAL))
    covered = made.data["text_redacted"]
    assert covered.startswith(start)
    found = made.data["pii_detected"]
    assert made.summary_data["pii_count"] == found["count"] == 11
    assert {each["type"] for each in found["pii_found"]} == {
        "name", "date_of_birth", "custom", "ssn", "credit_card", "bank_account", "passport", "ip_address", "address", "phone", "email",
    }  # fmt: skip
    for each in found["pii_found"]:
        assert PERSONAL[each["position"]["start"] : each["position"]["end"]] == each["value"]
        assert action == "label" or each["value"] not in covered


async def test_personal_data_is_only_told_where_that_is_asked_for() -> None:
    data = await Bench().data("pii_detector", {"include_positions": False, "confidence_threshold": 0.97}, text=PERSONAL)
    assert data["pii_detected"] == {
        "pii_found": [{"type": "email", "value": "j@x.org", "confidence": 0.98}],
        "count": 1,
    }
    assert "text_redacted" not in data
    with pytest.raises(ValueError, match="no regular expression"):
        executors()["pii_detector"].settings.model_validate({"custom_patterns": ["("]})


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this phone, it is really great", "very positive"),
        ("The food was not good at all", "negative"),
        ("It is terrible, but the staff was wonderful", "positive"),
        ("An awful, horrible, disgusting mess", "very negative"),
        ("The meeting is at ten", "neutral"),
        ("", "neutral"),
    ],
)
async def test_sentiment(text: str, label: str) -> None:
    data = await Bench().data("sentiment_analyser", {"scale": "5-point"}, text=text)
    assert data["sentiment"]["sentiment"] == label
    assert 0 < data["sentiment"]["confidence"] < 1


async def test_sentiment_of_sentences_aspects_and_with_emotions() -> None:
    text = "The room was lovely. The price was terrible and I am angry."
    settings = {
        "granularity": "aspect",
        "aspects": ["room", "price"],
        "include_confidence": False,
        "include_emotions": True,
    }
    found = (await Bench().data("sentiment_analyser", settings, text=text))["sentiment"]
    assert {name: each["sentiment"] for name, each in found["aspects"].items()} == {
        "room": "positive",
        "price": "negative",
    }
    assert found["overall"]["emotions"] == ["anger"]
    assert "confidence" not in found["overall"]
    sentences = feelings.sentiment(text, "sentence", "3-point", (), False)["sentences"]
    assert [each["sentiment"] for each in sentences] == ["positive", "negative"]


async def test_categories_go_by_the_words_of_their_descriptions() -> None:
    settings: dict[str, Any] = {
        "categories": ["invoice", "recipe"],
        "category_descriptions": {"invoice": "amount due, payment", "recipe": "oven, butter, flour"},
    }
    bench = Bench()
    found = (
        await bench.data("content_classifier", settings, text="Please pay the amount due by May; payment by card.")
    )["classification"]
    assert found["category"] == "invoice"
    assert found["confidence"] > 0.5
    assert "amount" in found["explanation"]
    none = (await bench.data("content_classifier", settings, text="Nothing of the sort."))["classification"]
    assert (none["category"], none["confidence"]) == (None, 0.0)
    several = await bench.data(
        "content_classifier", {**settings, "multi_label": True}, text="payment for butter and flour"
    )
    assert {each["name"] for each in several["classification"]["categories"]} == {"invoice", "recipe"}


async def test_keywords_are_what_a_text_is_about() -> None:
    text = "Solar power grows. Solar power is cheap, and wind power too. The price of solar power fell; panels are made in China."
    found = (await Bench().data("keyword_extractor", {"max_keywords": 3, "extract_topics": True}, text=text))[
        "keywords"
    ]
    assert found["keywords"][0] == {"term": "solar power", "score": 1.0}
    assert len(found["keywords"]) == len(found["topics"]) == 3
    words = await Bench().data(
        "keyword_extractor",
        {"keyword_type": "single_words", "ranking_method": "frequency", "include_score": False},
        text=text,
    )
    assert words["keywords"]["keywords"][:2] == ["power", "solar"]
    phrases = reckoned.keywords(text, 5, "phrases", 3, "relevance")
    assert all(" " in term for term, _ in phrases)


@pytest.mark.parametrize(("form", "german"), [("name", "German"), ("iso-639-1", "de"), ("iso-639-3", "deu")])
async def test_languages_are_told(form: str, german: str) -> None:
    text = "Der Hund läuft über die Straße und bellt die Katze an, weil er sie nicht mag.\n"
    (made,) = await Bench().do("language_detector", {"iso_format": form, "detect_script": True}, item(text=text))
    assert made.data["language"] == {"language": german, "confidence": 1.0, "script": "Latin"}
    assert made.summary_data["detected_language"] == german


def test_several_languages_have_shares_and_none_is_none() -> None:
    how = {"detect_multiple": True, "detect_script": False, "min_confidence": 0.5, "iso_format": "iso-639-1"}
    mixed = "The dog runs over the street and barks at the cat because he does not like it.\nLe chien court dans la rue et aboie contre le chat parce qu'il ne l'aime pas.\n"
    assert {each["language"] for each in tongues.told(mixed, how)["languages"]} == {"en", "fr"}
    assert tongues.told("12345", {**how, "detect_multiple": False}) == {"language": None, "confidence": 0.0}


def test_sentences_end_where_they_end() -> None:
    text = 'Dr. Smith paid $3.50 on Jan. 5. He left, e.g. early! "Why?" she said.\n\n# Heading\n\n- one\n- two'
    assert [each for _, each in texts.sentences(text)] == [
        "Dr. Smith paid $3.50 on Jan. 5.", "He left, e.g. early!", '"Why?" she said.', "# Heading", "- one", "- two",
    ]  # fmt: skip
    assert all(text[at:].startswith(each) for at, each in texts.sentences(text))


def test_names_are_told_as_well_as_the_docs_say() -> None:
    """Of 250 English sentences with parts of speech that people checked: what is called a name is one, mostly; half of all names are found."""
    blocks = gzip.decompress((data("treebanks") / "en.tsv.gz").read_bytes()).decode().strip().split("\n\n")
    right = wrong = names = 0
    for block in blocks:
        lines = block.split("\n")
        text = next(each for each in lines if each.startswith("# text = ")).removeprefix("# text = ")
        found, at = entities.entities_in(text, ("person", "organization", "location")), 0
        for number, word, _, sort in (each.split("\t") for each in lines if not each.startswith("#")):
            start = text.find(word, at)
            if not number.isdecimal() or start < 0:
                continue
            at = start + len(word)
            held = any(each.start <= start and at <= each.end for each in found)
            names += sort == "PROPN"
            right += held and sort == "PROPN"
            wrong += held and sort not in ("PROPN", "DET", "ADP", "CCONJ", "PUNCT", "PART")
    assert right / (right + wrong) > 0.8
    assert right / names > 0.5
