"""What texts say: summaries, entities, sentiment, personal data.

Each asks a chat model where one is named, and else goes by what is built in. `docs/explanation/pipelines-analysis.md` says how good that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import Run, executor
from shared.domains.pipelines.executors import entities, feelings, personal, reckoned
from shared.domains.pipelines.executors.forms import Names
from shared.domains.pipelines.executors.model import (
    NUMBER,
    TEXT,
    Chat,
    ModelSettings,
    a_list,
    an_object,
    endpoint_needs,
    structured,
    told_by,
    without,
)
from shared.domains.pipelines.executors.sandboxed import parsed

M = TypeVar("M", bound=ModelSettings)
T = TypeVar("T")


class SummarySettings(ModelSettings):
    """How long a summary is, and of what form."""

    output_field: str = Field(default="summary", description="Field of the summary.")
    summary_length: Literal["brief", "short", "medium", "detailed"] = Field(
        default="short", description="1, 3, 6 or 12 sentences, or about as many."
    )
    summary_style: Literal["bullet_points", "paragraph", "abstract"] = Field(
        default="paragraph", description="Its form."
    )
    focus_areas: str | None = Field(default=None, description="What it is to be about.", examples=["prices and dates"])
    preserve_key_facts: bool = Field(default=True, description="Whether figures go before the rest.")
    temperature: float | None = Field(default=0.3, ge=0, le=2, description="Left out for models that take none.")
    max_tokens: int = Field(default=500, ge=16, description="Most tokens of an answer.")


@executor(
    "text_summarizer",
    settings=SummarySettings,
    category="analyse",
    example={"input_field": "pdf_output.text", "summary_length": "medium", "summary_style": "bullet_points"},
    needs=endpoint_needs,
)
async def text_summarizer(item: Content, settings: SummarySettings, run: Run) -> Content:
    """Summarise texts.

    Built in: the sentences that say most of the text, as they stand in it. A model writes new ones.
    """
    length = f"{reckoned.LENGTHS[settings.summary_length]} sentences"
    system = (
        f"Summarise the text in about {length}, as {settings.summary_style.replace('_', ' ')}, in the language of the text."
        + (f" Put the weight on {settings.focus_areas}." if settings.focus_areas else "")
        + (" Keep figures, names and dates." if settings.preserve_key_facts else "")
    )

    async def by_model(chat: Chat, text: str) -> str:
        return (await structured(chat, system, text, settings, an_object(summary=TEXT)))["summary"]  # type: ignore[no-any-return]

    async def built_in(text: str) -> str:
        how = settings.summary_length, settings.summary_style, settings.focus_areas or "", settings.preserve_key_facts
        return await parsed(run, reckoned.summary, text, *how)

    item.data[settings.output_field] = await told_by(item, settings, run, by_model, built_in)
    return item


class EntitySettings(ModelSettings):
    """Which entities."""

    output_field: str = Field(default="entities", description="Field of the entities.")
    entity_types: Names = Field(
        default=(
            "person", "organization", "location", "date", "money", "email", "phone", "url", "product", "event", "quantity", "skill", "ip-address",
        ),
        description="Sorts of entities. Products, events, skills and sorts of one's own are found by a model alone.",
    )  # fmt: skip
    output_format: Literal["structured", "list", "text"] = Field(
        default="structured", description="An object with a list for each sort, one list, or text."
    )
    include_context: bool = Field(
        default=False, description="Write the words around each, where the result is structured."
    )
    custom_entities: Names = Field(default=(), description="More sorts, for a model.")
    temperature: float | None = Field(default=0.1, ge=0, le=2, description="Left out for models that take none.")


@executor(
    "entity_extractor",
    settings=EntitySettings,
    category="analyse",
    example={"entity_types": ["person", "organization", "email"], "include_context": True},
    needs=endpoint_needs,
)
async def entity_extractor(item: Content, settings: EntitySettings, run: Run) -> Content:
    """Find what texts name.

    Built in: patterns for addresses, numbers, dates and amounts; and for names in English texts capitals, first names, titles, the words that organisations end with, and a list of
    places.
    """
    sorts = (*settings.entity_types, *settings.custom_entities)
    one = an_object(text=TEXT, context=TEXT) if settings.include_context else TEXT
    schema = an_object(**{sort: a_list(one) for sort in sorts})
    system = (
        f"List what the text names of these sorts, as it is spelled in the text, each once: {', '.join(sorts)}."
        + (" As context give the few words around it." if settings.include_context else "")
    )

    async def by_model(chat: Chat, text: str) -> Any:
        found = await structured(chat, system, text, settings, schema)
        return found if settings.output_format == "structured" else _flat(found, settings.output_format)

    async def built_in(text: str) -> Any:
        return await parsed(run, entities.extracted, text, sorts, settings.output_format, settings.include_context)

    found = await told_by(item, settings, run, by_model, built_in)
    item.data[settings.output_field] = found
    if isinstance(found, dict):
        item.summary_data["entity_count"] = sum(map(len, found.values()))
    return item


def _flat(found: dict[str, list[Any]], form: str) -> Any:
    named = {
        sort: [each["text"] if isinstance(each, dict) else each for each in several] for sort, several in found.items()
    }
    if form == "list":
        return [each for several in named.values() for each in several]
    return "\n".join(f"{sort}: {', '.join(several)}" for sort, several in named.items() if several)


class SentimentSettings(ModelSettings):
    """What is looked at, and how finely."""

    output_field: str = Field(default="sentiment", description="Field of the result.")
    granularity: Literal["document", "sentence", "aspect"] = Field(default="document", description="What is judged.")
    include_confidence: bool = Field(default=True, description="Write how sure it is, from 0 to 1.")
    include_emotions: bool = Field(
        default=False, description="Name emotions: joy, anger, sadness, fear, surprise, disgust."
    )
    aspects: Names = Field(
        default=(), description="What is judged where the granularity is `aspect`.", examples=[["price", "service"]]
    )
    scale: Literal["3-point", "5-point"] = Field(default="3-point", description="With or without `very`.")
    temperature: float | None = Field(default=0.2, ge=0, le=2, description="Left out for models that take none.")


@executor(
    "sentiment_analyser",
    settings=SentimentSettings,
    category="analyse",
    example={"scale": "5-point"},
    needs=endpoint_needs,
)
async def sentiment_analyser(item: Content, settings: SentimentSettings, run: Run) -> Content:
    """Say whether texts speak well or badly.

    Built in: a lexicon of some 570 English words, with negations and what makes them stronger. Other languages come out as neutral, and not sure.
    """
    labels = (
        ["positive", "neutral", "negative"]
        if settings.scale == "3-point"
        else ["very positive", "positive", "neutral", "negative", "very negative"]
    )
    judged = an_object(sentiment={"type": "string", "enum": labels}, confidence=NUMBER)
    overall = an_object(
        sentiment={"type": "string", "enum": labels}, confidence=NUMBER, explanation=TEXT,
        **({"emotions": a_list(TEXT)} if settings.include_emotions else {}),
    )  # fmt: skip
    schema = overall
    if settings.granularity == "sentence":
        schema = an_object(sentences=a_list(an_object(text=TEXT, **judged["properties"])), overall=overall)
    if settings.granularity == "aspect":
        schema = an_object(aspects=an_object(**dict.fromkeys(settings.aspects, judged)), overall=overall)
    system = (
        f"Judge the sentiment of the text ({settings.granularity}): confidence from 0 to 1, and a short explanation."
    )

    async def by_model(chat: Chat, text: str) -> Any:
        return await structured(chat, system, text, settings, schema)

    async def built_in(text: str) -> Any:
        how = settings.granularity, settings.scale, settings.aspects, settings.include_emotions
        return await parsed(run, feelings.sentiment, text, *how)

    found = await told_by(item, settings, run, by_model, built_in)
    item.data[settings.output_field] = found if settings.include_confidence else without(found, "confidence")
    item.summary_data["sentiment"] = (found.get("overall") or found)["sentiment"]
    return item


class PersonalSettings(ModelSettings):
    """What is looked for, and what becomes of it."""

    output_field: str = Field(default="pii_detected", description="Field of what was found.")
    pii_types: Names = Field(
        default=("name", "email", "phone", "ssn", "credit_card", "address"),
        description=f"Sorts: {', '.join(personal.RULES)}; others are found by a model alone.",
    )
    action: Literal["detect", "redact", "mask", "label"] = Field(
        default="detect",
        description="Only say what there is; or write the text with `[REDACTED-EMAIL]`, `***` or `<PII-EMAIL>` in its place.",
    )
    include_positions: bool = Field(default=True, description="Write where each stands.")
    confidence_threshold: float = Field(default=0.7, ge=0, le=1, description="The least confidence.")
    custom_patterns: Names = Field(
        default=(), description="Regular expressions; what they match is `custom`.", examples=[["EMP-\\d{6}"]]
    )
    redacted_field: str = Field(default="text_redacted", description="Field of the text without it.")
    temperature: float | None = Field(default=0.2, ge=0, le=2, description="Left out for models that take none.")
    max_tokens: int = Field(default=400, ge=16, description="Most tokens of an answer.")

    @field_validator("custom_patterns")
    @classmethod
    def _readable(cls, patterns: Sequence[str]) -> Sequence[str]:
        import re

        for each in patterns:
            try:
                re.compile(each)
            except re.error as error:
                raise ValueError(f"{each!r} is no regular expression: {error}") from None
        return patterns


@executor(
    "pii_detector",
    settings=PersonalSettings,
    category="analyse",
    example={"pii_types": ["email", "phone", "credit_card"], "action": "redact"},
    needs=endpoint_needs,
)
async def pii_detector(item: Content, settings: PersonalSettings, run: Run) -> Content:
    """Find personal data, and cover it.

    Patterns and checksums (cards by Luhn, accounts by ISO 13616, social security numbers by their areas) are always looked for: a model that is named adds what it finds, and takes nothing away. What is
    covered is always covered here, in the text as it is: no model rewrites it.
    """
    how = settings.model_dump(
        include={"pii_types", "confidence_threshold", "custom_patterns", "include_positions", "action"}
    )
    one = an_object(type={"type": "string", "enum": list(settings.pii_types)}, value=TEXT, confidence=NUMBER)
    system = f"List all personal data in the text of these sorts, exactly as it is written there, with confidence from 0 to 1: {', '.join(settings.pii_types)}."

    async def by_model(chat: Chat, text: str) -> Any:
        found = await structured(chat, system, text, settings, an_object(pii_found=a_list(one)))
        more = [(each["type"], each["value"], each["confidence"]) for each in found["pii_found"]]
        return await parsed(run, personal.detected, text, {**how, "more": more})

    async def built_in(text: str) -> Any:
        return await parsed(run, personal.detected, text, how)

    found, redacted = await told_by(item, settings, run, by_model, built_in)
    item.data[settings.output_field] = found
    item.summary_data["pii_count"] = found["count"]
    if redacted is not None:
        item.data[settings.redacted_field] = redacted
    return item
