"""Copying the shown edition into a container that Azure Storage serves as a static website (`SITE_WEB_CONTAINER`).

There an edition cannot be switched in one write. So what pages need and lead to comes first, the front page after it, and what is gone goes
last. A copy that others overtake begins again: what it leaves is the edition that is shown.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.domains.site.editions import Editions, Page
from shared.domains.site.settings import SiteSettings
from shared.jobs import Snooze
from shared.ports import BlobInfo, BlobStore, PreconditionError

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs import JobContext

_MARK = "sha256"
"""The metadata by which a copy knows its own: of other blobs in the container it keeps away."""
_FRONT = "index.html"
_AT_ONCE = 8


async def copied(app: App) -> None:
    """Have the shown edition copied, where a container is set."""
    if app.settings.of(SiteSettings).web_container:
        await app.engine.submit("copy-site", {})


async def copy(job: JobContext, container: BlobStore) -> dict[str, int]:
    """Make the container hold what the shown edition does; return how many pages were written and deleted.

    Raises:
        Snooze: another edition was shown, or another copy wrote, meanwhile.
    """
    editions = Editions(job.blobs, job.clock)
    current = (await editions.shown()).value.current
    pages = await editions.manifest(current)
    there = {info.name: info async for info in container.list("")}
    stale = [
        path for path in sorted(pages, key=lambda path: path == _FRONT) if _mark(there.get(path)) != pages[path].sha256
    ]
    gone = [name for name, info in there.items() if _mark(info) and name not in pages]
    try:
        for start in range(0, len(stale), _AT_ONCE):
            await job.progress("copying pages", start, len(stale))
            batch = [path for path in stale[start : start + _AT_ONCE] if path != _FRONT]
            await asyncio.gather(*(_put(editions, container, path, pages[path], there.get(path)) for path in batch))
        if _FRONT in stale:
            await _put(editions, container, _FRONT, pages[_FRONT], there.get(_FRONT))
        for name in gone:
            await container.delete(name, there[name].etag)
    except PreconditionError:
        raise Snooze(1, "another copy is under way") from None
    if (await editions.shown()).value.current != current:
        raise Snooze(0, "another edition is shown by now")
    return {"written": len(stale), "deleted": len(gone)}


async def _put(editions: Editions, container: BlobStore, path: str, page: Page, before: BlobInfo | None) -> None:
    data = await editions.page(page)
    if data is None:
        raise PreconditionError("the edition was purged meanwhile")
    mark = {_MARK: page.sha256}
    if before:
        await container.replace(path, data, before.etag, mark)
    else:
        await container.create(path, data, mark)


def _mark(info: BlobInfo | None) -> str | None:
    return info.metadata.get(_MARK) if info else None
