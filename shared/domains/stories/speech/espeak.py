"""eSpeak NG, where its library is installed: a voice that needs no account, plain but understandable, in every language.

The library keeps one state for the process and speaks as fast as the processor goes (an entry in well under a second), so
that one text is spoken at a time, in a thread. It tells where each word begins.
"""

from __future__ import annotations

import asyncio
import ctypes
import io
import threading
import wave
from collections.abc import Sequence
from functools import cache
from typing import Any

from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Cost, Mark, ServiceError, Spoken

_RETRIEVAL = 1
"""The library hands over the samples, and plays nothing."""
_UTF8 = 1
_WORD, _END = 1, 6
_PAUSE = 0.35
_ONE_AT_A_TIME = threading.Lock()


class _Event(ctypes.Structure):
    """`espeak_EVENT` of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", ctypes.c_char * 8),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakSpeech:
    """Speaks with eSpeak NG; 16 bits a sample, in a WAV file."""

    name = "espeak-ng"

    async def speak(self, sentences: Sequence[str], language: Language) -> Spoken:
        """Speak sentences.

        Raises:
            ServiceError: the library cannot be loaded, or does not know the language.
        """
        return await asyncio.to_thread(_speak, tuple(sentences), language)


def _speak(sentences: tuple[str, ...], language: Language) -> Spoken:
    voice = str(language)
    samples, marks = bytearray(), list[Mark]()
    with _ONE_AT_A_TIME:
        library, rate = _library()
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ServiceError(f"eSpeak NG has no voice for {language}")
        for number, sentence in enumerate(sentences):
            spoken, starts = _sentence(library, sentence)
            begun, length = len(samples) / 2 / rate, len(spoken) / 2 / rate
            marks += _marks(number, sentence, starts, begun, length)
            samples += spoken + bytes(2 * int(_PAUSE * rate))
    seconds = round(len(samples) / 2 / rate, 3)
    return Spoken(
        data=_wav(bytes(samples), rate), media_type="audio/wav", seconds=seconds, marks=tuple(marks), voice=f"espeak-ng {voice}",
        cost=Cost(seconds=seconds),
    )  # fmt: skip


def _sentence(library: Any, sentence: str) -> tuple[bytes, list[tuple[int, float]]]:
    """The samples of a sentence; and of each word the character at which it begins, and the second."""
    samples, starts = bytearray(), list[tuple[int, float]]()

    def heard(data: Any, count: int, events: Any) -> int:
        if data and count > 0:
            samples.extend(ctypes.string_at(data, 2 * count))
        at = 0
        while events[at].type != 0:
            if events[at].type == _WORD:
                starts.append((events[at].text_position - 1, events[at].audio_position / 1000))
            at += 1
        return 0

    callback = _Callback(heard)
    library.espeak_SetSynthCallback(callback)
    text = sentence.encode()
    code = library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    if code != 0:
        raise ServiceError(f"eSpeak NG does not speak (code {code})")
    return bytes(samples), starts


def _marks(number: int, sentence: str, starts: list[tuple[int, float]], begun: float, length: float) -> list[Mark]:
    """The sentence's mark and its words': a word is heard from where the voice first says something of it."""
    whole = Mark(start=round(begun, 3), end=round(begun + length, 3), sentence=number)
    found: dict[int, float] = {}
    for character, second in starts:
        word = len(sentence[: character + 1].split()) - 1
        found.setdefault(max(word, 0), second)
    order = sorted(found)
    ends = [*(found[word] for word in order[1:]), length]
    words = [
        Mark(start=round(begun + found[word], 3), end=round(begun + end, 3), sentence=number, word=word)
        for word, end in zip(order, ends, strict=True)
    ]
    return [whole, *words]


@cache
def _library() -> tuple[Any, int]:
    """The library, made ready once for the process, and its sample rate."""
    import espeakng_loader

    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
    except OSError:
        raise ServiceError("eSpeak NG cannot be loaded") from None
    rate = library.espeak_Initialize(_RETRIEVAL, 500, str(espeakng_loader.get_data_path()).encode(), 0)
    if rate <= 0:
        raise ServiceError("eSpeak NG cannot be made ready")
    return library, rate


def _wav(samples: bytes, rate: int) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(samples)
    return file.getvalue()
