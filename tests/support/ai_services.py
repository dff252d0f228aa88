"""Servers that speak the protocols of the services that stories can use, and refuse what the real ones refuse."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from aiohttp import web


@dataclass
class Service:
    """A service on a port of this machine: what it was asked, and what it answers next."""

    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Of each request: headers, query, body."""
    answers: list[Any] = field(default_factory=list)
    """What it answers instead of the usual: a web.Response, or what a model writes. Taken from the front."""

    def next_answer(self, usual: Any) -> Any:
        return self.answers.pop(0) if self.answers else usual


@asynccontextmanager
async def served(routes: Callable[[Service], list[web.RouteDef]]) -> AsyncIterator[Service]:
    """Serve these routes for a while."""
    service = Service()
    app = web.Application()
    app.add_routes(routes(service))
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.url = runner.addresses[0] and f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


async def _noted(service: Service, request: web.Request) -> Any:
    body = await request.read()
    kind = request.content_type
    content = json.loads(body) if kind == "application/json" else body.decode()
    service.asked.append(
        {"headers": dict(request.headers), "query": dict(request.query), "body": content, "path": request.path}
    )
    return content


ENTRY = {
    "title": "Le phare",
    "paragraphs": ["Tu arrives devant un phare. " * 8, "La porte est ouverte. " * 8, "Que fais-tu maintenant ? " * 3],
    "choices": ["Entre.", "Attends."],
}
"""An entry as a model writes one."""


def azure_openai(service: Service) -> list[web.RouteDef]:
    """Chat completions of Azure OpenAI, with structured outputs."""

    async def complete(request: web.Request) -> web.Response:
        content = await _noted(service, request)
        if request.headers.get("api-key") != "key":
            return web.json_response({"error": {"code": "401", "message": "Access denied"}}, status=401)
        if "api-version" not in request.query:
            return web.json_response({"error": {"code": "404", "message": "Resource not found"}}, status=404)
        schema = content["response_format"]["json_schema"]
        strict = schema["strict"] and schema["schema"]["additionalProperties"] is False
        if not strict or set(schema["schema"]["required"]) != set(schema["schema"]["properties"]):
            return web.json_response(
                {"error": {"code": "invalid_request_error", "message": "Invalid schema"}}, status=400
            )
        answer = service.next_answer(ENTRY)
        if isinstance(answer, web.Response):
            return answer
        text = answer if isinstance(answer, str) else json.dumps(answer)
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 300, "completion_tokens": 120, "total_tokens": 420}
        return web.json_response({
            "id": "chatcmpl-1", "object": "chat.completion", "usage": usage,
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
        })  # fmt: skip

    return [web.post("/openai/deployments/{deployment}/chat/completions", complete)]


def anthropic(service: Service) -> list[web.RouteDef]:
    """Anthropic's Messages API, with a tool that must be called."""

    async def message(request: web.Request) -> web.Response:
        content = await _noted(service, request)
        wrong = _anthropic_refuses(request, content)
        if wrong:
            kind, status = wrong
            return web.json_response({"type": "error", "error": {"type": kind, "message": kind}}, status=status)
        answer = service.next_answer(ENTRY)
        if isinstance(answer, web.Response):
            return answer
        name = content["tool_choice"]["name"]
        block = (
            {"type": "text", "text": answer} if isinstance(answer, str)
            else {"type": "tool_use", "id": "toolu_1", "name": name, "input": answer}
        )  # fmt: skip
        return web.json_response({
            "id": "msg_1", "type": "message", "role": "assistant", "model": content["model"], "content": [block],
            "stop_reason": "tool_use", "stop_sequence": None, "usage": {"input_tokens": 310, "output_tokens": 130},
        })  # fmt: skip

    return [web.post("/v1/messages", message)]


def _anthropic_refuses(request: web.Request, content: Any) -> tuple[str, int] | None:
    if request.headers.get("x-api-key") != "key":
        return "authentication_error", 401
    if request.headers.get("anthropic-version") != "2023-06-01":
        return "invalid_request_error", 400
    roles = [each["role"] for each in content["messages"]]
    alternate = roles == [("user", "assistant")[at % 2] for at in range(len(roles))]
    tools = {tool["name"] for tool in content["tools"]}
    if not alternate or content["max_tokens"] < 1 or content["tool_choice"]["name"] not in tools:
        return "invalid_request_error", 400
    return None


def azure_translator(service: Service) -> list[web.RouteDef]:
    """Text Translation 3.0."""

    async def translate(request: web.Request) -> web.Response:
        content = await _noted(service, request)
        if request.headers.get("Ocp-Apim-Subscription-Key") != "key":
            return web.json_response({"error": {"code": 401000, "message": "credentials"}}, status=401)
        if request.query.get("api-version") != "3.0" or len(request.query.get("to", "")) < 2:
            return web.json_response({"error": {"code": 400021, "message": "version"}}, status=400)
        if len(content) > 1000 or sum(len(each["Text"]) for each in content) > 50_000:
            return web.json_response({"error": {"code": 400077, "message": "too long"}}, status=400)
        answer = service.next_answer(None)
        if answer is not None:
            return (
                web.Response(status=answer.status, headers=answer.headers)
                if isinstance(answer, web.Response)
                else web.json_response(answer)
            )
        to = request.query["to"]
        return web.json_response([{"translations": [{"text": f"{to}: {each['Text']}", "to": to}]} for each in content])

    return [web.post("/translate", translate)]


def deepl(service: Service) -> list[web.RouteDef]:
    """DeepL's API, version 2."""

    async def translate(request: web.Request) -> web.Response:
        content = await _noted(service, request)
        if request.headers.get("Authorization") != "DeepL-Auth-Key key:fx":
            return web.Response(status=403)
        if len(content["text"]) > 50 or content["target_lang"] in ("EN", "PT"):
            return web.json_response({"message": "Bad request"}, status=400)
        answer: web.Response | None = service.next_answer(None)
        if answer is not None:
            return answer
        done = [
            {"detected_source_language": content["source_lang"], "text": f"{content['target_lang']}: {each}"}
            for each in content["text"]
        ]
        return web.json_response({"translations": done})

    return [web.post("/v2/translate", translate)]


def azure_speech(service: Service) -> list[web.RouteDef]:
    """Text to speech of Azure AI Speech: as many bytes as the rate makes of a tenth of a second a letter."""

    async def speak(request: web.Request) -> web.Response:
        content = await _noted(service, request)
        if request.headers.get("Ocp-Apim-Subscription-Key") != "key":
            return web.Response(status=401)
        if request.content_type != "application/ssml+xml" or not request.headers.get("User-Agent"):
            return web.Response(status=400)
        rate = re.fullmatch(r"audio-24khz-(\d+)kbitrate-mono-mp3", request.headers.get("X-Microsoft-OutputFormat", ""))
        answer = service.next_answer(None)
        if answer is not None or not rate:
            return answer or web.Response(status=400)
        said = "".join(ET.fromstring(content).itertext())
        seconds = len(said) / 10
        return web.Response(body=b"\xff" * int(seconds * int(rate[1]) * 1000 / 8), content_type="audio/mpeg")

    return [web.post("/cognitiveservices/v1", speak)]
