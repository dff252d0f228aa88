"""Audio without a voice: a tone for each word, as long as the word, so that what is heard keeps time with what is read.

It stands in for a voice where none is installed: the player, the marks and the ranges of the audio are all there.
"""

from __future__ import annotations

import asyncio
import io
import math
import wave
from collections.abc import Sequence

from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Cost, Mark, Spoken

RATE = 8000
"""Samples a second, of one byte each."""
_SECONDS_A_LETTER = 0.055
_SECONDS_A_WORD = 0.09
_BETWEEN_WORDS = 0.05
_BETWEEN_SENTENCES = 0.45
_FADE = 0.02
_SCALE = (262, 294, 330, 392, 440)
"""Five notes that sound well in any order, in hertz."""
_SILENCE = 128


class ToneSpeech:
    """Speaks in tones; one byte a sample, in a WAV file."""

    name = "tones"

    async def speak(self, sentences: Sequence[str], language: Language) -> Spoken:
        """A tone for each word of the sentences, whatever their language."""
        del language
        return await asyncio.to_thread(_spoken, tuple(sentences))


def _spoken(sentences: tuple[str, ...]) -> Spoken:
    samples = bytearray()
    marks: list[Mark] = []
    for number, sentence in enumerate(sentences):
        begun, words = _now(samples), []
        for index, word in enumerate(sentence.split()):
            start = _now(samples)
            samples += _tone(word)
            words.append(Mark(start=start, end=_now(samples), sentence=number, word=index))
            samples += _pause(_BETWEEN_WORDS)
        marks += [Mark(start=begun, end=_now(samples), sentence=number), *words]
        samples += _pause(_BETWEEN_SENTENCES)
    seconds = _now(samples)
    return Spoken(
        data=_wav(bytes(samples)), media_type="audio/wav", seconds=seconds, marks=tuple(marks), voice="tones",
        cost=Cost(seconds=seconds),
    )  # fmt: skip


def _now(samples: bytearray) -> float:
    return round(len(samples) / RATE, 3)


def _pause(seconds: float) -> bytes:
    return bytes([_SILENCE]) * int(seconds * RATE)


def _tone(word: str) -> bytes:
    """A note chosen by the word, that swells and fades, so that nothing clicks."""
    letters = [char for char in word if char.isalnum()]
    count = int((_SECONDS_A_WORD + _SECONDS_A_LETTER * max(len(letters), 1)) * RATE)
    turn = 2 * math.pi * _SCALE[sum(map(ord, letters)) % len(_SCALE)] / RATE
    fade = _FADE * RATE
    return bytes(
        _SILENCE + int(60 * min(1.0, at / fade, (count - at) / fade) * math.sin(turn * at)) for at in range(count)
    )


def _wav(samples: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(1)
        written.setframerate(RATE)
        written.writeframes(samples)
    return file.getvalue()
