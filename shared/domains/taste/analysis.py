"""Analysing an item: several analysers behind one port, put together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol

from shared.domains.taste.feedback import Item
from shared.domains.taste.findings import Findings, found, merge
from shared.domains.taste.palette import palette
from shared.domains.taste.words import analyse_words
from shared.sandbox import sandbox

if TYPE_CHECKING:
    from shared.sandbox.pool import Sandbox
    from shared.settings import Settings


class Analyser(Protocol):
    """Finds out what an item is, from its words, its image or both."""

    async def analyse(self, item: Item, image: bytes | None) -> Findings:
        """Return what was found; nothing, where there is nothing to go by.

        Raises:
            ImageRefusedError: the image cannot be read.
            AnalyserUnavailableError: the service behind it cannot answer now.
        """
        ...


class WordAnalyser:
    """Reads the item's fields and words."""

    async def analyse(self, item: Item, image: bytes | None) -> Findings:  # noqa: ARG002 - the port's shape
        """Return what `shared.domains.taste.words` finds."""
        return analyse_words(item)


class PaletteAnalyser:
    """Names the colours of the image."""

    def __init__(self, box: Sandbox, max_pixels: int) -> None:
        self._box = box
        self._max_pixels = max_pixels

    async def analyse(self, item: Item, image: bytes | None) -> Findings:  # noqa: ARG002 - the port's shape
        """Return what `shared.domains.taste.palette` finds."""
        if image is None:
            return Findings()
        colours = await palette(self._box, image, self._max_pixels)
        return found("image", (("colour", name, share) for name, share in colours.items()))


@cache
def analysers(settings: Settings) -> tuple[Analyser, ...]:
    """The analysers that the app's settings call for, made once: one of them keeps a client."""
    chosen: list[Analyser] = [WordAnalyser(), PaletteAnalyser(sandbox(settings), settings.image_max_pixels)]
    if settings.openai_endpoint and settings.openai_vision_deployment:
        from shared.domains.taste.vision import VisionAnalyser

        chosen.append(VisionAnalyser(settings))
    return tuple(chosen)


async def analyse(chosen: Sequence[Analyser], item: Item, image: bytes | None) -> Findings:
    """Ask every analyser, one after the other (only one of them takes its time), and put together what they found."""
    return merge([await one.analyse(item, image) for one in chosen])
