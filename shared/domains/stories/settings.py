"""Settings of stories: who writes, translates and speaks them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.settings.spec import Section, Spec, matching, queue, setting, text, url, whole

if TYPE_CHECKING:
    from shared.settings import Settings


def _switch(value: str) -> bool:
    return {"true": True, "1": True, "false": False, "0": False}[value.lower()]


def _read_switch(value: str) -> bool:
    try:
        return _switch(value)
    except KeyError:
        raise ValueError(value) from None


@dataclass(frozen=True, eq=False, repr=False)
class StorySettings(Section):
    """Settings of stories: who writes, translates and speaks them."""

    adventure_queue: str = queue(
        "ADVENTURE_QUEUE", "adventure-pipeline", "Where entries of adventures wait to be made."
    )
    stub_generation: bool = setting(
        Spec(
            "STUB_GENERATION",
            "true or false",
            "Stories by the built-in grammar, glossary and voice, whatever services are configured.",
            _read_switch,
        ),
        False,
    )
    most_of_user: int = whole(
        "ADVENTURES_PER_USER", 200, 1, 10_000, "adventures", "How many adventures a user may have at a time."
    )
    openai_deployment: str | None = text(
        "AZURE_OPENAI_STORY_DEPLOYMENT",
        None,
        "Deployment of the chat model that writes stories; needs AZURE_OPENAI_ENDPOINT.",
    )
    anthropic_key: str | None = text(
        "ANTHROPIC_API_KEY", None, "Has Anthropic's model write stories, where no Azure deployment does.", secret=True
    )
    anthropic_model: str = text("ANTHROPIC_MODEL", "claude-sonnet-4-5", "Which of Anthropic's models.")
    anthropic_url: str = url("ANTHROPIC_URL", "Where Anthropic's API is.", "https://api.anthropic.com")
    translator_endpoint: str | None = url(
        "AZURE_TRANSLATOR_ENDPOINT",
        "Azure AI Translator (its global or its own address); unset: DeepL, or the glossary.",
    )
    translator_key: str | None = text(
        "AZURE_TRANSLATOR_KEY", None, "Key; unset: the identity is used, at the resource's own address.", secret=True
    )
    translator_region: str | None = text("AZURE_TRANSLATOR_REGION", None, "Region, for a key of a regional resource.")
    deepl_key: str | None = text(
        "DEEPL_API_KEY", None, "Has DeepL translate, where Azure AI Translator does not.", secret=True
    )
    deepl_url: str | None = url("DEEPL_URL", "Where DeepL's API is; unset: what the key is for, paid or free.")
    speech_endpoint: str | None = url(
        "AZURE_SPEECH_ENDPOINT",
        "Azure AI Speech: `https://{region}.tts.speech.microsoft.com`, or the resource's own address.",
    )
    speech_key: str | None = text("AZURE_SPEECH_KEY", None, "Key; unset: the identity is used.", secret=True)
    speech_resource: str | None = setting(
        Spec(
            "AZURE_SPEECH_RESOURCE_ID",
            "the id of a resource, `/subscriptions/...`",
            "Which resource the identity speaks through; needed where there is no key.",
            matching(r"/subscriptions/[^\s#]+"),
        ),
        None,
    )
    analyser: str = setting(
        Spec(
            "STORY_ANALYSER",
            "`simplemma` or `spacy`",
            "What finds words and their dictionary forms; spaCy is an optional package, and needs a model of the language.",
            matching("simplemma|spacy"),
        ),
        "simplemma",
    )

    def queues(self) -> Mapping[str, str]:
        """The pipeline's queue."""
        return {self.adventure_queue: f"{self.adventure_queue}-poison"}

    def problems(self, settings: Settings) -> Iterable[str]:
        """What is configured by halves."""
        from importlib.util import find_spec

        if self.openai_deployment and not settings.openai_endpoint:
            yield "AZURE_OPENAI_STORY_DEPLOYMENT: expected AZURE_OPENAI_ENDPOINT beside it"
        modelled = not self.stub_generation and (self.openai_deployment or self.anthropic_key)
        if modelled and not (self.translator_endpoint or self.deepl_key):
            name = "AZURE_OPENAI_STORY_DEPLOYMENT" if self.openai_deployment else "ANTHROPIC_API_KEY"
            yield f"{name}: expected AZURE_TRANSLATOR_ENDPOINT or DEEPL_API_KEY beside it: the glossary knows its grammar only"
        if self.speech_endpoint and not self.speech_key and not self.speech_resource:
            yield "AZURE_SPEECH_ENDPOINT: expected AZURE_SPEECH_KEY, or AZURE_SPEECH_RESOURCE_ID, beside it"
        if self.analyser == "spacy" and not find_spec("spacy"):
            yield "STORY_ANALYSER: expected the package spacy for this value (requirements-stories.txt)"
