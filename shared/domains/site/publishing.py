"""Making an edition: only what changed is written, and nobody sees it before all of it is there."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domains.site.editions import Edition, Editions, Manifest, Page, Shown, UnknownEditionError
from shared.domains.site.model import Article
from shared.domains.site.pages import Draft, SiteOf, drafts
from shared.domains.site.settings import SiteSettings
from shared.domains.site.store import ArticleStore
from shared.jobs import Snooze
from shared.ports import PreconditionError
from shared.storage import Versioned, iso

if TYPE_CHECKING:
    from shared.jobs import JobContext

_AT_ONCE = 16
"""Pages that are made, and then written, at the same time."""
_APART = timedelta(seconds=10)
"""By so much the clocks of two instances may differ."""
_A_MOMENT = 1.0


@dataclass(frozen=True, slots=True)
class Published:
    """The edition that is shown."""

    edition_id: str
    items: int
    pages: int
    written: int
    """Pages that are new or changed; 0: nothing was, and there is no new edition."""
    removed: int = 0


@dataclass(frozen=True, slots=True)
class Withheld:
    """Nothing was published, for a reason: `few_items`, `nothing` or `held`."""

    reason: str
    detail: str


class Publisher:
    """Publishes on behalf of a job."""

    def __init__(self, job: JobContext) -> None:
        self._job = job
        self._settings = job.settings.of(SiteSettings)
        self._editions = Editions(job.blobs, job.clock)

    async def publish(self, *, release: bool) -> Published | Withheld:
        """Have the site show the newest articles.

        Args:
            release: whether to do so although somebody went back to an edition that is to stay.

        Raises:
            Snooze: another publication came in between; the next attempt finds out what it left to do.
        """
        before = await self._editions.shown()
        if before.value.held and not release:
            return Withheld(
                "held", "somebody went back to an edition that is to stay; a publication by hand releases it"
            )
        if not release and self._is_covered(before.value):
            return _as_it_is(before.value)
        read_at = self._job.clock.now()
        articles = await self._articles()
        if not articles:
            return Withheld("nothing", "there are no articles to show")
        planned = {each.path: each for each in await asyncio.to_thread(_planned, self._settings, articles)}
        known = await self._known(before.value)
        changed = [each for each in planned.values() if not _same(each, known.get(each.path))]
        gone = known.keys() - planned.keys()
        if not changed and not gone and not before.value.held:
            return _as_it_is(before.value)
        return await self._make(before, read_at, len(articles), planned, known, changed)

    async def _make(
        self, before: Versioned[Shown], read_at: datetime, items: int, planned: dict[str, Draft], known: Manifest,
        changed: Sequence[Draft],
    ) -> Published:  # fmt: skip
        """Write what changed, then the manifest, then that it is shown."""
        job = self._job
        edition_id = f"{read_at:%Y%m%dT%H%M%S}-{job.job_id[-12:]}-{job.fence}"
        written: dict[str, Page] = {}
        for start in range(0, len(changed), _AT_ONCE):
            batch = changed[start : start + _AT_ONCE]
            await job.progress("writing pages", start, len(changed))
            made = await asyncio.to_thread(_made, batch)
            pages = await asyncio.gather(*(self._written(edition_id, *each) for each in zip(batch, made, strict=True)))
            written |= {draft.path: page for draft, page in zip(batch, pages, strict=True)}
        manifest = {path: written[path] if path in written else known[path] for path in planned}
        await self._editions.write_manifest(edition_id, manifest)
        await job.confirm()
        edition = Edition(edition_id, iso(job.clock.now()), job.job_id, items, len(manifest), len(written))
        try:
            after = await self._editions.show(edition, before, iso(read_at), self._settings.keep_editions)
        except PreconditionError:
            raise Snooze(_A_MOMENT, "another edition was shown meanwhile") from None
        if {each.edition_id for each in before.value.editions} - {each.edition_id for each in after.value.editions}:
            await self._editions.clear()
        return Published(edition_id, items, len(manifest), len(written), len(known.keys() - planned.keys()))

    async def _written(self, edition_id: str, draft: Draft, data: bytes) -> Page:
        blob = await self._editions.write_page(edition_id, draft.path, data)
        return Page(blob, hashlib.sha256(data).hexdigest()[:32], draft.content_type, draft.made_of)

    async def _articles(self) -> list[Article]:
        keep = timedelta(days=self._settings.keep_days)
        return await ArticleStore(self._job.documents, self._job.clock, keep).newest(self._settings.items)

    async def _known(self, shown: Shown) -> Manifest:
        """The pages that the newest edition has; none before the first. Gone back from it or not, they are there."""
        if not shown.editions:
            return {}
        try:
            return await self._editions.manifest(shown.current)
        except UnknownEditionError:
            raise Snooze(_A_MOMENT, "another edition was shown meanwhile") from None

    def _is_covered(self, shown: Shown) -> bool:
        """Whether an edition is there that read its articles when those of whoever submitted this job were there already."""
        if not shown.read_at:
            return False
        return datetime.fromisoformat(shown.read_at) > self._job.job.created_at + _APART


def _planned(settings: SiteSettings, articles: Sequence[Article]) -> list[Draft]:
    return list(drafts(SiteOf.of(settings), articles))


def _made(drafts: Sequence[Draft]) -> list[bytes]:
    return [draft.make().encode(errors="replace") for draft in drafts]


def _same(draft: Draft, page: Page | None) -> bool:
    return page is not None and page.made_of == draft.made_of


def _as_it_is(shown: Shown) -> Published:
    edition = shown.edition(shown.current)
    return Published(shown.current, edition.items if edition else 0, edition.pages if edition else 0, 0)
