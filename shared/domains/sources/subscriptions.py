"""Who follows which source: a small document for each, in the partition of its user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

from shared.domains.users.public import USERS
from shared.ports import AlreadyExistsError, Clock, Document, DocumentStore, Query, Where
from shared.storage import every, iso

SUBSCRIPTION = "subscription"
"""What these documents say that they are."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Subscription:
    """One source that a user follows."""

    user_id: str
    source_id: str
    since: str
    """ISO 8601, UTC."""


class Subscriptions:
    """The sources that users follow."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def add(self, user_id: str, source_id: str) -> bool:
        """Follow a source; False where the user does already. One storage call."""
        document = {
            "id": _id(source_id),
            "pk": user_id,
            "kind": SUBSCRIPTION,
            "source_id": source_id,
            "since": iso(self._clock.now()),
        }
        with suppress(AlreadyExistsError):
            await self._documents.create(USERS, document)
            return True
        return False

    async def remove(self, user_id: str, source_id: str) -> bool:
        """Follow it no longer; False where the user did not. One storage call."""
        return await self._documents.delete(USERS, user_id, _id(source_id))

    async def of(self, user_id: str) -> AsyncIterator[Subscription]:
        """Yield what a user follows, by source. One storage call for each hundred."""
        query = Query((Where("kind", "=", SUBSCRIPTION),), limit=_PAGE, partition=user_id)
        async for document in every(self._documents, USERS, query):
            yield _subscription(document)

    async def page(self, user_id: str, limit: int, cursor: str | None = None) -> tuple[list[Subscription], str | None]:
        """One page of what a user follows, and the cursor of the next."""
        where = (Where("kind", "=", SUBSCRIPTION),)
        page = await self._documents.query(USERS, Query(where, limit=limit, partition=user_id, after=cursor))
        return [_subscription(each) for each in page.items], page.cursor


def _subscription(document: Document) -> Subscription:
    return Subscription(document["pk"], document["source_id"], document["since"])


def _id(source_id: str) -> str:
    return f"{SUBSCRIPTION}:{source_id}"
