"""Azure AI Translator over plain HTTP (Text Translation 3.0)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Cost, ServiceError, Translation
from shared.domains.stories.settings import StorySettings
from shared.domains.stories.wire import Identity, ask, content_of

if TYPE_CHECKING:
    from shared.settings import Settings

_SERVICE = "Azure AI Translator"
_MOST_TEXTS, _MOST_CHARACTERS = 1000, 50_000
"""Of a request, by the service's limits."""


class AzureTranslator:
    """Translates between all languages that stories are told in."""

    name = "azure-translator"

    def __init__(self, settings: Settings) -> None:
        chosen = settings.of(StorySettings)
        self._url = _address(str(chosen.translator_endpoint))
        self._key = chosen.translator_key
        self._region = chosen.translator_region
        self._identity = Identity(settings)

    def can_translate(self, source: Language, target: Language) -> bool:
        """Whether the languages differ: it knows all of them."""
        return source != target

    async def translate(self, texts: Sequence[str], source: Language, target: Language) -> Translation:
        """Translate each text by itself.

        Raises:
            ServiceError: the service does not answer, or not with as many texts.
        """
        query = urlencode({"api-version": "3.0", "from": _code(source), "to": _code(target), "textType": "plain"})
        translated: list[str] = []
        headers = await self._headers()
        for batch in batches(texts, _MOST_TEXTS, _MOST_CHARACTERS):
            reply = await ask(_SERVICE, f"{self._url}?{query}", [{"Text": text} for text in batch], headers)
            try:
                translated += [str(each["translations"][0]["text"]) for each in content_of(_SERVICE, reply)]
            except (KeyError, IndexError, TypeError):
                raise ServiceError(f"{_SERVICE} answered no translations") from None
        return whole(_SERVICE, texts, translated)

    async def _headers(self) -> dict[str, str]:
        region = {"Ocp-Apim-Subscription-Region": self._region} if self._region else {}
        if self._key:
            return {"Ocp-Apim-Subscription-Key": self._key, **region}
        return {"Authorization": f"Bearer {await self._identity.token()}", **region}


def whole(service: str, texts: Sequence[str], translated: Sequence[str]) -> Translation:
    """A translation of all texts.

    Raises:
        ServiceError: there are more or fewer translations, or an empty one.
    """
    if len(translated) != len(texts) or not all(each.strip() for each in translated):
        raise ServiceError(f"{service} answered {len(translated)} translations of {len(texts)} texts")
    return Translation(texts=tuple(translated), cost=Cost(characters=sum(map(len, texts))))


def batches(texts: Sequence[str], most: int, most_characters: int) -> list[list[str]]:
    """Texts in groups of so many, and so many characters, at most."""
    groups: list[list[str]] = [[]]
    for text in texts:
        group = groups[-1]
        if group and (len(group) >= most or sum(map(len, group)) + len(text) > most_characters):
            groups.append(group := [])
        group.append(text)
    return [group for group in groups if group]


def _code(language: Language) -> str:
    return "pt-pt" if language is Language.PORTUGUESE else str(language)


def _address(endpoint: str) -> str:
    """A resource's own address has the API below a path; the global one has it at its root."""
    host = urlsplit(endpoint).hostname or ""
    own = host.endswith((".cognitiveservices.azure.com", ".cognitiveservices.azure.us"))
    return f"{endpoint.rstrip('/')}{'/translator/text/v3.0' if own else ''}/translate"
