"""The adapters over the wire, against servers that speak the services' protocols and refuse what those refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from shared.declarations import settings_of
from shared.domains.stories import services
from shared.domains.stories.generation.grammar_generator import GrammarGenerator
from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Brief, ServiceError
from shared.domains.stories.speech.tones import ToneSpeech
from shared.domains.stories.translation.glossary import GlossaryTranslator
from shared.settings import Settings, SettingsError
from support import ai_services
from support.ai_services import ENTRY, Service, served

BRIEF = Brief.model_validate({
    "story_seed": "s", "seed": "1", "language": "fr", "native_language": "en", "level": "A2", "genre": "mystery", "number": 1,
    "length": 3, "words_due": ["clé"], "words_known": ["maison"],
})  # fmt: skip
LAST = BRIEF.model_copy(update={"number": 3})


def openai(service: Service) -> Settings:
    return settings_of({
        "AZURE_OPENAI_ENDPOINT": f"{service.url}/", "AZURE_OPENAI_API_KEY": "key", "AZURE_OPENAI_STORY_DEPLOYMENT": "chat",
        "DEEPL_API_KEY": "k",
    })  # fmt: skip


def claude(service: Service) -> Settings:
    return settings_of({"ANTHROPIC_API_KEY": "key", "ANTHROPIC_URL": service.url, "DEEPL_API_KEY": "k"})


WRITERS = pytest.mark.parametrize(
    ("routes", "chosen"),
    [(ai_services.azure_openai, openai), (ai_services.anthropic, claude)],
    ids=["azure", "anthropic"],
)


@WRITERS
async def test_a_model_writes_what_it_was_asked_for(routes: Any, chosen: Any) -> None:
    async with served(routes) as service:
        draft = await services.generator(chosen(service)).generate(BRIEF)
    assert (draft.title, draft.choices) == ("Le phare", ("Entre.", "Attends."))
    assert len(draft.text.split("\n\n")) == 3
    assert draft.cost.tokens in (420, 440)
    asked = json.dumps(service.asked[0]["body"], ensure_ascii=False)
    assert all(word in asked for word in ("French", "A2", "mystery", "clé", "maison"))


@WRITERS
async def test_what_does_not_fit_is_asked_for_once_more_with_what_is_wrong(routes: Any, chosen: Any) -> None:
    for wrong, told in (
        ("no JSON", "fit"), (ENTRY | {"choices": ["Entre."]}, "1 choices"), (ENTRY | {"paragraphs": ["Court."]}, "1 words"),
        (ENTRY | {"choices": ["Entre.", "Entre."]}, "the same"), (ENTRY | {"more": 1}, "more"), (ENTRY | {"title": " "}, "title"),
    ):  # fmt: skip
        async with served(routes) as service:
            service.answers = [wrong]
            draft = await services.generator(chosen(service)).generate(BRIEF)
        assert draft.cost.tokens in (840, 880)
        assert len(service.asked) == 2
        assert told in json.dumps(service.asked[1]["body"]["messages"])


@WRITERS
async def test_a_model_that_is_twice_wrong_has_failed(routes: Any, chosen: Any) -> None:
    async with served(routes) as service:
        service.answers = ["no", "nor this"]
        with pytest.raises(ServiceError, match="twice"):
            await services.generator(chosen(service)).generate(BRIEF)
        assert len(service.asked) == 2


@WRITERS
async def test_the_last_entry_has_no_choices(routes: Any, chosen: Any) -> None:
    async with served(routes) as service:
        service.answers = [ENTRY, ENTRY | {"choices": []}]
        draft = await services.generator(chosen(service)).generate(LAST)
    assert draft.choices == ()
    assert "ends the story" in json.dumps(service.asked[0]["body"])


@WRITERS
@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
async def test_a_refusal_is_told_with_when_to_come_back(routes: Any, chosen: Any, status: int) -> None:
    async with served(routes) as service:
        service.answers = [web.Response(status=status, text="secret words", headers={"Retry-After": "17"})]
        with pytest.raises(ServiceError, match=str(status)) as refused:
            await services.generator(chosen(service)).generate(BRIEF)
    assert refused.value.retry_after == 17
    assert "secret" not in str(refused.value)


async def test_a_service_that_is_not_there_is_told_as_such() -> None:
    async with served(ai_services.anthropic) as service:
        chosen = claude(service)
    with pytest.raises(ServiceError, match="connection failed"):
        await services.generator(chosen).generate(BRIEF)


def translator(service: Service) -> Settings:
    return settings_of(
        {
            "AZURE_TRANSLATOR_ENDPOINT": service.url,
            "AZURE_TRANSLATOR_KEY": "key",
            "AZURE_TRANSLATOR_REGION": "westeurope",
        }
    )


def with_deepl(service: Service) -> Settings:
    return settings_of({"DEEPL_API_KEY": "key:fx", "DEEPL_URL": service.url})


TRANSLATORS = pytest.mark.parametrize(
    ("routes", "chosen"),
    [(ai_services.azure_translator, translator), (ai_services.deepl, with_deepl)],
    ids=["azure", "deepl"],
)


@TRANSLATORS
async def test_each_text_is_translated_by_itself_in_as_many_requests_as_it_takes(routes: Any, chosen: Any) -> None:
    texts = [f"Phrase {number}, {'x' * 1500}" for number in range(120)]
    async with served(routes) as service:
        found = await services.translator(chosen(service)).translate(texts, Language.FRENCH, Language.ENGLISH)
    assert [each.partition(": ")[2] for each in found.texts] == texts
    assert found.cost.characters == sum(map(len, texts))
    assert len(service.asked) in (3, 4)


@TRANSLATORS
async def test_a_translation_that_is_not_whole_is_none(routes: Any, chosen: Any) -> None:
    broken: list[Any] = [
        [],
        {"translations": []},
        [{"translations": []}],
        {"error": {}},
        {"translations": [{"text": " "}]},
    ]
    for answer in broken:
        async with served(routes) as service:
            service.answers = [web.json_response(answer)] if routes is ai_services.deepl else [answer]
            with pytest.raises(ServiceError):
                await services.translator(chosen(service)).translate(["Bonjour."], Language.FRENCH, Language.ENGLISH)


@TRANSLATORS
async def test_a_translator_without_quota_is_left_alone(routes: Any, chosen: Any) -> None:
    async with served(routes) as service:
        service.answers = [web.Response(status=429, headers={"Retry-After": "30"})]
        with pytest.raises(ServiceError, match="429") as refused:
            await services.translator(chosen(service)).translate(["Bonjour."], Language.FRENCH, Language.ENGLISH)
    assert refused.value.retry_after == 30


async def test_a_voice_speaks_sentence_by_sentence_and_tells_where_each_begins() -> None:
    async with served(ai_services.azure_speech) as service:
        chosen = settings_of({"AZURE_SPEECH_ENDPOINT": service.url, "AZURE_SPEECH_KEY": "key"})
        spoken = await services.speech(chosen).speak(["Tom & Léa <rient>.", "Il pleut."], Language.FRENCH)
    assert [(mark.start, mark.end) for mark in spoken.marks] == [(0, 1.8), (1.8, 2.7)]
    assert (len(spoken.data), spoken.seconds, spoken.media_type) == (16200, 2.7, "audio/mpeg")
    assert spoken.cost.characters == 27
    assert all("fr-FR-DeniseNeural" in each["body"] for each in service.asked)


async def test_a_voice_that_refuses_one_sentence_has_failed() -> None:
    async with served(ai_services.azure_speech) as service:
        service.answers = [web.Response(status=503)]
        chosen = settings_of({"AZURE_SPEECH_ENDPOINT": service.url, "AZURE_SPEECH_KEY": "key"})
        with pytest.raises(ServiceError, match="503"):
            await services.speech(chosen).speak(["Un.", "Deux."], Language.FRENCH)


def test_without_services_or_where_stubs_are_asked_for_the_defaults_do_it() -> None:
    configured = {
        "ANTHROPIC_API_KEY": "k", "DEEPL_API_KEY": "k", "AZURE_SPEECH_ENDPOINT": "https://x", "AZURE_SPEECH_KEY": "k", "STUB_GENERATION": "true",
    }  # fmt: skip
    for chosen in (settings_of({}), settings_of(configured)):
        assert isinstance(services.generator(chosen), GrammarGenerator)
        assert isinstance(services.translator(chosen), GlossaryTranslator)
        assert isinstance(services.speech(chosen), ToneSpeech) or services.speech(chosen).name == "espeak-ng"


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"AZURE_OPENAI_STORY_DEPLOYMENT": "chat"}, "AZURE_OPENAI_ENDPOINT"),
        ({"AZURE_SPEECH_ENDPOINT": "https://x"}, "AZURE_SPEECH_KEY"),
        ({"ANTHROPIC_API_KEY": "k"}, "DEEPL_API_KEY"),
        ({"STUB_GENERATION": "perhaps"}, "STUB_GENERATION"),
        ({"STORY_ANALYSER": "nltk"}, "STORY_ANALYSER"),
    ],
)
def test_what_is_configured_by_halves_is_refused_at_the_start(environ: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        settings_of(environ)


@pytest.mark.parametrize(
    ("routes", "environ", "authorization"),
    [
        (ai_services.azure_openai, {"AZURE_OPENAI_ENDPOINT": "URL", "AZURE_OPENAI_STORY_DEPLOYMENT": "chat", "DEEPL_API_KEY": "k"}, "Bearer tok"),
        (ai_services.azure_translator, {"AZURE_TRANSLATOR_ENDPOINT": "URL"}, "Bearer tok"),
        (ai_services.azure_speech, {"AZURE_SPEECH_ENDPOINT": "URL", "AZURE_SPEECH_RESOURCE_ID": "/subscriptions/s/r"}, "Bearer aad#/subscriptions/s/r#tok"),
    ],
    ids=["openai", "translator", "speech"],
)  # fmt: skip
async def test_without_a_key_the_apps_identity_signs_in(
    routes: Any, environ: dict[str, str], authorization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def token() -> str:
        return "tok"

    monkeypatch.setattr("azure.identity.aio.get_bearer_token_provider", lambda _, scope: token)
    async with served(routes) as service:
        chosen = settings_of({name: service.url if value == "URL" else value for name, value in environ.items()})
        with pytest.raises(ServiceError, match="401"):  # these servers know keys only
            await _asked(routes, chosen)
    assert service.asked[0]["headers"]["Authorization"] == authorization


async def _asked(routes: Any, chosen: Settings) -> object:
    if routes is ai_services.azure_openai:
        return await services.generator(chosen).generate(BRIEF)
    if routes is ai_services.azure_translator:
        return await services.translator(chosen).translate(["Bonjour."], Language.FRENCH, Language.ENGLISH)
    return await services.speech(chosen).speak(["Bonjour."], Language.FRENCH)


async def test_espeak_tells_where_each_word_begins() -> None:
    pytest.importorskip(
        "espeakng_loader", reason="the optional package espeakng-loader is not installed (requirements-stories.txt)"
    )
    from shared.domains.stories.speech.espeak import EspeakSpeech

    sentences = ["Der Ritter sieht dich an.", "Was machst du jetzt?"]
    spoken = await EspeakSpeech().speak(sentences, Language.GERMAN)
    whole = [mark for mark in spoken.marks if mark.word is None]
    words = [mark for mark in spoken.marks if mark.word is not None]
    assert [mark.sentence for mark in whole] == [0, 1]
    assert [(mark.sentence, mark.word) for mark in words] == [(0, n) for n in range(5)] + [(1, n) for n in range(4)]
    assert whole[0].end <= whole[1].start < whole[1].end <= spoken.seconds
    assert spoken.data[:4] == b"RIFF"


def test_spacy_that_is_asked_for_and_not_there_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(SettingsError, match=r"STORY_ANALYSER: expected the package spacy .*requirements-stories"):
        settings_of({"STORY_ANALYSER": "spacy"})
