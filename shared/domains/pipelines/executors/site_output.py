"""Items as articles of the site that the app publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.forms import Names
from shared.domains.site.public import Contribution, EnricherUnavailableError, contribute
from shared.jobs import RetryLater

_TITLES = ("title", "web_scraping_output.title")
_TEXTS = (
    "text",
    "web_scraping_output.text",
    "pdf_output.text",
    "word_output.text",
    "pptx_output.text",
    "doc_intell_output.text",
)
_TOPICS = ("topics", "keywords.topics", "keywords.keywords", "tags")
_LANGUAGES = ("language.language", "language.primary_language", "language")


class SiteSettings(ItemSettings):
    """Which fields are which part of an article. Of several, the first that says something counts."""

    title_fields: Names = Field(default=_TITLES, description="Paths of the title; else the file's name.")
    url_fields: Names = Field(default=("url",), description="Paths of the address; items under one address are one article.")  # fmt: skip
    text_fields: Names = Field(
        default=_TEXTS, description="Paths of the text: for the reading time, the language, and a summary where there is none."
    )  # fmt: skip
    summary_fields: Names = Field(
        default=("summary",), description="Paths of the summary; without one, the site makes it as of collected items."
    )
    summary_is_markdown: bool = Field(
        default=False, description="Whether the summary is Markdown, as models write it; else it is shown as it is."
    )
    topics_fields: Names = Field(default=_TOPICS, description="Paths of topics: a text, or a list of texts.")
    language_fields: Names = Field(
        default=_LANGUAGES, description="Paths of the language, as ISO 639-1; else it is told by the text."
    )
    author_fields: Names = Field(default=("author",), description="Paths of the author.")
    published_fields: Names = Field(default=("published",), description="Paths of the moment of publication, as ISO 8601.")  # fmt: skip
    image_fields: Names = Field(default=("image",), description="Paths of a picture's address.")
    origin: str = Field(default="", max_length=100, description="Where readers are told it is from; unset: the pipeline's name.")  # fmt: skip


@executor(
    "site_output",
    settings=SiteSettings,
    category="output",
    example={"title_fields": ["headline", "title"], "origin": "Annual reports"},
)
async def site_output(item: Content, settings: SiteSettings, run: Run) -> Content:
    """Make articles of the site of items.

    They are shown from its next edition on, among what was collected. An item that comes again, changed, changes its article. Without a summary the site makes one, and finds topics: by the chat model that
    `SITE_OPENAI_DEPLOYMENT` names, else as an extract. Everything in them is shown to whoever reads the site.
    """
    given = Contribution(
        key=item.id.canonical_id,
        title=_text(item, settings.title_fields) or item.id.filename or "",
        origin=settings.origin or run.pipeline,
        url=_text(item, settings.url_fields),
        text=_text(item, settings.text_fields) or "",
        summary=_text(item, settings.summary_fields),
        markdown=settings.summary_is_markdown,
        topics=tuple(_texts(item, settings.topics_fields)),
        language=_language(_text(item, settings.language_fields)),
        author=_text(item, settings.author_fields),
        published=_text(item, settings.published_fields),
        image=_text(item, settings.image_fields),
    )
    try:
        item.summary_data["article_id"] = await contribute(given, run.settings, run.documents, run.clock)
    except ValueError:
        raise ContentError("there is no title for the article: title_fields names the fields it may be in") from None
    except EnricherUnavailableError as error:
        raise RetryLater(error.retry_after or 0.0, str(error)) from None
    return item


def _text(item: Content, paths: Sequence[str]) -> str | None:
    """The first of these fields that is a text, and says something."""
    for path in paths:
        value = item.get(path)
        if isinstance(value, str) and value.strip():
            return value
    return None


def _texts(item: Content, paths: Sequence[str]) -> list[str]:
    """All topics of the first of these fields that has any: texts, or objects as `keyword_extractor` writes them."""
    for path in paths:
        value: Any = item.get(path)
        each = value if isinstance(value, list) else [value]
        texts = [one.get("term") if isinstance(one, dict) else one for one in each]
        if found := [one for one in texts if isinstance(one, str) and one.strip()]:
            return found
    return []


def _language(told: str | None) -> str | None:
    """What is written in two letters; else the site tells the language itself."""
    return told.lower() if told and len(told) == 2 and told.isalpha() else None
