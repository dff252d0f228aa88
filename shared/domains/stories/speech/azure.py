"""Azure AI Speech over plain HTTP: sentence by sentence, so that it is known where each begins.

The REST API does not tell where words are (its SDK does, over a web socket of its own); what is charged is the same however the
text is cut. The sentences come as MP3 of a constant rate, whose frames follow each other in one file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Cost, Mark, Spoken
from shared.domains.stories.settings import StorySettings
from shared.domains.stories.wire import Identity, ask

if TYPE_CHECKING:
    from shared.settings import Settings

_FORMAT = "audio-24khz-48kbitrate-mono-mp3"
_BYTES_A_SECOND = 48_000 / 8
_AT_ONCE = 4
VOICES = {
    Language.ENGLISH: "en-GB-SoniaNeural",
    Language.FRENCH: "fr-FR-DeniseNeural",
    Language.SPANISH: "es-ES-ElviraNeural",
    Language.GERMAN: "de-DE-KatjaNeural",
    Language.ITALIAN: "it-IT-ElsaNeural",
    Language.PORTUGUESE: "pt-PT-RaquelNeural",
    Language.DUTCH: "nl-NL-ColetteNeural",
    Language.POLISH: "pl-PL-ZofiaNeural",
    Language.SWEDISH: "sv-SE-SofieNeural",
    Language.DANISH: "da-DK-ChristelNeural",
}
"""The voice of each language."""


def _address(endpoint: str) -> str:
    """Where texts are sent: a resource's own address, as it is shown in the portal, has speech under `/tts`."""
    endpoint = endpoint.rstrip("/")
    own = endpoint.endswith(".cognitiveservices.azure.com")
    return f"{endpoint}{'/tts' if own else ''}/cognitiveservices/v1"


class AzureSpeech:
    """Speaks with neural voices."""

    name = "azure-speech"

    def __init__(self, settings: Settings) -> None:
        chosen = settings.of(StorySettings)
        self._url = _address(str(chosen.speech_endpoint))
        self._key = chosen.speech_key
        self._resource = chosen.speech_resource
        self._identity = Identity(settings)

    async def speak(self, sentences: Sequence[str], language: Language) -> Spoken:
        """Speak sentences, some at a time, and put them together.

        Raises:
            ServiceError: the service does not answer one of them.
        """
        headers = await self._headers()
        turns = asyncio.Semaphore(_AT_ONCE)

        async def part(sentence: str) -> bytes:
            async with turns:
                return (await ask("Azure AI Speech", self._url, _ssml(sentence, language), headers)).body

        parts = await asyncio.gather(*map(part, sentences))
        return _together(parts, sentences, VOICES[language])

    async def _headers(self) -> dict[str, str]:
        headers = {
            "Content-Type": "application/ssml+xml", "X-Microsoft-OutputFormat": _FORMAT, "User-Agent": "nightshift",
        }  # fmt: skip
        if self._key:
            return {**headers, "Ocp-Apim-Subscription-Key": self._key}
        return {**headers, "Authorization": f"Bearer aad#{self._resource}#{await self._identity.token()}"}


def _together(parts: list[bytes], sentences: Sequence[str], voice: str) -> Spoken:
    marks, at = [], 0.0
    for number, part in enumerate(parts):
        end = at + len(part) / _BYTES_A_SECOND
        marks.append(Mark(start=round(at, 3), end=round(end, 3), sentence=number))
        at = end
    cost = Cost(characters=sum(map(len, sentences)), seconds=round(at, 3))
    return Spoken(
        data=b"".join(parts), media_type="audio/mpeg", seconds=round(at, 3), marks=tuple(marks), voice=voice, cost=cost
    )


def _ssml(sentence: str, language: Language) -> bytes:
    voice = VOICES[language]
    spoken = f"<voice name='{voice}'>{escape(sentence)}</voice>"
    return f"<speak version='1.0' xml:lang='{voice[:5]}'>{spoken}</speak>".encode()
