"""Naming colours, in OKLab: a space in which equal distances look about equal.

The matrices are Björn Ottosson's (2020, https://bottosson.github.io/posts/oklab/).
"""

from __future__ import annotations

from functools import cache
from math import dist

from shared.domains.taste.lexicon import RGB, lexicon

Lab = tuple[float, float, float]


def oklab(rgb: RGB) -> Lab:
    """Convert sRGB (0-255 each) to OKLab: lightness 0-1, and two axes of hue and chroma around 0."""
    r, g, b = map(_linear, rgb)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def nearest(rgb: RGB) -> str:
    """The lexicon's colour that looks most like this one."""
    lab = oklab(rgb)
    return min(_named(), key=lambda named: (dist(named[1], lab), named[0]))[0]


def distance(one: RGB, other: RGB) -> float:
    """How different two colours look: 0 the same, about 0.02 just noticeable, 1 black and white."""
    return dist(oklab(one), oklab(other))


def _linear(channel: int) -> float:
    c = channel / 255
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)


@cache
def _named() -> tuple[tuple[str, Lab], ...]:
    return tuple((name, oklab(rgb)) for name, rgb in lexicon().colours.items())
