"""Naming the colours of images."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from shared.domains.taste.colours import distance, nearest, oklab
from shared.domains.taste.errors import ImageRefusedError
from shared.domains.taste.lexicon import lexicon
from shared.domains.taste.palette import palette, read_palette, reduced
from shared.sandbox.pool import Sandbox

PIXELS = 40_000_000
Colour = tuple[int, int, int] | tuple[int, int, int, int]


def _image(colour: Colour, background: Colour, form: str = "PNG", mode: str = "RGB", size: int = 200) -> bytes:
    image = Image.new(mode, (size, size), background)
    ImageDraw.Draw(image).rectangle((size // 4, size // 4, 3 * size // 4, 3 * size // 4), fill=colour)
    data = io.BytesIO()
    image.save(data, form)
    return data.getvalue()


def _png_header(width: int, height: int) -> bytes:
    """A PNG that promises a size and holds a few bytes that inflate to a lot."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_oklab_agrees_with_its_published_values() -> None:
    assert oklab((255, 255, 255)) == pytest.approx((1.0, 0.0, 0.0), abs=1e-3)
    assert oklab((0, 0, 0)) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
    assert oklab((255, 0, 0)) == pytest.approx((0.62796, 0.22486, 0.12585), abs=1e-4)
    assert distance((0, 0, 0), (255, 255, 255)) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("name", sorted(lexicon().colours))
def test_every_colour_is_named_as_itself_and_looks_like_no_other(name: str) -> None:
    rgb = lexicon().colours[name]
    assert nearest(rgb) == name
    assert min(distance(rgb, other) for known, other in lexicon().colours.items() if known != name) > 0.02


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_item_is_named_and_its_background_is_not(form: str) -> None:
    colours = read_palette(_image((204, 29, 37), (250, 250, 250), form), PIXELS)
    assert next(iter(colours)) == "red"
    assert "white" not in colours


def test_an_item_of_the_colour_of_its_background_keeps_it() -> None:
    assert read_palette(_image((250, 250, 250), (250, 250, 250)), PIXELS) == {"white": 1.0}


def test_what_is_transparent_does_not_count() -> None:
    colours = read_palette(_image((36, 86, 179, 255), (204, 29, 37, 0), mode="RGBA"), PIXELS)
    assert colours == {"blue": 1.0}


def test_an_image_without_a_visible_pixel_has_no_colours() -> None:
    assert read_palette(_image((0, 0, 0, 0), (0, 0, 0, 0), mode="RGBA"), PIXELS) == {}


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "CMYK", "LA"])
def test_every_mode_of_pixels_can_be_read(mode: str) -> None:
    data = io.BytesIO()
    Image.new(mode, (20, 20)).save(data, "JPEG" if mode == "CMYK" else "PNG")
    assert sum(read_palette(data.getvalue(), PIXELS).values()) <= 1


def test_only_the_first_frame_of_an_animation_counts() -> None:
    data = io.BytesIO()
    red, blue = (Image.new("RGB", (50, 50), colour) for colour in ((204, 29, 37), (36, 86, 179)))
    red.save(data, "GIF", save_all=True, append_images=[blue] * 5)
    assert read_palette(data.getvalue(), PIXELS) == {"red": 1.0}


def test_one_pixel_is_enough() -> None:
    data = io.BytesIO()
    Image.new("RGB", (1, 1), (31, 138, 59)).save(data, "PNG")
    assert read_palette(data.getvalue(), PIXELS) == {"green": 1.0}


@pytest.mark.parametrize("side", [7_000, 12_000, 30_000])
async def test_a_decompression_bomb_is_refused_before_a_pixel_is_decoded(box: Sandbox, side: int) -> None:
    """7,000 is above our limit, 12,000 above Pillow's warning, 30,000 above its own limit."""
    with pytest.raises(ImageRefusedError) as caught:
        await palette(box, _png_header(side, side), PIXELS)
    assert caught.value.reason == "too-many-pixels"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"\xff\xd8\xff",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"<html>not found</html>",
        _png_header(100, 100)[:60],
        _image((1, 2, 3), (4, 5, 6), "BMP"),
        _image((1, 2, 3), (4, 5, 6), "TIFF"),
        _image((1, 2, 3), (4, 5, 6), "PNG")[:100],
        b"%!PS-Adobe-3.0 EPSF-3.0",
    ],
)
async def test_what_is_no_image_that_is_taken_is_refused(box: Sandbox, data: bytes) -> None:
    with pytest.raises(ImageRefusedError) as caught:
        await palette(box, data, PIXELS)
    assert caught.value.reason == "not-an-image"


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 150))
def test_a_damaged_image_is_read_or_refused(noise: bytes, at: int) -> None:
    whole = _image((204, 29, 37), (250, 250, 250), "PNG", size=30)
    with suppress(ImageRefusedError):
        read_palette(whole[:at] + noise + whole[at + len(noise) :], PIXELS)


async def test_a_reduced_copy_is_a_small_jpeg(box: Sandbox) -> None:
    copy = await reduced(box, _image((36, 86, 179, 255), (0, 0, 0, 0), mode="RGBA", size=2000), PIXELS, 512)
    with Image.open(io.BytesIO(copy)) as image:
        assert (image.format, image.size) == ("JPEG", (512, 512))
        assert image.getpixel((2, 2)) == (255, 255, 255)
