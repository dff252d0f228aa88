"""A chat model of Azure OpenAI that writes, over plain HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from shared.domains.stories.generation.model import SCHEMA, Answered, Message, ModelGenerator
from shared.domains.stories.ports import ServiceError
from shared.domains.stories.settings import StorySettings
from shared.domains.stories.wire import Identity, ask, content_of

if TYPE_CHECKING:
    from shared.settings import Settings

_SERVICE = "Azure OpenAI"


def azure_openai(settings: Settings) -> ModelGenerator:
    """A generator that asks the deployment for stories."""
    deployment = settings.of(StorySettings).openai_deployment
    url = (
        f"{str(settings.openai_endpoint).rstrip('/')}/openai/deployments/{deployment}/chat/completions"
        f"?api-version={settings.openai_api_version}"
    )
    identity = Identity(settings)

    async def question(instructions: str, conversation: Sequence[Message]) -> Answered:
        key = settings.openai_api_key
        headers = {"api-key": key} if key else {"Authorization": f"Bearer {await identity.token()}"}
        reply = await ask(_SERVICE, url, _content(instructions, conversation), headers)
        return _answered(content_of(_SERVICE, reply))

    return ModelGenerator("azure-openai", question)


def _content(instructions: str, conversation: Sequence[Message]) -> dict[str, Any]:
    turns = [{"role": each.role, "content": each.text} for each in conversation]
    return {  # no temperature: the models of today take none
        "messages": [{"role": "system", "content": instructions}, *turns],
        "response_format": {"type": "json_schema", "json_schema": {"name": "entry", "strict": True, "schema": SCHEMA}},
    }


def _answered(content: Any) -> Answered:
    """The text of an answer: empty where the content filter kept it back, which a second round may mend.

    Raises:
        ServiceError: it is no answer of a chat model.
    """
    try:
        text = content["choices"][0]["message"].get("content") or ""
        return Answered(str(text), int(content.get("usage", {}).get("total_tokens", 0)))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise ServiceError(f"{_SERVICE} answered no completion") from None
