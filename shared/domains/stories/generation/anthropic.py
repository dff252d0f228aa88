"""A model of Anthropic that writes, over plain HTTP (Messages API): its answer is the input of a tool that it has to call."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.domains.stories.generation.model import SCHEMA, Answered, Message, ModelGenerator
from shared.domains.stories.ports import ServiceError
from shared.domains.stories.settings import StorySettings
from shared.domains.stories.wire import ask, content_of

if TYPE_CHECKING:
    from shared.settings import Settings

_SERVICE = "Anthropic"
_VERSION = "2023-06-01"
_TOOL = "tell"
_MOST_TOKENS = 4096


def anthropic(settings: Settings) -> ModelGenerator:
    """A generator that asks the model."""
    chosen = settings.of(StorySettings)
    headers = {"x-api-key": str(chosen.anthropic_key), "anthropic-version": _VERSION}

    async def question(instructions: str, conversation: Sequence[Message]) -> Answered:
        content = _content(chosen.anthropic_model, instructions, conversation)
        reply = await ask(_SERVICE, f"{chosen.anthropic_url.rstrip('/')}/v1/messages", content, headers)
        return _answered(content_of(_SERVICE, reply))

    return ModelGenerator("anthropic", question)


def _content(model: str, instructions: str, conversation: Sequence[Message]) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": _MOST_TOKENS,
        "system": instructions,
        "messages": [{"role": each.role, "content": each.text} for each in conversation],
        "tools": [{"name": _TOOL, "description": "Tells the reader the entry.", "input_schema": SCHEMA}],
        "tool_choice": {"type": "tool", "name": _TOOL},
    }


def _answered(content: Any) -> Answered:
    """What the tool was called with; empty where it was not, which a second round may mend.

    Raises:
        ServiceError: it is no message.
    """
    try:
        usage = content.get("usage", {})
        tokens = int(usage.get("input_tokens", 0)) + int(usage.get("output_tokens", 0))
        called = [each["input"] for each in content["content"] if each.get("type") == "tool_use"]
    except (KeyError, TypeError, AttributeError):
        raise ServiceError(f"{_SERVICE} answered no message") from None
    return Answered(json.dumps(called[0], ensure_ascii=False) if called else "", tokens)
