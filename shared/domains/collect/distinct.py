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
        trust_ids: whether ids tell things apart: so in feeds, and not on Reddit, where one page is posted under many. Then two
            items of one address are two things where id and title differ, for entries may all link to one page; and two of the same
            words where id and date differ, for a column may say the same each day.
    """
    seen: dict[str, _Seen] = {}
    contents: dict[str, _Seen] = {}
    kept = []
    for item in items:
        content, address = content_key(item), _address(item)
        known, alike = seen.get(address) if address else None, contents.get(content) if content else None
        if (alike and alike.says_no_more(item, trust_ids)) or (known and known.covers(item, trust_ids)):
            continue
        for group, name in ((contents, content), (seen, address)):
            group.setdefault(name, _Seen()).add(item)
        kept.append(item)
    return kept


@dataclass(frozen=True, slots=True)
class _Seen:
    """The items of one address, or of the same words."""

    ids: set[str] = field(default_factory=set)
    titles: set[str] = field(default_factory=set)
    dates: set[str | None] = field(default_factory=set)

    def add(self, item: Item) -> None:
        self.ids.add(item.id)
        self.titles.add(_folded(item.title))
        self.dates.add(item.published)

    def says_no_more(self, item: Item, trust_ids: bool) -> bool:
        """Whether an item of the same words is the same thing."""
        apart = item.id not in self.ids and item.published is not None and item.published not in self.dates
        return not (trust_ids and apart and None not in self.dates)

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
