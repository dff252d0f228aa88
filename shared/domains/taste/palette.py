"""The colours of an image, by name.

Content from strangers: it is decoded in the sandbox, formats are listed, and the size is read from the header and checked before
a pixel is decoded.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from shared.domains.taste.colours import distance, nearest
from shared.domains.taste.errors import ImageRefusedError
from shared.domains.taste.lexicon import RGB
from shared.sandbox import Failure, Why

if TYPE_CHECKING:
    from PIL.Image import Image

    from shared.sandbox.pool import Sandbox

P = ParamSpec("P")
T = TypeVar("T")

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
SIDE = 96
"""Pixels of the longer side that is looked at."""
MAX_COLOURS = 4
MIN_SHARE = 0.1
_BACKGROUND_DISTANCE = 0.05
_MIN_FOREGROUND = 0.1


async def palette(box: Sandbox, data: bytes, max_pixels: int) -> dict[str, float]:
    """Name the colours of an image's foreground, with their shares (0-1), the largest first.

    Raises:
        ImageRefusedError: it is no JPEG, PNG, WebP or GIF, is broken, or has more than `max_pixels` pixels.
    """
    return await _decoded(box, read_palette, data, max_pixels)


async def reduced(box: Sandbox, data: bytes, max_pixels: int, side: int) -> bytes:
    """Return an image as a JPEG of at most `side` pixels, white where it is transparent. Raises as `palette` does."""
    return await _decoded(box, _reduce, data, max_pixels, side)


async def _decoded(box: Sandbox, decode: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Look at an image in the sandbox. One that takes too much time or memory has too many pixels, whatever it says."""
    answer = await box.run(decode, *args, **kwargs)
    if not isinstance(answer, Failure):
        return answer
    if answer.type == ImageRefusedError.__name__:
        raise ImageRefusedError(answer.detail)
    raise ImageRefusedError("too-many-pixels" if answer.why in (Why.TIME, Why.MEMORY) else "not-an-image")


def read_palette(data: bytes, max_pixels: int) -> dict[str, float]:
    """Do what `palette` does, in this process."""
    pixels = _foreground(_decode(data, max_pixels, SIDE))
    names: Counter[str] = Counter()
    for rgb, count in pixels.items():
        names[nearest(rgb)] += count
    total = names.total() or 1  # an image may be all transparent
    shares = [(name, count / total) for name, count in sorted(names.items(), key=lambda pair: (-pair[1], pair[0]))]
    return {name: round(share, 3) for name, share in shares[:MAX_COLOURS] if share >= MIN_SHARE}


def _reduce(data: bytes, max_pixels: int, side: int) -> bytes:
    from PIL import Image

    image = _decode(data, max_pixels, side)
    opaque = Image.new("RGBA", image.size, "white")
    opaque.alpha_composite(image)
    jpeg = io.BytesIO()
    opaque.convert("RGB").save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()


def _decode(data: bytes, max_pixels: int, side: int) -> Image:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise ImageRefusedError("too-many-pixels")
            image.draft("RGB", (side, side))  # lets JPEG decode at a fraction of its size
            image.thumbnail((side, side), Image.Resampling.BOX)
            return image.convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageRefusedError("too-many-pixels") from None
    except (ImageRefusedError, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - a decoder fed with garbage raises whatever it likes
        raise ImageRefusedError("not-an-image") from None


def _foreground(image: Image) -> Counter[RGB]:
    """Count the colours, in steps of eight, of what is neither transparent nor like the border."""
    opaque = _count(image)
    background = _background(image)
    if background is None:
        return opaque
    rest = Counter({rgb: n for rgb, n in opaque.items() if distance(rgb, background) > _BACKGROUND_DISTANCE})
    # An item of the colour of its background: what is left over would be its shadows.
    return rest if rest.total() >= _MIN_FOREGROUND * opaque.total() else opaque


def _background(image: Image) -> RGB | None:
    """The colour that most of the border has, if it is one colour."""
    width, height = image.size
    inner = image.crop((1, 1, width - 1, height - 1)) if min(width, height) > 2 else None
    border = _count(image) - _count(inner) if inner else Counter[RGB]()
    if not border:
        return None
    rgb, _ = border.most_common(1)[0]
    alike = sum(n for other, n in border.items() if distance(rgb, other) <= _BACKGROUND_DISTANCE)
    return rgb if alike >= 0.6 * border.total() else None


def _count(image: Image) -> Counter[RGB]:
    counts: Counter[RGB] = Counter()
    for n, pixel in image.getcolors(SIDE * SIDE) or []:
        r, g, b, alpha = pixel  # type: ignore[misc]
        if alpha >= 128:
            counts[(r & 0xF8 | 4, g & 0xF8 | 4, b & 0xF8 | 4)] += n
    return counts
