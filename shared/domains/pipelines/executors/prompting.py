"""What only a model can do: answer questions, follow instructions, translate; and vectors of texts."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.domains.moods.public import vector_of
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, Run, executor
from shared.domains.pipelines.executors.fields import Data, filled, put, text_at, whole_text
from shared.domains.pipelines.executors.forms import JsonObject, Names
from shared.domains.pipelines.executors.model import (
    DATA,
    Chat,
    ModelSettings,
    chat_of,
    embedder_of,
    endpoint_needs,
    model_needs,
)
from shared.settings import Settings

_MOST_TEXTS = 2048
"""Texts that the service takes at a time."""
_LONGEST_TEXT = 24_000
"""Characters of a text that becomes a vector: some 8,000 tokens, which is what models take."""


def _chat(settings: ModelSettings, run: Run) -> Chat:
    chat = chat_of(settings, run.settings)
    if chat is None:
        raise ContentError("; ".join(model_needs("this executor", settings, run.settings)))
    return chat


class AgentSettings(ModelSettings):
    """What the model is to do."""

    instructions: str = Field(default="You are a helpful AI assistant.", description="What the model is told to do.")
    output_field: str = Field(default="agent_response", description="Field of the answer.")
    max_tokens: int = Field(default=400, ge=16, description="Most tokens of an answer.")
    parse_response_as_json: bool = Field(
        default=False, description="Write the JSON of the answer; an answer without any fails."
    )


def _agent_needs(settings: ModelSettings, app: Settings) -> Sequence[str]:
    return model_needs("azure_openai_agent", settings, app)


@executor(
    "azure_openai_agent",
    settings=AgentSettings,
    category="analyse",
    example={"instructions": "Say in one word what the text is about.", "input_field": "text"},
    needs=_agent_needs,
)
async def azure_openai_agent(item: Content, settings: AgentSettings, run: Run) -> Content:
    """Have a model follow instructions on a text.

    Needs a model: nothing that is built in can stand in for it.
    """
    answer = await _chat(settings, run).ask(settings.instructions + DATA, text_at(item, settings.input_field), settings)
    item.data[settings.output_field] = json_in(answer) if settings.parse_response_as_json else answer
    if settings.include_full_response:
        item.data[f"{settings.output_field}_response"] = answer
    return item


def json_in(answer: str) -> Any:
    """The JSON of an answer, which may stand in a block of code.

    Raises:
        ContentError: there is none.
    """
    bare = re.sub(r"^\s*```(?:json)?\s*|\s*```\s*$", "", answer)
    for start, end in (("{", "}"), ("[", "]")):
        first, last = bare.find(start), bare.rfind(end)
        if 0 <= first < last:
            try:
                return json.loads(bare[first : last + 1])
            except ValueError:
                continue
    raise ContentError("the model's answer is no JSON")


class PromptSettings(ModelSettings):
    """The prompt, and what it is asked about."""

    system_prompt: str = Field(description="What the model is told to do.", examples=["You summarise documents."])
    user_prompt: str = Field(
        description="What it is asked. In braces: fields, `{content}` for the whole text.",
        examples=["Summarise: {content}"],
    )
    content_iterator_field: str = Field(
        default="chunks", description="Field of chunks, each of which is asked about; without it the item is."
    )
    chunk_fields_to_apply_prompt_on: Names = Field(
        default=("markdown", "text"), description="Fields of a chunk that are its content."
    )
    output_field: str = Field(
        default="", description="Field of the answer, of the chunk or the item; unset: output_field_name."
    )
    output_field_name: str = Field(default="custom_ai_prompt_output", description="The same, under its older name.")
    max_completion_tokens: int = Field(default=4000, ge=16, description="Most tokens of an answer.")
    top_p: float | None = Field(default=None, ge=0, le=1, description="Taken: the models of today take none.")
    frequency_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="Taken: the models of today take none."
    )
    presence_penalty: float | None = Field(
        default=None, ge=-2, le=2, description="Taken: the models of today take none."
    )

    @model_validator(mode="after")
    def _one_limit(self) -> Self:
        object.__setattr__(self, "max_tokens", self.max_completion_tokens)
        return self


def _prompt_needs(settings: ModelSettings, app: Settings) -> Sequence[str]:
    return model_needs("custom_ai_prompt", settings, app)


@executor(
    "custom_ai_prompt",
    settings=PromptSettings,
    category="analyse",
    example={"system_prompt": "You find dates.", "user_prompt": "Dates in: {content}", "output_field": "dates"},
    needs=_prompt_needs,
)
async def custom_ai_prompt(item: Content, settings: PromptSettings, run: Run) -> Content:
    """Ask a model a prompt of one's own.

    Of each chunk, where there are some, else of the whole text. Without `output_field` the answer is written under the step's own id as well, so that later prompts can name it:
    `{extract_entities}`. An answer that is an object of JSON is written as one.
    """
    chat, field = _chat(settings, run), settings.output_field or settings.output_field_name
    chunks = item.get(settings.content_iterator_field)
    if isinstance(chunks, list) and chunks:
        for chunk in chunks:
            if isinstance(chunk, dict):
                chunk[field] = await _answered(chat, settings, {**item.data, **chunk}, _of_chunk(chunk, settings))
        return item
    text = whole_text(item)
    answer = await _answered(chat, settings, item.scope(), text or "")
    put(item.data, field, answer)
    if not settings.output_field:
        item.data[run.executor_id] = answer
    return item


def _of_chunk(chunk: Data, settings: PromptSettings) -> str:
    found = (chunk.get(name) for name in settings.chunk_fields_to_apply_prompt_on)
    return "\n".join(each for each in found if isinstance(each, str))


async def _answered(chat: Chat, settings: PromptSettings, names: Data, text: str) -> Any:
    asked = filled(settings.user_prompt, {**names, "content": text, "content_preview": text[:1000]}, "")
    if "{" not in settings.user_prompt:
        asked = f"{asked}\n\n{text}"
    answer = await chat.ask(settings.system_prompt + DATA, asked, settings)
    try:
        found = json_in(answer)
    except ContentError:
        return answer
    return found if isinstance(found, dict) else answer


class TranslationSettings(ModelSettings):
    """Into which language, and how."""

    target_language: str = Field(min_length=2, description="Language of the translation.", examples=["German"])
    source_language: str | None = Field(default=None, description="Language of the text; unset: the model sees.")
    translation_style: Literal["formal", "informal", "technical", "literal", "natural"] = Field(
        default="natural", description="Style."
    )
    preserve_formatting: bool = Field(default=True, description="Keep headings, lists and the like.")
    preserve_terminology: Names = Field(default=(), description="Terms that stay as they are.")
    glossary: JsonObject = Field(
        default={}, description="Terms and their translations.", examples=[{"invoice": "Rechnung"}]
    )
    include_source: bool = Field(default=False, description="Write the text beside its translation.")
    output_field: str = Field(default="translated_text", description="Field of the translation.")
    temperature: float | None = Field(default=0.3, ge=0, le=2, description="Left out for models that take none.")


def _translation_needs(settings: ModelSettings, app: Settings) -> Sequence[str]:
    return model_needs("content_translator", settings, app)


@executor(
    "content_translator",
    settings=TranslationSettings,
    category="analyse",
    example={"target_language": "German", "glossary": {"invoice": "Rechnung"}},
    needs=_translation_needs,
)
async def content_translator(item: Content, settings: TranslationSettings, run: Run) -> Content:
    """Translate texts.

    Needs a model. Long texts are translated in pieces of some 6,000 characters, at paragraphs.
    """
    text, chat = text_at(item, settings.input_field), _chat(settings, run)
    system = (
        f"Translate the text{f' from {settings.source_language}' if settings.source_language else ''} into {settings.target_language}, "
        f"in a {settings.translation_style} style. Answer the translation alone."
        + (" Keep its formatting." if settings.preserve_formatting else "")
        + (
            f" Leave these terms as they are: {', '.join(settings.preserve_terminology)}."
            if settings.preserve_terminology
            else ""
        )
        + (f" Use this glossary: {json.dumps(settings.glossary, ensure_ascii=False)}." if settings.glossary else "")
        + DATA
    )
    translated = "".join([await _piece(chat, system, each, settings) for each in _pieces(text)])
    item.data[settings.output_field] = (
        {"source": text, "translation": translated} if settings.include_source else translated
    )
    return item


def _pieces(text: str, size: int = 6000) -> list[str]:
    """Parts of a text, cut at paragraphs; together they are the text."""
    pieces, at = [], 0
    while at < len(text):
        end = (
            len(text)
            if len(text) - at <= size
            else max(text.rfind("\n", at, at + size) + 1, text.rfind(" ", at, at + size) + 1, at + 1)
        )
        pieces.append(text[at:end])
        at = end
    return pieces


async def _piece(chat: Chat, system: str, piece: str, settings: TranslationSettings) -> str:
    if not piece.strip():
        return piece
    before, after = piece[: len(piece) - len(piece.lstrip())], piece[len(piece.rstrip()) :]
    tokens = settings.model_copy(update={"max_tokens": max(settings.max_tokens, len(piece))})
    return before + (await chat.ask(system, piece.strip(), tokens)).strip() + after


class EmbeddingSettings(ModelSettings):
    """What becomes a vector."""

    ignored: ClassVar[frozenset[str]] = frozenset({"temperature", "max_tokens"})

    deployment_name: str | None = Field(
        default=None, description="Deployment of the model; unset: AZURE_OPENAI_EMBEDDING_DEPLOYMENT."
    )
    api_version: str = Field(default="2024-02-01", description="Taken: the app's AZURE_OPENAI_API_VERSION is used.")
    output_field: str = Field(default="embedding", description="Field of the vector.")
    dimensions: int | None = Field(
        default=None, ge=1, description="Length of the vectors, where the model can be told; built in: 256."
    )


def _embedding_needs(settings: EmbeddingSettings, app: Settings) -> Sequence[str]:
    wrong = list(endpoint_needs(settings, app))
    if not wrong and embedder_of(settings, app) is None and settings.dimensions not in (None, 256):
        wrong = [
            f"dimensions: what is built in makes vectors of 256; for {settings.dimensions} set endpoint and deployment_name"
        ]
    return wrong


@executor(
    "azure_openai_embeddings",
    settings=EmbeddingSettings,
    category="analyse",
    example={"input_field": "text", "output_field": "embedding"},
    needs=_embedding_needs,
)
async def azure_openai_embeddings(item: Content, settings: EmbeddingSettings, run: Run) -> Content:
    """Make vectors of texts.

    Of the field; or, where an item has `chunks` and no such field, of that field of each chunk. Built in are hashing vectors of 256 dimensions, which know spelling and no meaning: of use for
    near duplicates, and for trying a pipeline. The summary says which model made them: vectors of two models cannot be compared.
    """
    chunks = item.data.get("chunks")
    if item.get(settings.input_field) is None and isinstance(chunks, list) and chunks:
        holders = [
            each for each in chunks if isinstance(each, dict) and isinstance(each.get(settings.input_field), str)
        ]
        texts = [each[settings.input_field] for each in holders]
    else:
        holders, texts = [item.data], [text_at(item, settings.input_field)]
    model, vectors = await _vectors(texts, settings, run)
    for holder, vector in zip(holders, vectors, strict=True):
        put(holder, settings.output_field, vector)
    item.summary_data |= {"embedding_model": model, "embeddings_created": len(vectors)}
    return item


async def _vectors(texts: list[str], settings: EmbeddingSettings, run: Run) -> tuple[str, list[list[float]]]:
    chat = embedder_of(settings, run.settings)
    if chat is None:
        import asyncio

        return "hashing-256-1", await asyncio.to_thread(lambda: [vector_of(each) for each in texts])
    made: list[list[float]] = []
    more: dict[str, Any] = {"dimensions": settings.dimensions} if settings.dimensions else {}
    async with chat.client(settings.max_retries) as client:
        for at in range(0, len(texts), _MOST_TEXTS):
            asked = [each[:_LONGEST_TEXT] or " " for each in texts[at : at + _MOST_TEXTS]]
            answer = await client.embeddings.create(model=chat.deployment, input=asked, encoding_format="float", **more)
            made += [list(each.embedding) for each in sorted(answer.data, key=lambda each: each.index)]
    if len(made) != len(texts):
        raise ContentError("the service answered another number of vectors than it was asked for")
    return f"azure:{chat.deployment}", made
