"""Azure OpenAI behind the ports of moods, over real HTTP with a stand-in for the service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.declarations import settings_of
from shared.domains.moods import services
from shared.domains.moods.hosted import EXCERPT, HostedEmbedder, HostedExtractor
from shared.domains.moods.model import Signals
from shared.domains.moods.ports import Article, Finding, MoodServiceError
from shared.domains.moods.settings import MoodSettings
from shared.domains.moods.store import MoodStore
from shared.jobs.model import Status
from shared.settings import Settings
from support.lab import Lab
from support.moods import store_items
from support.sites import Site, open_site

CHAT = "/openai/deployments/reader/chat/completions"
EMBEDDINGS = "/openai/deployments/vectors/embeddings"
MOOD: dict[str, Any] = {
    "name": "cottage core",
    "primary": "Cottagecore",
    "confidence": 0.9,
    "description": "Country\nlife.",
    "palette": ["Sage", "<b>red</b>"],
    "patterns": ["gingham", "gingham"],
    "silhouettes": [],
    "fabrics": ["linen"],
    "key_pieces": ["prairie dress"],
}


def article(number: int, text: str = "") -> Article:
    return Article(f"k{number}", f"Title {number}", text, None, ("fashion",), datetime(2026, 1, 5, tzinfo=UTC))


def answer(*articles: dict[str, Any], content: str | None = None, reason: str = "stop") -> dict[str, Any]:
    content = json.dumps({"articles": articles}) if content is None else content
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content}}
    return {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}


class Service:
    """The stand-in: answers every question with what a test says, and remembers the questions."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.questions: list[dict[str, Any]] = []
        self.moods = [MOOD]
        self.vector_shift = 0
        site.handlers[CHAT] = self.chat
        site.handlers[EMBEDDINGS] = self.embeddings

    @property
    def settings(self) -> Settings:
        return settings_of(
            {
                "AZURE_OPENAI_ENDPOINT": self.site.url(""),
                "AZURE_OPENAI_CHAT_DEPLOYMENT": "reader",
                "AZURE_OPENAI_EMBEDDING_DEPLOYMENT": "vectors",
                "AZURE_OPENAI_API_KEY": "not-a-secret",
            }
        )

    def always(self, status: int, content: dict[str, Any], **headers: str) -> None:
        for path in (CHAT, EMBEDDINGS):
            self.site.serve(path, json.dumps(content), status, "application/json", **headers)

    async def chat(self, request: web.Request) -> web.Response:
        question = await request.json()
        self.questions.append(question)
        shown = json.loads(question["messages"][1]["content"])
        about = [{"number": one["number"], "moods": self.moods} for one in shown if "Title" in one["title"]]
        return web.json_response(answer(*about))

    async def embeddings(self, request: web.Request) -> web.Response:
        question = await request.json()
        self.questions.append(question)
        rows = [
            {"object": "embedding", "index": number, "embedding": [float(len(text)), 1.0]}
            for number, text in enumerate(question["input"])
        ]
        rows = rows[self.vector_shift :]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        return web.json_response({"object": "list", "data": rows[::-1], "model": "m", "usage": usage})


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with open_site() as site:
        yield Service(site)


async def test_the_model_is_shown_titles_and_excerpts_and_its_moods_are_taken(service: Service) -> None:
    found = await HostedExtractor(service.settings).extract([article(0, "linen " * 1000), article(1)])
    look = Signals(palette=("sage",), patterns=("gingham",), fabrics=("linen",), key_pieces=("prairie dress",))
    assert found == [(Finding("cottage core", "Cottagecore", 0.9, look, "Country life."),)] * 2
    (question,) = service.questions
    assert question["model"] == "reader"
    assert not question.keys() & {"temperature", "top_p", "max_tokens"}  # refused by models that reason
    assert question["response_format"]["json_schema"]["strict"] is True
    assert len(json.loads(question["messages"][1]["content"])[0]["text"]) == EXCERPT
    assert service.site.requests[0].headers["api-key"] == "not-a-secret"
    assert service.site.requests[0].query["api-version"] == service.settings.openai_api_version


async def test_a_mood_of_which_the_model_is_not_sure_is_left_out(service: Service) -> None:
    service.moods = [MOOD | {"confidence": 0.4}, MOOD | {"confidence": 0.5}]
    ((found,),) = await HostedExtractor(service.settings).extract([article(0)])
    assert found.weight == 0.5


