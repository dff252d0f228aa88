"""Packed bodies, unpacked within bounds, whatever their headers say."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from shared.fetch.errors import BodyTooLargeError, BrokenPackingError

ACCEPTED = "gzip, deflate, br"
"""The value of `Accept-Encoding`."""
_GZIP = b"\x1f\x8b\x08"
_TEXT = re.compile(rb"[\t\r\n -~]{16,}")
_LOOKED_AT = 200
"""Bytes at the beginning of a body: where all are ASCII, it is not packed, whatever its header says."""
_MOST_LAYERS = 3
"""Packed by the site, by its server, and once more on the way."""


def unpacked(body: bytes, encoding: str, most: int, *, truncate: bool = False) -> bytes:
    """A body without its packing: what the header names, where it is so, and gzip, which shows by itself.

    Args:
        body: as it came.
        encoding: the value of `Content-Encoding`.
        most: bytes at most, unpacked.
        truncate: whether what is longer, or breaks off, is taken as far as it goes.

    Raises:
        BodyTooLargeError: it is longer than that.
        BrokenPackingError: it breaks off, or cannot be unpacked.
    """
    names = [each.strip() for each in encoding.lower().split(",") if each.strip() not in ("", "identity")]
    for _ in range(_MOST_LAYERS):
        if body.startswith(_GZIP):
            body = _inflated(body, 31, most, truncate=truncate)
            if names and names[-1] in ("gzip", "x-gzip"):
                names.pop()
            continue
        way = _WAYS.get(names.pop()) if names else None
        if way is None or _TEXT.fullmatch(body[:_LOOKED_AT]):
            break
        body = way(body, most, truncate)
    return body


def _deflated(body: bytes, most: int, truncate: bool) -> bytes:
    """With zlib's frame, as the standard says, or without it, as some servers do; or not packed at all."""
    if body[:1] and body[0] & 15 == 8 and int.from_bytes(body[:2], "big") % 31 == 0:
        return _inflated(body, 15, most, truncate=truncate)
    try:
        return _inflated(body, -15, most, truncate=truncate)
    except BrokenPackingError:
        return body


def _brotli(body: bytes, most: int, truncate: bool) -> bytes:
    import brotli

    unpacking = brotli.Decompressor()
    made = bytearray()
    try:
        made += unpacking.process(body, output_buffer_limit=most + 1)
        while not unpacking.can_accept_more_data() and len(made) <= most:
            made += unpacking.process(b"", output_buffer_limit=most + 1 - len(made))
    except brotli.error:
        if not made:
            return body  # the header belies it
    if len(made) <= most and not truncate and not unpacking.is_finished():
        raise BrokenPackingError
    return _bounded(bytes(made), most, truncate=truncate)


def _inflated(body: bytes, bits: int, most: int, *, truncate: bool) -> bytes:
    """What zlib makes of it, all members of it."""
    made = bytearray()
    whole = False
    while body and len(made) <= most:
        unpacking = zlib.decompressobj(wbits=bits)
        try:
            made += unpacking.decompress(body, most + 1 - len(made))
        except zlib.error:
            break
        whole = unpacking.eof
        body = unpacking.unused_data if whole and unpacking.unused_data.startswith(_GZIP) else b""
    if (not made and not whole) or (not whole and len(made) <= most and not truncate):
        raise BrokenPackingError
    return _bounded(bytes(made), most, truncate=truncate)


def _bounded(made: bytes, most: int, *, truncate: bool) -> bytes:
    if len(made) > most and not truncate:
        raise BodyTooLargeError
    return made[:most]


_WAYS: dict[str, Callable[[bytes, int, bool], bytes]] = {"deflate": _deflated, "br": _brotli}
