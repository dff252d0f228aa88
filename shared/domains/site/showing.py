"""The pages of the edition that is shown, as answers."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from shared.domains.site.editions import Editions, Manifest, Page, Shown, UnknownEditionError
from shared.storage import Cached
from shared.web.answers import Answer, Problem, matches, quoted

if TYPE_CHECKING:
    from shared.app import App
    from shared.web.routes import Call

POLICY = (
    "default-src 'none'; img-src https: http:; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)  # fmt: skip
"""Its own style, pictures from the web, and nothing else: no script at all."""
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-cache",
}
"""Feeds are for whoever wants them; what is cached is asked for again, since the site may go back to an edition."""
_FRESH = timedelta(seconds=2)
_REMEMBERED = 4
"""Manifests that are remembered: they never change."""
_MISSING = "404.html"


class Reader:
    """What one process knows of the editions: which is shown, for some seconds, and the pages of some."""

    def __init__(self, app: App) -> None:
        self.editions = Editions(app.blobs, app.clock)
        self._shown: Cached[str, Shown] = Cached(app.clock, _FRESH, self._read, what="edition")
        self._manifests: OrderedDict[str, Manifest] = OrderedDict()

    async def pages(self) -> Manifest:
        """The pages of the edition that is shown. No storage call, as a rule.

        Raises:
            UnknownEditionError: there is none yet.
        """
        edition_id = (await self._shown.get("current")).current
        try:
            return await self._manifest(edition_id)
        except UnknownEditionError:  # it was shown a moment ago, and is purged
            return await self._manifest(self.saw((await self.editions.shown()).value).current)

    def saw(self, shown: Shown) -> Shown:
        """Remember what is shown now."""
        return self._shown.put("current", shown)

    async def _read(self, _: str) -> Shown:
        return (await self.editions.shown()).value

    async def _manifest(self, edition_id: str) -> Manifest:
        if edition_id not in self._manifests:
            self._manifests[edition_id] = await self.editions.manifest(edition_id)
            if len(self._manifests) > _REMEMBERED:
                self._manifests.popitem(last=False)
        return self._manifests[edition_id]


@lru_cache(maxsize=4)
def reader_of(app: App) -> Reader:
    """What this process knows of an app's editions."""
    return Reader(app)


async def answer(app: App, call: Call) -> Answer:
    """A page; where there is no such page, the one that says so. One storage call, none where the client holds it."""
    if not call.path.get("path") and not urlsplit(call.url).path.endswith("/"):
        return Answer(308, headers={**_HEADERS, "Location": "site/"})  # pages look for others beside themselves
    reader = reader_of(app)
    try:
        pages = await reader.pages()
    except UnknownEditionError:
        raise Problem(404, "Not found", "nothing has been published yet") from None
    path = unquote(call.path.get("path", "")).strip("/") or "index.html"
    if path in pages:
        return await _page(reader, pages[path], 200, call.if_none_match)
    if _MISSING in pages and "text/html" in call.headers.get("accept", "text/html"):
        return await _page(reader, pages[_MISSING], 404, None)
    raise Problem(404, "Not found", "the site has no such page")


async def _page(reader: Reader, page: Page, status: int, if_none_match: str | None) -> Answer:
    tag = quoted(page.sha256)
    headers = {**_HEADERS, "ETag": tag}
    if if_none_match and matches(if_none_match, tag):
        return Answer(304, headers=headers)
    data = await reader.editions.page(page)
    if data is None:
        raise Problem(503, "A page is missing", "the site was changed at this moment: try again", retry_after=1)
    return Answer(status, data, headers, page.content_type)
