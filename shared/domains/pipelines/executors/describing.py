"""What texts are about: categories, keywords, languages. By a chat model where one is named, else by what is built in."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import Run, executor
from shared.domains.pipelines.executors import reckoned, tongues
from shared.domains.pipelines.executors.fields import Data, text_at
from shared.domains.pipelines.executors.forms import JsonObject, Names
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


class ClassifierSettings(ModelSettings):
    """Which categories."""

    output_field: str = Field(default="classification", description="Field of the result.")
    categories: Names = Field(min_length=1, description="The categories.", examples=[["invoice", "contract", "report"]])
    multi_label: bool = Field(default=False, description="Whether a text may be of several.")
    include_confidence: bool = Field(default=True, description="Write how sure it is, from 0 to 1.")
    category_descriptions: JsonObject = Field(
        default={}, description="What each is about; without it, what is built in goes by the names alone.",
        examples=[{"invoice": "invoice number, amount due, payment, VAT"}],
    )  # fmt: skip
    min_confidence: float = Field(default=0.0, ge=0, le=1, description="Below it there is no category.")
    include_explanation: bool = Field(default=True, description="Say why.")
    max_input_chars: int = Field(default=4000, ge=100, description="Most characters that a model is shown.")
    temperature: float | None = Field(default=0.2, ge=0, le=2, description="Left out for models that take none.")


@executor(
    "content_classifier",
    settings=ClassifierSettings,
    category="analyse",
    example={
        "categories": ["invoice", "report"],
        "category_descriptions": {"invoice": "amount due, payment", "report": "results, summary"},
    },
    needs=endpoint_needs,
)
async def content_classifier(item: Content, settings: ClassifierSettings, run: Run) -> Content:
    """Say which category texts are of.

    Built in: the words of a category's name and description, as they come in the text; where none does there is no category (`null`, confidence 0).
    """
    described = {name: str(settings.category_descriptions.get(name, "")) for name in settings.categories}
    names: Data = {"type": "string", "enum": list(settings.categories)}
    system = (
        "Say of which of these categories the text is, with confidence from 0 to 1 and a short explanation.\n"
        + "\n".join(f"- {name}: {words}" for name, words in described.items())
    )
    one = an_object(category=names, confidence=NUMBER, explanation=TEXT)
    several = an_object(categories=a_list(an_object(name=names, confidence=NUMBER)), explanation=TEXT)

    async def by_model(chat: Chat, text: str) -> Any:
        shown = text[: settings.max_input_chars]
        found = await structured(chat, system, shown, settings, several if settings.multi_label else one)
        return (
            found
            if settings.multi_label
            else {
                "categories": [{"name": found["category"], "confidence": found["confidence"]}],
                "explanation": found["explanation"],
            }
        )

    async def built_in(text: str) -> Any:
        ranked = await parsed(run, reckoned.categories, text, settings.categories, described)
        hit = [each for each in ranked if each["confidence"] > 0]
        why = (
            "; ".join(f"{each['name']}: {', '.join(each['words'][:8])}" for each in hit[:3])
            or "no word of any category"
        )
        return {
            "categories": [{"name": each["name"], "confidence": each["confidence"]} for each in hit],
            "explanation": why,
        }

    found = await told_by(item, settings, run, by_model, built_in)
    kept = [each for each in found["categories"] if each["confidence"] >= settings.min_confidence]
    result: Data = (
        {"categories": kept} if settings.multi_label else kept[0] if kept else {"name": None, "confidence": 0.0}
    )
    if not settings.multi_label:
        result = {"category": result["name"], "confidence": result["confidence"]}
    if settings.include_explanation:
        result["explanation"] = found["explanation"]
    item.data[settings.output_field] = result if settings.include_confidence else without(result, "confidence")
    item.summary_data["category"] = kept[0]["name"] if kept else None
    return item


class KeywordSettings(ModelSettings):
    """How many keywords, and of which sort."""

    ignored: ClassVar[frozenset[str]] = frozenset({"context_aware"})

    output_field: str = Field(default="keywords", description="Field of the result.")
    max_keywords: int = Field(default=10, ge=1, le=50, description="Most keywords.")
    keyword_type: Literal["single_words", "phrases", "both"] = Field(
        default="both", description="Words, phrases of up to four, or both."
    )
    include_score: bool = Field(default=True, description="Write a score from 0 to 1 for each.")
    extract_topics: bool = Field(default=False, description="Write `topics`, too: the three terms that say most.")
    min_word_length: int = Field(default=3, ge=1, le=10, description="Fewest letters of a single word.")
    ranking_method: Literal["relevance", "frequency", "importance"] = Field(
        default="relevance", description="What goes first."
    )
    temperature: float | None = Field(default=0.2, ge=0, le=2, description="Left out for models that take none.")


@executor(
    "keyword_extractor",
    settings=KeywordSettings,
    category="analyse",
    example={"max_keywords": 15, "extract_topics": True},
    needs=endpoint_needs,
)
async def keyword_extractor(item: Content, settings: KeywordSettings, run: Run) -> Content:
    """Find the words and phrases that texts are about.

    Built in: runs of words between those that say nothing, by how often and how early they come and how much they keep together. English, French, Spanish and German.
    """
    sort = {"single_words": "single words", "phrases": "phrases of 2 to 4 words", "both": "words and short phrases"}[
        settings.keyword_type
    ]
    schema = an_object(keywords=a_list(an_object(term=TEXT, score=NUMBER)), topics=a_list(TEXT))
    system = f"List the {settings.max_keywords} {sort} that the text is most about, as they stand in it, with a score from 0 to 1, by {settings.ranking_method}; and its two or three topics."

    async def by_model(chat: Chat, text: str) -> Any:
        found = await structured(chat, system, text, settings, schema)
        return [(each["term"], each["score"]) for each in found["keywords"]][: settings.max_keywords], found["topics"][
            :3
        ]

    async def built_in(text: str) -> Any:
        how = settings.keyword_type, settings.min_word_length, settings.ranking_method
        terms = await parsed(run, reckoned.keywords, text, max(settings.max_keywords, 3), *how)
        return terms[: settings.max_keywords], [term for term, _ in terms[:3]]

    terms, topics = await told_by(item, settings, run, by_model, built_in)
    listed = [{"term": term, "score": score} if settings.include_score else term for term, score in terms]
    item.data[settings.output_field] = {"keywords": listed, **({"topics": topics} if settings.extract_topics else {})}
    item.summary_data["keyword_count"] = len(listed)
    return item


class LanguageSettings(ModelSettings):
    """How languages are told."""

    output_field: str = Field(default="language", description="Field of the result.")
    detect_multiple: bool = Field(default=False, description="All languages of the text, with their shares.")
    include_confidence: bool = Field(default=True, description="Write the share of the text that is in the language.")
    detect_script: bool = Field(default=False, description="Name the script.")
    detect_dialect: bool = Field(default=False, description="Without effect here: dialects are not told apart.")
    min_confidence: float = Field(
        default=0.5, ge=0, le=1, description="The least share; with detect_multiple a fifth of it for the others."
    )
    iso_format: Literal["iso-639-1", "iso-639-3", "name"] = Field(
        default="name", description="How languages are written."
    )
    temperature: float | None = Field(default=0.1, ge=0, le=2, description="Left out for models that take none.")


@executor(
    "language_detector",
    settings=LanguageSettings,
    category="analyse",
    example={"iso_format": "iso-639-1"},
    needs=endpoint_needs,
)
async def language_detector(item: Content, settings: LanguageSettings, run: Run) -> Content:
    """Say which language texts are in.

    By dictionaries, whatever model is named: it is right about 95 % of single sentences, and costs nothing. Knows English, French, Spanish, German, Italian, Portuguese and Dutch, and those that
    have a script of their own; others are `null`.
    """
    text = text_at(item, settings.input_field)
    found = await parsed(
        run,
        tongues.told,
        text,
        settings.model_dump(include={"detect_multiple", "detect_script", "min_confidence", "iso_format"}),
    )
    item.data[settings.output_field] = found if settings.include_confidence else without(found, "confidence")
    item.summary_data["detected_language"] = found.get("primary_language", found.get("language"))
    return item
