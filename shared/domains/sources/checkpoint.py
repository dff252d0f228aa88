"""What a source has shown before: the ids of its things with a mark of their content, bounded, written under a fence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared.domains.items.public import item_id_of
from shared.domains.sources.containers import SOURCES
from shared.domains.sources.model import Found
from shared.fetch.urls import former_keys, is_front_page, key
from shared.jobs import FencedError
from shared.ports import Document, DocumentStore
from shared.storage import iso

MOST_SEEN = 1000
"""Things of a source that are remembered, and looked at in one run."""
_ID = 16
"""Characters of an id that tell it from the others of its source."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """A page that could not be had: for a while it is not asked for, so that the pages after it are."""

    failures: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The things that a source has shown, the oldest first, each with the mark that it had."""

    seen: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, SetAside] = field(default_factory=dict)
    """Pages that failed, by the id of their things."""

    def knows(self, item_id: str) -> bool:
        """Whether it was shown before."""
        return item_id[:_ID] in self.seen

    def covers(self, item_id: str, found: Found) -> bool:
        """Whether it was shown before, and just so."""
        return self.seen.get(item_id[:_ID]) == found.mark

    def rests(self, item_id: str, now: datetime) -> bool:
        """Whether its page failed, and its time has not come again."""
        found = self.aside.get(item_id[:_ID])
        return found is not None and now < found.until

    def failures(self, item_id: str) -> int:
        """How often in a row its page failed."""
        found = self.aside.get(item_id[:_ID])
        return found.failures if found else 0

    def with_aside(self, failed: Mapping[str, SetAside], done: Iterable[str], shown: Iterable[str]) -> Checkpoint:
        """With these pages put aside; without those that are done, and those that the source no longer shows."""
        over, there = {each[:_ID] for each in done}, {each[:_ID] for each in shown}
        kept = {known: each for known, each in self.aside.items() if known in there and known not in over}
        return replace(self, aside=kept | {item_id[:_ID]: each for item_id, each in failed.items()})

    def with_all(self, things: Iterable[tuple[str, Found]]) -> Checkpoint:
        """With these things as they are now. Of too many, those that were not shown for the longest time are forgotten."""
        now = {item_id[:_ID]: found.mark for item_id, found in things}
        before = {known: mark for known, mark in self.seen.items() if known not in now}
        kept = dict(list((before | now).items())[-MOST_SEEN:])
        return replace(self, seen=kept)


def identified(things: tuple[Found, ...], checkpoint: Checkpoint) -> list[tuple[str, Found]]:
    """Each thing with its item's id: that of its address, where the address is its own.

    Entries of a feed may have no address, or link to one page all together. Then the source's id of the thing tells them
    apart. What was stored under its address, when it was the only one there, stays there.
    """
    addresses = [key(each.url) if each.url and not is_front_page(each.url) else None for each in things]
    shared = {address for address, times in Counter(addresses).items() if times > 1}
    found: dict[str, Found] = {}
    for each, address in zip(things, addresses, strict=True):
        found.setdefault(_item_id(each, address, address in shared, checkpoint), each)
    return list(found.items())


def _item_id(thing: Found, address: str | None, shared: bool, checkpoint: Checkpoint) -> str:
    """The id of a thing: as it was stored, where it is known under an address that was written otherwise then."""
    apart = [item_id_of(f"{each}#{thing.id or thing.title}") for each in (_keys(thing.url) if thing.url else [""])]
    known = next((each for each in apart if checkpoint.knows(each)), None)
    if address is None or known:
        return known or apart[0]
    plain = [item_id_of(each) for each in _keys(thing.url or "")]
    alone = next((each for each in plain if checkpoint.knows(each)), plain[0])
    return apart[0] if shared and not checkpoint.covers(alone, thing) else alone


def _keys(url: str) -> list[str]:
    """The key of an address, and those that it may have had."""
    return [key(url), *former_keys(url)]


class Checkpoints:
    """The checkpoints of sources."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def read(self, source_id: str) -> Checkpoint:
        """What a source has shown; nothing where it was never read. One storage call."""
        found = await self._documents.read(SOURCES, source_id, _id(source_id))
        if not found:
            return Checkpoint()
        return Checkpoint(_unpacked(found.value["seen"]), _aside(found.value.get("aside") or {}))

    async def write(self, source_id: str, checkpoint: Checkpoint, fence: int) -> None:
        """Keep it. One storage call.

        Raises:
            FencedError: a later holder of the source's lock has written one.
        """
        if not await self._documents.put_newer(SOURCES, _document(source_id, checkpoint, fence)):
            raise FencedError

    async def delete(self, source_id: str) -> None:
        """Forget it."""
        await self._documents.delete(SOURCES, source_id, _id(source_id))


def _document(source_id: str, checkpoint: Checkpoint, fence: int) -> Document:
    """One text, so that no index grows with it; the fence is its version: a higher one stands."""
    seen = " ".join(f"{known}{mark}" for known, mark in checkpoint.seen.items())
    aside = {known: [each.failures, iso(each.until)] for known, each in checkpoint.aside.items()}
    return {
        "id": _id(source_id), "pk": source_id, "type": "checkpoint", "version": fence, "seen": seen, "aside": aside
    }  # fmt: skip


def _unpacked(text: str) -> dict[str, str]:
    return {each[:_ID]: each[_ID:] for each in text.split()}


def _aside(stored: Mapping[str, tuple[int, str]]) -> dict[str, SetAside]:
    return {known: SetAside(failures, datetime.fromisoformat(until)) for known, (failures, until) in stored.items()}


def _id(source_id: str) -> str:
    return f"checkpoint:{source_id}"
