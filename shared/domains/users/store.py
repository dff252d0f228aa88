"""Users and wardrobes in the document store: one partition for each user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from pydantic import BaseModel

from shared.domains.users.containers import USERS
from shared.domains.users.model import (
    MOST_DOCUMENTS,
    USER,
    WARDROBE,
    Owned,
    OwnedSettings,
    User,
    UserSettings,
    owned_document,
    owned_id,
    user_document,
)
from shared.ports import Clock, Document, DocumentStore, Query, Where
from shared.storage import compare_and_swap, every, iso, write

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Household:
    """All that one partition holds: the user, what they own, and the ids of the sources that they follow."""

    user: User
    wardrobe: tuple[Owned, ...] = ()
    follows: frozenset[str] = frozenset()


class UserStore:
    """One user at a time, and all of them in the order of their ids."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    @compare_and_swap("the user")
    async def put(self, user_id: str, settings: UserSettings) -> tuple[User, bool]:
        """Store a user's settings; return the user, and whether they are new. Writes nothing where nothing changes."""
        found = await self._documents.read(USERS, user_id, user_id)
        if found and _same(found.value, settings):
            return User.from_document(found.value), False
        now = iso(self._clock.now())
        document = user_document(user_id, settings, found.value["created_at"] if found else now, now)
        await write(self._documents, USERS, document, found)
        return User.from_document(document), found is None

    async def get(self, user_id: str) -> User | None:
        """Return a user, or None."""
        found = await self._documents.read(USERS, user_id, user_id)
        return User.from_document(found.value) if found else None

    async def page(self, limit: int, cursor: str | None = None) -> tuple[list[User], str | None]:
        """One page of users in the order of their ids, and the cursor of the next. One storage call."""
        query = Query((Where("kind", "=", USER),), order_by="sort", limit=limit, after=cursor)
        page = await self._documents.query(USERS, query)
        return [User.from_document(each) for each in page.items], page.cursor

    async def all(self, page: int = 1000) -> AsyncIterator[User]:
        """Yield every user in the order of their ids. One storage call for each thousand."""
        query = Query((Where("kind", "=", USER),), order_by="sort", limit=page)
        async for document in every(self._documents, USERS, query):
            yield User.from_document(document)

    async def household(self, user_id: str) -> Household | None:
        """Return a user with all that is theirs, or None. One storage call for each 200 pieces and subscriptions."""
        documents = [each async for each in self._partition(user_id, MOST_DOCUMENTS)]
        user = next((User.from_document(each) for each in documents if each["id"] == user_id), None)
        user = user or (await self.get(user_id) if len(documents) >= MOST_DOCUMENTS else None)
        if user is None:
            return None
        wardrobe = tuple(Owned.from_document(each) for each in documents if each.get("kind") == WARDROBE)
        # Subscriptions are others' documents (`shared.domains.sources`): a source's id is all that is relied on.
        follows = frozenset(str(each["source_id"]) for each in documents if "source_id" in each)
        return Household(user, wardrobe, follows)

    async def forget(self, user_id: str) -> None:
        """Delete a user and all of their partition, subscriptions too. Safe to repeat; if it fails, repeat it.

        The user's own document goes first: from then on nothing is made for them.
        """
        await self._documents.delete(USERS, user_id, user_id)
        async for document in self._partition(user_id):
            await self._documents.delete(USERS, user_id, document["id"])

    @compare_and_swap("the piece")
    async def own(self, user_id: str, item_id: str, settings: OwnedSettings) -> tuple[Owned, bool]:
        """Store a piece of a wardrobe; return it, and whether it is new. Writes nothing where nothing changes."""
        found = await self._documents.read(USERS, user_id, owned_id(item_id))
        if found and _same(found.value, settings):
            return Owned.from_document(found.value), False
        document = owned_document(user_id, item_id, settings, iso(self._clock.now()))
        await write(self._documents, USERS, document, found)
        return Owned.from_document(document), found is None

    async def owned(self, user_id: str, item_id: str) -> Owned | None:
        """Return a piece of a wardrobe, or None."""
        found = await self._documents.read(USERS, user_id, owned_id(item_id))
        return Owned.from_document(found.value) if found else None

    async def disown(self, user_id: str, item_id: str) -> None:
        """Take a piece out of a wardrobe."""
        await self._documents.delete(USERS, user_id, owned_id(item_id))

    async def wardrobe(self, user_id: str, limit: int, cursor: str | None = None) -> tuple[list[Owned], str | None]:
        """One page of a wardrobe in the order of its items' ids, and the cursor of the next. One storage call."""
        after = owned_id(cursor) if cursor else None
        query = Query((Where("kind", "=", WARDROBE),), limit=limit, partition=user_id, after=after)
        page = await self._documents.query(USERS, query)
        pieces = [Owned.from_document(each) for each in page.items]
        return pieces, pieces[-1].item_id if page.cursor else None

    def _partition(self, user_id: str, most: int | None = None) -> AsyncIterator[Document]:
        return every(self._documents, USERS, Query(limit=_PAGE, partition=user_id), most)


def _same(document: Document, settings: BaseModel) -> bool:
    wanted = settings.model_dump(mode="json")
    return {name: document.get(name) for name in wanted} == wanted
