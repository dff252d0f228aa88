"""Digests, the record of them, and the feedback on them.

The record of a digest is written last: what has a record has its blobs. A run that finds a record of its own moment has
nothing left to do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from shared.domains.digests.containers import DIGESTS, PAGES
from shared.domains.digests.model import Opinion
from shared.domains.digests.weeks import json_name, page_name
from shared.domains.users.public import erase
from shared.ports import AlreadyExistsError, BlobStore, Clock, Document, DocumentStore, Query, Where
from shared.storage import compare_and_swap, iso, write

RECORD, FEEDBACK = "digest", "feedback"
"""What these documents say that they are."""
MADE, SKIPPED = "made", "skipped"
_MOST_OPINIONS = 300


@dataclass(frozen=True, slots=True)
class Record:
    """What became of a user's digest of a week. Moments are text, so that they compare as they are stored."""

    user_id: str
    week: str
    state: str
    until: str
    """The moment that it was made for."""
    seen_until: str | None
    """What was first seen up to here was in a digest; None where there never was one."""
    signature: str
    """Of what was known of the user."""
    reason: str | None = None
    """Why it was skipped: a code, and in words."""
    detail: str | None = None
    fingerprint: str | None = None
    """Of the digest's data."""
    suggestions: int = 0

    @property
    def made(self) -> bool:
        """Whether there is a digest."""
        return self.state == MADE

    @classmethod
    def from_document(cls, document: Document) -> Record:
        """Read back what `to_document` made."""
        return cls(**{name: document[name] for name in cls.__slots__})

    def to_document(self, keep: timedelta) -> Document:
        """As it is stored."""
        expires_at = datetime.fromisoformat(self.until) + keep
        return {
            "id": self.week,
            "pk": self.user_id,
            "kind": RECORD,
            **asdict(self),
            "expires_at": iso(expires_at),
            "ttl": int(keep.total_seconds()),
        }


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user says of a suggestion."""

    user_id: str
    digest_id: str
    item_id: str
    signal: str
    at: datetime
    title: str
    url: str | None
    facets: dict[str, list[str]]


class DigestStore:
    """The digests of one user at a time."""

    def __init__(self, documents: DocumentStore, blobs: BlobStore, clock: Clock, keep_days: int = 365) -> None:
        self._documents = documents
        self._blobs = blobs
        self._clock = clock
        self._keep = timedelta(days=keep_days)

    async def last_two(self, user_id: str, week: str) -> list[Record]:
        """The newest two records up to a week, the newest first. One storage call."""
        return await self._records(user_id, 2, Where("id", "<=", week))

    async def latest(self, user_id: str) -> Record | None:
        """The record of the newest digest that was made, or None. One storage call."""
        found = await self._records(user_id, 1, Where("state", "=", MADE))
        return found[0] if found else None

    async def get(self, user_id: str, week: str) -> Record | None:
        """The record of a week, or None."""
        found = await self._documents.read(DIGESTS, user_id, week)
        return Record.from_document(found.value) if found and self._alive(found.value) else None

    async def page(self, user_id: str, limit: int, cursor: str | None) -> tuple[list[Record], str | None]:
        """One page of records, the newest week first, and the cursor of the next."""
        query = Query((Where("kind", "=", RECORD),), descending=True, limit=limit, partition=user_id, after=cursor)
        page = await self._documents.query(DIGESTS, query)
        return [Record.from_document(each) for each in page.items if self._alive(each)], page.cursor

    async def data(self, record: Record) -> bytes | None:
        """A digest as JSON."""
        return await self._blob(json_name(record.user_id, record.week))

    async def html(self, record: Record) -> bytes | None:
        """A digest as a page."""
        return await self._blob(page_name(record.user_id, record.week))

    async def keep(self, record: Record, data: bytes, html: bytes) -> None:
        """Store a digest, its record last. Three storage calls for a new one; repeating it changes nothing."""
        await self._put(json_name(record.user_id, record.week), data)
        await self._put(page_name(record.user_id, record.week), html)
        await self.note(record)

    async def note(self, record: Record) -> None:
        """Store a record, in place of one that was there. One storage call for a new one.

        Raises:
            PreconditionError: others kept overtaking this write.
        """
        document = record.to_document(self._keep)
        try:
            await self._documents.create(DIGESTS, document)
        except AlreadyExistsError:
            await self._overwrite(document)

    @compare_and_swap("the record")
    async def _overwrite(self, document: Document) -> None:
        await write(
            self._documents, DIGESTS, document, await self._documents.read(DIGESTS, document["pk"], document["id"])
        )

    async def opinions(self, user_id: str) -> tuple[Opinion, ...]:
        """What a user said of suggestions, the newest first. One storage call."""
        where = (Where("kind", "=", FEEDBACK),)
        query = Query(where, order_by="sort", descending=True, limit=_MOST_OPINIONS, partition=user_id)
        page = await self._documents.query(DIGESTS, query)
        return tuple(_opinion(each) for each in page.items if self._alive(each))

    @compare_and_swap("the feedback")
    async def hear(self, feedback: Feedback) -> bool:
        """Store what a user says of a suggestion; say whether taste is to hear of it.

        It is to hear of every `up`, also where the same was said before: its job may not have been submitted then. And of a
        `down` on what was liked once, which takes the liking back. The last word on an item stands.

        Raises:
            PreconditionError: others kept overtaking this write.
        """
        found = await self._documents.read(DIGESTS, feedback.user_id, _feedback_id(feedback.item_id))
        liked = feedback.signal == "up" or bool(found and found.value["liked"])
        if not found or found.value["signal"] != feedback.signal:
            await write(self._documents, DIGESTS, _feedback_document(feedback, self._keep, liked=liked), found)
        return liked

    async def forget(self, user_id: str) -> None:
        """Delete all of a user's digests and feedback. Safe to repeat; if it fails, repeat it."""
        await erase(self._documents, self._blobs, user_id, (DIGESTS, PAGES))

    async def _records(self, user_id: str, limit: int, where: Where) -> list[Record]:
        query = Query((Where("kind", "=", RECORD), where), descending=True, limit=limit, partition=user_id)
        page = await self._documents.query(DIGESTS, query)
        return [Record.from_document(each) for each in page.items if self._alive(each)]

    async def _blob(self, name: str) -> bytes | None:
        found = await self._blobs.read(name)
        return found.data if found else None

    async def _put(self, name: str, data: bytes) -> None:
        """Write a blob, whether there is one or not; leave one alone that says the same."""
        try:
            await self._blobs.create(name, data)
        except AlreadyExistsError:
            await self._overwrite_blob(name, data)

    @compare_and_swap("the digest")
    async def _overwrite_blob(self, name: str, data: bytes) -> None:
        found = await self._blobs.read(name)
        if found is None:
            await self._blobs.create(name, data)
        elif found.data != data:
            await self._blobs.replace(name, data, found.etag)

    def _alive(self, document: Document) -> bool:
        return str(document["expires_at"]) > iso(self._clock.now())


def _feedback_id(item_id: str) -> str:
    """No week is called so."""
    return f"{FEEDBACK}~{item_id}"


def _feedback_document(feedback: Feedback, keep: timedelta, *, liked: bool) -> Document:
    at = iso(feedback.at)
    return {
        "id": _feedback_id(feedback.item_id),
        "pk": feedback.user_id,
        "kind": FEEDBACK,
        "sort": f"{at}|{feedback.item_id}",
        **{name: value for name, value in asdict(feedback).items() if name not in ("user_id", "at")},
        "at": at,
        "liked": liked,
        "expires_at": iso(feedback.at + keep),
        "ttl": int(keep.total_seconds()),
    }


def _opinion(document: Document) -> Opinion:
    values = frozenset((facet, value) for facet, values in document["facets"].items() for value in values)
    return Opinion(document["item_id"], document["title"], document["signal"] == "up", values, document["url"])
