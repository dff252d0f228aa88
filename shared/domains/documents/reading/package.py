"""Documents that are ZIP archives: looked at before anything is unpacked, and unpacked within bounds, whatever they declare."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from shared.domains.documents.reading.refused import RefusedError, too_large
from shared.domains.documents.text import Outcome

Element = Any
"""An element of lxml, which has no types."""

_MOST_ENTRIES = 20_000
_MOST_UNPACKED = 500 * 2**20
"""Bytes that all entries declare together."""
_MOST_RATIO = 300
"""Bytes unpacked for each packed one, in an archive of some size: office documents stay below 100."""
_RATIO_FROM = 50 * 2**20
_MOST_XML = 48 * 2**20
"""Bytes of one part that becomes a tree. As a tree it takes some ten times as much memory."""


class Package:
    """The parts of an archive, by name."""

    def __init__(self, data: bytes) -> None:
        """Look at what the archive declares.

        Raises:
            RefusedError: it is none, it is encrypted, or what it declares is too large.
        """
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
            raise RefusedError(Outcome.BROKEN) from error
        entries = self._archive.infolist()
        unpacked = sum(entry.file_size for entry in entries)
        if len(entries) > _MOST_ENTRIES:
            raise too_large(f"it is an archive of more than {_MOST_ENTRIES:,} files")
        if unpacked > _MOST_UNPACKED or (unpacked > _RATIO_FROM and unpacked > _MOST_RATIO * max(len(data), 1)):
            raise too_large(f"unpacked it would have {unpacked // 2**20:,} MiB")
        if any(entry.flag_bits & 1 for entry in entries):
            raise RefusedError(
                Outcome.ENCRYPTED, "This archive is encrypted, which cannot be opened here. Save it without a password."
            )
        self._entries = {entry.filename.lstrip("/"): entry for entry in entries}
        self._folded = {name.casefold(): name for name in self._entries}

    @property
    def names(self) -> list[str]:
        """The names of its parts."""
        return list(self._entries)

    def __contains__(self, name: str) -> bool:
        return name.lstrip("/").casefold() in self._folded

    def read(self, name: str, most: int = _MOST_XML) -> bytes | None:
        """A part; None where there is none of that name.

        Raises:
            RefusedError: it is larger than `most`, or damaged.
        """
        found = self._folded.get(name.lstrip("/").casefold())
        if found is None:
            return None
        entry = self._entries[found]
        if entry.file_size > most:
            raise too_large(f"a part of it has {entry.file_size // 2**20:,} MiB")
        try:
            with self._archive.open(entry) as stream:
                data = stream.read(most + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise RefusedError(Outcome.BROKEN) from error
        if len(data) > most:
            raise too_large(f"a part of it has more than {most // 2**20:,} MiB")
        return data

    def tree(self, name: str) -> Element | None:
        """A part that is XML, as a tree without entities; None where there is no such part.

        Raises:
            RefusedError: as `read`; and where it is no XML, or nested too deeply.
        """
        data = self.read(name)
        return None if data is None else parse_xml(data)

    def relations(self, part: str) -> Mapping[str, tuple[str, str, bool]]:
        """What a part refers to by id: the last word of the relation's type, the target, and whether that is outside."""
        folder, name = posixpath.split(part)
        root = self.tree(posixpath.join(folder, "_rels", f"{name}.rels"))
        found = {}
        for each in [] if root is None else root.iter("{*}Relationship"):
            target, outside = each.get("Target") or "", each.get("TargetMode") == "External"
            if not outside:
                target = unquote(posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
            found[each.get("Id") or ""] = ((each.get("Type") or "").rsplit("/", 1)[-1], target, outside)
        return found


def parse_xml(data: bytes) -> Element:
    """XML as a tree: no entities, no network, no doctype's files.

    Raises:
        RefusedError: it is none, or nested more deeply than any document is.
    """
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True, huge_tree=False
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        if "depth" in str(error):
            raise RefusedError(Outcome.BROKEN, "This document is nested too deeply to be read.") from error
        mended = _recovered(data)
        if mended is not None:
            return mended
        raise RefusedError(Outcome.BROKEN) from error
    except ValueError as error:
        raise RefusedError(Outcome.BROKEN) from error


def _recovered(data: bytes) -> Element | None:
    """What can be had of damaged XML; None where that is nothing."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    return root if root is not None and len(root) else None


def local(element: Element) -> str:
    """An element's name without its namespace; empty for a comment and the like."""
    tag = element.tag
    return tag.rsplit("}", 1)[-1] if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str:
    """An attribute by its local name, whatever namespace it is in; empty where there is none."""
    for key, value in element.attrib.items():
        if key.rsplit("}", 1)[-1] == name:
            return str(value)
    return ""
