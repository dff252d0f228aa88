"""Packed bodies: what headers say, what the bytes say, and bounds."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.errors import BodyTooLargeError, BrokenPackingError, FetchError
from shared.fetch.unpacking import unpacked

TEXT = b"Linen and wool. " * 500


def raw(data: bytes) -> bytes:
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packing.compress(data) + packing.flush()


PACKED = {
    "as its header says": (gzip.compress(TEXT), "gzip"),
    "without a word": (gzip.compress(TEXT), ""),
    "twice, by the site and by its server": (gzip.compress(gzip.compress(TEXT)), "gzip"),
    "in two members": (gzip.compress(TEXT[:900]) + gzip.compress(TEXT[900:]), "gzip"),
    "the old name": (gzip.compress(TEXT), "x-gzip"),
    "with zlib's frame": (zlib.compress(TEXT), "deflate"),
    "without it": (raw(TEXT), "deflate"),
    "with brotli": (brotli.compress(TEXT), "br"),
    "with both": (brotli.compress(gzip.compress(TEXT)), "gzip, br"),
    "not, whatever its header says": (TEXT, "gzip"),
    "not with brotli either": (TEXT, "br"),
    "nor deflated": (TEXT, "deflate"),
    "in a way that nobody knows": (TEXT, "sdch"),
}


@pytest.mark.parametrize("way", PACKED)
def test_a_body_comes_out_however_it_was_packed(way: str) -> None:
    body, encoding = PACKED[way]
    assert unpacked(body, encoding, len(TEXT)) == TEXT


@pytest.mark.parametrize("way", [way for way, (body, _) in PACKED.items() if body != TEXT])
def test_a_bomb_is_refused_or_read_as_far_as_it_is_taken(way: str) -> None:
    body, encoding = PACKED[way]
    with pytest.raises(BodyTooLargeError):
        unpacked(body, encoding, len(TEXT) - 1)
    assert unpacked(body, encoding, 1000, truncate=True) == TEXT[:1000]


@pytest.mark.parametrize("way", ["as its header says", "without a word", "with zlib's frame", "with brotli"])
def test_what_breaks_off_is_refused_or_read_as_far_as_it_goes(way: str) -> None:
    body, encoding = PACKED[way]
    with pytest.raises(BrokenPackingError):
        unpacked(body[:-9], encoding, len(TEXT))
    assert TEXT.startswith(unpacked(body[:-9], encoding, len(TEXT), truncate=True))


@given(st.binary(), st.sampled_from(["", "gzip", "br", "deflate", "gzip, br, deflate"]), st.booleans())
def test_any_bytes_are_unpacked_or_refused(body: bytes, encoding: str, truncate: bool) -> None:
    for each in (body, b"\x1f\x8b\x08" + body):
        with suppress(FetchError):
            assert len(unpacked(each, encoding, 10_000, truncate=truncate)) <= max(10_000, len(each))
