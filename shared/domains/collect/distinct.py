"""Telling items apart: by canonical address, and by content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.domains.collect.model import Item
from shared.fetch.urls import is_front_page, key


def distinct(items: Iterable[Item], *, trust_ids: bool = False) -> list[Item]:
    """The items without those that came before, under the same address or with the same title and text.

    Args:
        items: in order; of equal ones the first stays.
        trust_ids: whether two items of one address are two things where both id and title differ: so in feeds, whose
            entries may all link to one page, and not on Reddit, where one page is posted under many ids.
    """
    seen: dict[str, _Seen] = {}
    contents: set[str] = set()
    kept = []
    for item in items:
        content, address = content_key(item), _address(item)
        known = seen.get(address) if address else None
        if content in contents or (known and known.covers(item, trust_ids)):
            continue
        if content:
            contents.add(content)
        seen.setdefault(address, _Seen()).add(item)
        kept.append(item)
    return kept


@dataclass(frozen=True, slots=True)
class _Seen:
    """The items of one address."""

    ids: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)

    def add(self, item: Item) -> None:
        self.ids.add(item.id)
        self.titles.add(_folded(item.title))

    def covers(self, item: Item, trust_ids: bool) -> bool:
        return not trust_ids or item.id in self.ids or _folded(item.title) in self.titles


def content_key(item: Item) -> str:
    """A hash of title and text, whatever their case and spacing; empty where there is no text to go by."""
    if not item.text:
        return ""
    return hashlib.sha256(f"{_folded(item.title)}\n{_folded(item.text)}".encode()).hexdigest()


def _address(item: Item) -> str:
    return "" if item.url is None or is_front_page(item.url) else key(item.url)


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
