"""Editions of the site: each a manifest of its pages, and one small blob that says which of them is shown.

The pages that an edition wrote are below `site/pages/{edition}/`; those that did not change it has from the editions before it. Its
manifest is written when its last page is there, and the edition is then put into `site/current.json` under that blob's ETag. This one write
makes it the shown one, and lets go of those that are one too many. So what is shown is whole at any moment, whoever dies when; and what can be
gone back to is exactly what that blob lists, so that nothing is purged under somebody who just went back to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from shared.ports import AlreadyExistsError, BlobStore, Clock, PreconditionError
from shared.storage import Versioned, compare_and_swap

CURRENT = "site/current.json"
_MANIFESTS, _PAGES = "site/manifests/", "site/pages/"
_IN_THE_MAKING = timedelta(hours=1)
"""What is younger may belong to an edition that is being made: an attempt takes less."""


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition, as the list of them has it."""

    edition_id: str
    made_at: str
    job_id: str
    """The job that made it."""
    items: int
    pages: int
    written: int
    """Pages that are not those of the edition before."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown, and what can be."""

    current: str = ""
    """The id of the edition that is shown; empty before the first."""
    held: bool = False
    """Whether it stays whatever is published: somebody went back to it on purpose."""
    read_at: str = ""
    """When the newest edition read the articles that it shows."""
    editions: tuple[Edition, ...] = ()
    """All that are kept, the newest first."""

    def edition(self, edition_id: str) -> Edition | None:
        """One of those that are kept."""
        return next((each for each in self.editions if each.edition_id == edition_id), None)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of an edition."""

    blob: str
    sha256: str
    content_type: str
    made_of: str
    """A hash of all that it was made of: equal, and it need not be made anew."""


Manifest = Mapping[str, Page]
"""The pages of an edition by their paths."""


class UnknownEditionError(Exception):
    """There is no such edition (any more)."""


class Editions:
    """The editions in a container of blobs."""

    def __init__(self, blobs: BlobStore, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock

    async def shown(self) -> Versioned[Shown]:
        """What is shown; its ETag is empty before the first edition. One storage call."""
        found = await self._blobs.read(CURRENT)
        if found is None:
            return Versioned(Shown(), "")
        content = json.loads(found.data)
        editions = tuple(Edition(**each) for each in content.pop("editions"))
        return Versioned(Shown(**content, editions=editions), found.etag)

    async def manifest(self, edition_id: str) -> dict[str, Page]:
        """The pages of an edition. One storage call.

        Raises:
            UnknownEditionError: there is no such edition.
        """
        found = await self._blobs.read(f"{_MANIFESTS}{edition_id}.json") if edition_id else None
        if found is None:
            raise UnknownEditionError
        content: dict[str, dict[str, str]] = json.loads(found.data)
        return {path: Page(**fields) for path, fields in content.items()}

    async def page(self, page: Page) -> bytes | None:
        """The content of a page. One storage call."""
        found = await self._blobs.read(page.blob)
        return found.data if found else None

    async def write_page(self, edition_id: str, path: str, data: bytes) -> str:
        """Write a page of a new edition; return the blob's name. One storage call."""
        name = f"{_PAGES}{edition_id}/{path}"
        await self._create(name, data)
        return name

    async def write_manifest(self, edition_id: str, pages: Manifest) -> None:
        """Write down that all pages of an edition are there. One storage call."""
        content = {path: asdict(page) for path, page in pages.items()}
        await self._create(f"{_MANIFESTS}{edition_id}.json", json.dumps(content).encode())

    async def show(self, edition: Edition, before: Versioned[Shown], read_at: str, keep: int) -> Versioned[Shown]:
        """Show a new edition, whose manifest is there, and keep so many. One storage call.

        Raises:
            PreconditionError: another one was shown since `before` was read.
        """
        editions = (edition, *before.value.editions)[:keep]
        return await self._write(Shown(edition.edition_id, False, read_at, editions), before)

    @compare_and_swap("the site")
    async def go_back(self, edition_id: str, *, hold: bool) -> Shown:
        """Show an edition that is kept. Two storage calls.

        Args:
            edition_id: which.
            hold: whether it is to stay, whatever is published.

        Raises:
            UnknownEditionError: it is not kept (any more).
        """
        before = await self.shown()
        if before.value.edition(edition_id) is None:
            raise UnknownEditionError
        return (await self._write(replace(before.value, current=edition_id, held=hold), before)).value

    async def clear(self) -> int:
        """Delete manifests and pages that no edition needs which is kept; return how many.

        Safe beside a publication and to run twice. The pages of one that is being made are either young, or those of an edition
        that is shown until it is.
        """
        shown = (await self.shown()).value
        needed = {CURRENT}
        for edition in shown.editions:
            needed.add(f"{_MANIFESTS}{edition.edition_id}.json")
            with suppress(UnknownEditionError):  # another one was shown meanwhile, and this one was let go of
                needed |= {page.blob for page in (await self.manifest(edition.edition_id)).values()}
        before = self._clock.now() - _IN_THE_MAKING
        gone = 0
        async for info in self._blobs.list("site/"):
            if info.name not in needed and info.last_modified < before:
                gone += await self._blobs.delete(info.name)
        return gone

    async def _create(self, name: str, data: bytes) -> None:
        """Create a blob; one of this name is this attempt's own, by a call whose answer was lost."""
        try:
            await self._blobs.create(name, data)
        except AlreadyExistsError:
            return

    async def _write(self, shown: Shown, before: Versioned[Shown]) -> Versioned[Shown]:
        data = json.dumps(asdict(shown), indent=1).encode()
        if before.etag:
            return Versioned(shown, await self._blobs.replace(CURRENT, data, before.etag))
        try:
            return Versioned(shown, await self._blobs.create(CURRENT, data))
        except AlreadyExistsError:
            raise PreconditionError("the first edition was made by another") from None


def unchanged(pages: Manifest, before: Manifest) -> bool:
    """Whether an edition would show nothing that the one before does not."""
    return _made_of(pages.items()) == _made_of(before.items())


def _made_of(pages: Iterable[tuple[str, Any]]) -> dict[str, str]:
    return {path: page.made_of for path, page in pages}
