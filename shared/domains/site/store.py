"""Articles in the document store: one for each address, whatever sources find it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from shared.domains.site.containers import ARTICLES
from shared.domains.site.model import Article, Source
from shared.ports import Clock, DocumentStore, Query
from shared.storage import compare_and_swap, every, iso, write

_PAGE = 200


class ArticleStore:
    """Articles by id, and the newest."""

    def __init__(self, documents: DocumentStore, clock: Clock, keep: timedelta) -> None:
        self._documents = documents
        self._clock = clock
        self._keep = keep

    async def get(self, article_id: str) -> Article | None:
        """An article, or None. One storage call."""
        found = await self._documents.read(ARTICLES, article_id, article_id)
        return Article.from_document(found.value) if found and found.value["expires_at"] > self._now() else None

    async def put(self, article: Article) -> None:
        """Write an article; of one that is there already, the place and the sources stay. Two storage calls."""
        await self._change(article.article_id, article.beside)

    async def found_in(self, article_id: str, source: Source) -> bool:
        """Write that an article was found there too; False where there is no such article. One storage call, or two."""
        return await self._change(article_id, lambda before: before and before.found_in(source))

    @compare_and_swap("the article")
    async def _change(self, article_id: str, change: Callable[[Article | None], Article | None]) -> bool:
        found = await self._documents.read(ARTICLES, article_id, article_id)
        alive = found is not None and found.value["expires_at"] > self._now()
        before = Article.from_document(found.value) if found and alive else None
        after = change(before)
        if after is not None and after != before:
            await write(self._documents, ARTICLES, self._document(after), found)
        return after is not None

    async def newest(self, most: int) -> list[Article]:
        """The newest articles, newest first. One storage call for each two hundred."""
        query = Query(order_by="sort", descending=True, limit=min(_PAGE, most))
        now, found = self._now(), []
        async for document in every(self._documents, ARTICLES, query):
            if document["expires_at"] > now:
                found.append(Article.from_document(document))
            if len(found) == most:
                break
        return found

    def _document(self, article: Article) -> dict[str, object]:
        expires_at = self._clock.now() + self._keep
        return article.to_document() | {"ttl": int(self._keep.total_seconds()), "expires_at": iso(expires_at)}

    def _now(self) -> str:
        return iso(self._clock.now())