async def test_articles_that_the_model_leaves_out_or_makes_up_count_for_nothing(service: Service) -> None:
    made_up = {"number": 17, "moods": [MOOD]}
    service.always(200, answer({"number": 1, "moods": [MOOD]}, made_up))
    found = await HostedExtractor(service.settings).extract([article(0), article(1)])
    assert [len(each) for each in found] == [0, 1]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "I cannot help with that.",
        "[]",
        json.dumps({"articles": [{"number": 0, "moods": [MOOD | {"more": 1}]}]}),
        json.dumps({"articles": [{"number": 0, "moods": [MOOD | {"confidence": 7}]}]}),
        json.dumps({"articles": [{"number": 0, "moods": [{"name": "x"}]}]}),
    ],
)
async def test_an_answer_of_another_form_is_nothing_found(
    service: Service, content: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.always(200, answer(content=content))
    assert await HostedExtractor(service.settings).extract([article(0), article(1)]) == [(), ()]
    assert caplog.text.count("article refused by the model") == 2


async def test_an_article_that_the_filter_refuses_takes_no_other_with_it(service: Service) -> None:
    async def chat(request: web.Request) -> web.Response:
        text = (await request.json())["messages"][1]["content"]
        if "Title 3" in text:
            error = {"error": {"code": "content_filter", "message": "refused"}}
            return web.json_response(error, status=400)
        shown = json.loads(text)
        return web.json_response(answer(*({"number": one["number"], "moods": [MOOD]} for one in shown)))

    service.site.handlers[CHAT] = chat
    found = await HostedExtractor(service.settings).extract([article(number) for number in range(8)])
    assert [len(each) for each in found] == [1, 1, 1, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("status", [400, 401, 404, 408, 429, 500, 503])
async def test_a_service_that_does_not_answer_is_told_apart(service: Service, status: int) -> None:
    service.always(status, {"error": {"code": "x", "message": "secret prompt"}}, Retry_After="21")
    for question in (
        HostedExtractor(service.settings).extract([article(0)]),
        HostedEmbedder(service.settings).embed_documents(["linen"]),
    ):
        with pytest.raises(MoodServiceError, match=str(status)) as caught:
            await question
        assert caught.value.retry_after == 21
        assert "secret" not in str(caught.value)
    assert len(service.site.hits) == 2


async def test_a_service_that_is_not_there_is_told_apart(service: Service) -> None:
    settings = replace(service.settings, openai_endpoint="http://127.0.0.1:1")
    with pytest.raises(MoodServiceError, match="did not answer"):
        await HostedEmbedder(settings).embed_documents(["linen"])


async def test_vectors_come_in_the_order_of_the_texts_and_in_one_request(service: Service) -> None:
    vectors = await HostedEmbedder(service.settings).embed_documents(["a", "bbb", "cc"])
    assert vectors == [[1.0, 1.0], [3.0, 1.0], [2.0, 1.0]]
    assert len(service.questions) == 1


async def test_more_texts_than_the_service_takes_are_not_sent(service: Service) -> None:
    with pytest.raises(MoodServiceError, match="2049 texts"):
        await HostedEmbedder(service.settings).embed_documents(["x"] * 2049)
    assert service.questions == []


async def test_without_a_key_the_identity_signs_in(service: Service) -> None:
    async def token() -> str:
        return "of-the-identity"

    embedder = HostedEmbedder(replace(service.settings, openai_api_key=None))
    embedder._service._token = token
    await embedder.embed_documents(["linen"])
    assert service.site.requests[0].headers["Authorization"] == "Bearer of-the-identity"


def test_settings_choose_who_reads_and_who_embeds(service: Service) -> None:
    assert isinstance(services.extractor(service.settings), HostedExtractor)
    assert isinstance(services.embedder(service.settings), HostedEmbedder)
    embedded = service.settings.having(MoodSettings())
    assert services.extractor(embedded).batch == 100
    assert services.embedder(embedded).model.startswith("hashing")


def with_service(lab: Lab, service: Service, **changes: Any) -> None:
    settings = service.settings
    there = replace(lab.settings, openai_endpoint=settings.openai_endpoint, openai_api_key=settings.openai_api_key)
    lab.settings = there.having(replace(settings.of(MoodSettings), **changes))
    lab.start()


async def test_a_run_with_the_service_asks_once_for_each_ten_articles_and_once_for_vectors(
    lab: Lab, service: Service
) -> None:
    with_service(lab, service)
    await store_items(lab.documents, lab.clock, tuple((f"Title {n}", f"text {n}") for n in range(25)))
    service.vector_shift = 1
    job = await lab.run("process-moods")
    assert job.status is Status.COMPLETED, job.error
    assert isinstance(job.results, dict)
    assert (job.results["new_articles"], job.results["embedding_failed"]) == (25, 1)
    assert len(service.questions) == 4
    service.vector_shift = 0
    job = await lab.run("process-moods")
    assert len(service.questions) == 5, "what was read once is not paid for again"
    (mood,) = await MoodStore(lab.documents).current()
    assert (mood.id, len(mood.counted), mood.embedding_status) == ("cottagecore", 25, "current")
    assert mood.embedding.model == "azure:vectors"


async def test_a_run_shows_the_model_no_more_than_the_setting_says_and_the_rest_waits(
    lab: Lab, service: Service
) -> None:
    with_service(lab, service, model_max_articles=15)
    await store_items(lab.documents, lab.clock, tuple((f"Title {n}", f"old {n}") for n in range(20)), timedelta(days=2))
    await store_items(lab.documents, lab.clock, tuple((f"Title {n}", f"new {n}") for n in range(20, 30)))
    runs = []
    for _ in range(3):
        job = await lab.run("process-moods")
        assert isinstance(job.results, dict), job.error
        runs.append((job.results["new_articles"], job.results["waiting"]))
    assert runs == [(15, 15), (15, 0), (0, 0)]
    shown = [
        one["text"] for question in service.questions[:2] for one in json.loads(question["messages"][1]["content"])
    ]
    assert sum(text.startswith("new") for text in shown) == 10
