"""DeepL over plain HTTP (API version 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from shared.domains.stories.languages import Language
from shared.domains.stories.ports import ServiceError, Translation
from shared.domains.stories.settings import StorySettings
from shared.domains.stories.translation.azure import batches, whole
from shared.domains.stories.wire import ask, content_of

if TYPE_CHECKING:
    from shared.settings import Settings

_SERVICE = "DeepL"
_MOST_TEXTS, _MOST_CHARACTERS = 50, 100_000
_PAID, _FREE = "https://api.deepl.com", "https://api-free.deepl.com"
_TARGETS = {Language.ENGLISH: "EN-GB", Language.PORTUGUESE: "PT-PT"}
"""Targets of which DeepL wants to know the country."""


class DeepLTranslator:
    """Translates between all languages that stories are told in."""

    name = "deepl"

    def __init__(self, settings: Settings) -> None:
        chosen = settings.of(StorySettings)
        self._key = str(chosen.deepl_key)
        address = chosen.deepl_url or (_FREE if self._key.endswith(":fx") else _PAID)
        self._url = f"{address.rstrip('/')}/v2/translate"

    def can_translate(self, source: Language, target: Language) -> bool:
        """Whether the languages differ: it knows all of them."""
        return source != target

    async def translate(self, texts: Sequence[str], source: Language, target: Language) -> Translation:
        """Translate each text by itself.

        Raises:
            ServiceError: the service does not answer, or not with as many texts.
        """
        translated: list[str] = []
        for batch in batches(texts, _MOST_TEXTS, _MOST_CHARACTERS):
            content = {
                "text": batch, "source_lang": source.upper(), "target_lang": _TARGETS.get(target, target.upper()),
                "split_sentences": "0", "preserve_formatting": True,
            }  # fmt: skip
            reply = await ask(_SERVICE, self._url, content, {"Authorization": f"DeepL-Auth-Key {self._key}"})
            try:
                translated += [str(each["text"]) for each in content_of(_SERVICE, reply)["translations"]]
            except (KeyError, TypeError):
                raise ServiceError(f"{_SERVICE} answered no translations") from None
        return whole(_SERVICE, texts, translated)
