"""Azure OpenAI behind the enricher's port, over real HTTP with a stand-in for the service."""

from __future__ import annotations

import json
from typing import Any

import pytest
from aiohttp import web

from shared.declarations import settings_of
from shared.domains.site.extractive import ExtractiveEnricher
from shared.domains.site.hosted import SHOWN, HostedEnricher
from shared.domains.site.ports import EnricherUnavailableError, Text
from shared.domains.site.services import enricher
from shared.settings import Settings
from support.sites import Site

CHAT = "/openai/deployments/writer/chat/completions"
TEXT = Text("Floods", "The river rose by two metres on Friday. Volunteers filled sandbags all night.", ("weather",))


def settings(site: Site) -> Settings:
    return settings_of(
        {
            "AZURE_OPENAI_ENDPOINT": site.url(""),
            "SITE_OPENAI_DEPLOYMENT": "writer",
            "AZURE_OPENAI_API_KEY": "not-a-secret",
        }
    )


def answering(site: Site, content: str) -> list[dict[str, Any]]:
    """Have the service say this, and remember what it is asked."""
    questions: list[dict[str, Any]] = []

    async def chat(request: web.Request) -> web.Response:
        questions.append(await request.json())
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content}}
        return web.json_response(
            {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
        )

    site.handlers[CHAT] = chat
    return questions


async def test_the_model_is_shown_the_beginning_of_a_text_and_its_answer_is_taken(site: Site) -> None:
    questions = answering(
        site, json.dumps({"summary": " The river *rose*. ", "topics": ["weather", "Weather/x", "Rivers"]})
    )
    made = await HostedEnricher(settings(site)).enrich(Text("T", "x" * 9000))
    assert (made.summary, made.topics) == ("The river *rose*.", ("Weather", "Rivers"))
    (question,) = questions
    assert len(json.loads(question["messages"][1]["content"])["text"]) == SHOWN
    assert question["response_format"]["json_schema"]["strict"] is True
    assert not question.keys() & {"temperature", "top_p", "max_tokens"}
    assert site.requests[0].headers["api-key"] == "not-a-secret"


@pytest.mark.parametrize("content", ["", "{}", "no JSON", '{"summary": 1, "topics": []}'])
async def test_an_answer_of_another_form_is_replaced_by_an_extract(site: Site, content: str) -> None:
    answering(site, content)
    assert await HostedEnricher(settings(site)).enrich(TEXT) == await ExtractiveEnricher().enrich(TEXT)


async def test_what_the_content_filter_refuses_is_an_extract_too(site: Site) -> None:
    refusal = {"error": {"code": "content_filter", "message": "no"}}
    site.serve(CHAT, json.dumps(refusal), 400, "application/json")
    assert await HostedEnricher(settings(site)).enrich(TEXT) == await ExtractiveEnricher().enrich(TEXT)


@pytest.mark.parametrize(("status", "wait"), [(429, 7.0), (503, 7.0), (401, 7.0)])
async def test_a_service_that_cannot_answer_says_for_how_long(site: Site, status: int, wait: float) -> None:
    site.serve(CHAT, "{}", status, "application/json", Retry_After="7")
    with pytest.raises(EnricherUnavailableError, match=f"answered {status}") as caught:
        await HostedEnricher(settings(site)).enrich(TEXT)
    assert caught.value.retry_after == wait


def test_the_settings_decide_who_enriches(site: Site) -> None:
    assert enricher(settings(site)).name == "azure:writer-1"
    assert enricher(settings_of({})).name == ExtractiveEnricher.name
