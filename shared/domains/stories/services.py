"""Which generator, translator, voice and analyser the app's settings call for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.domains.stories.ports import Analyser, Generator, Speech, Translator
from shared.domains.stories.settings import StorySettings

if TYPE_CHECKING:
    from shared.settings import Settings


@cache
def generator(settings: Settings) -> Generator:
    """Azure OpenAI, Anthropic, or the grammar: the first that is configured."""
    chosen = settings.of(StorySettings)
    if not chosen.stub_generation:
        if settings.openai_endpoint and chosen.openai_deployment:
            from shared.domains.stories.generation.azure_openai import azure_openai

            return azure_openai(settings)
        if chosen.anthropic_key:
            from shared.domains.stories.generation.anthropic import anthropic

            return anthropic(settings)
    from shared.domains.stories.generation.grammar_generator import GrammarGenerator

    return GrammarGenerator()


@cache
def translator(settings: Settings) -> Translator:
    """Azure AI Translator, DeepL, or the glossary: the first that is configured."""
    chosen = settings.of(StorySettings)
    if not chosen.stub_generation:
        if chosen.translator_endpoint:
            from shared.domains.stories.translation.azure import AzureTranslator

            return AzureTranslator(settings)
        if chosen.deepl_key:
            from shared.domains.stories.translation.deepl import DeepLTranslator

            return DeepLTranslator(settings)
    from shared.domains.stories.translation.glossary import GlossaryTranslator

    return GlossaryTranslator()


@cache
def speech(settings: Settings) -> Speech:
    """Azure AI Speech where it is configured, eSpeak NG where it is installed, else tones."""
    from importlib.util import find_spec

    chosen = settings.of(StorySettings)
    if chosen.speech_endpoint and not chosen.stub_generation:
        from shared.domains.stories.speech.azure import AzureSpeech

        return AzureSpeech(settings)
    if find_spec("espeakng_loader"):
        from shared.domains.stories.speech.espeak import EspeakSpeech

        return EspeakSpeech()
    from shared.domains.stories.speech.tones import ToneSpeech

    return ToneSpeech()


@cache
def analyser(settings: Settings) -> Analyser:
    """SpaCy where it is asked for, else simplemma."""
    if settings.of(StorySettings).analyser == "spacy":
        from shared.domains.stories.analysis.spacy_analyser import SpacyAnalyser

        return SpacyAnalyser()
    from shared.domains.stories.analysis.lemmas import LemmaAnalyser

    return LemmaAnalyser()
