"""Which extractor and which embedder the app's settings call for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.domains.moods.ports import Embedder, Extractor
from shared.domains.moods.settings import MoodSettings

if TYPE_CHECKING:
    from shared.settings import Settings


@cache
def extractor(settings: Settings) -> Extractor:
    """The chat model, where one is configured; else the lexicons."""
    if settings.openai_endpoint and settings.of(MoodSettings).chat_deployment:
        from shared.domains.moods.hosted import HostedExtractor

        return HostedExtractor(settings)
    from shared.domains.moods.lexicon import LexiconExtractor

    return LexiconExtractor()


@cache
def embedder(settings: Settings) -> Embedder:
    """The embedding model, where one is configured; else hashing vectors."""
    if settings.openai_endpoint and settings.of(MoodSettings).embedding_deployment:
        from shared.domains.moods.hosted import HostedEmbedder

        return HostedEmbedder(settings)
    from shared.domains.moods.vectors import HashingEmbedder

    return HashingEmbedder()
