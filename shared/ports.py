"""The ports: what the engine and the domains ask of the outside world.

An adapter satisfies a port by shape (`typing.Protocol`), and ``tests/contract`` runs one suite over every adapter of
each port. Errors are part of the contract: an adapter translates what its SDK raises into the exceptions of this module
and lets nothing else of the SDK through.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar

Document = dict[str, Any]
"""A JSON object with ``id`` and ``pk`` (partition key), both strings. Names that start with ``_`` are the store's own."""


T_co = TypeVar("T_co", covariant=True)


class Versioned(NamedTuple, Generic[T_co]):
    """A value as it is stored, with the ETag under which it may be replaced."""

    value: T_co
    etag: str
    written_at: datetime | None = None
    """When it was written, by the service's clock; None where that is not known."""


class StorageError(Exception):
    """The storage service failed, or did not answer: the call may or may not have taken effect."""


class PreconditionError(StorageError):
    """The condition of a write did not hold: somebody else wrote first, or what must exist does not."""


class AlreadyExistsError(PreconditionError):
    """What was to be created exists already."""


class TagsRefusedError(StorageError):
    """The service did not take a call because of its tags: not in this account, or not for this identity.

    An account with a hierarchical namespace knows no tags, and writing or finding them needs rights of their own. A service
    that refuses the call for another reason may answer alike: what counts is whether the same write passes without tags.
    """


class TooLargeError(StorageError):
    """The item is larger than the service takes; sending it again cannot help."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob's content with the ETag and the service's own time of its last change (UTC)."""

    data: bytes
    etag: str
    last_modified: datetime


@dataclass(frozen=True, slots=True)
class BlobInfo:
    """One row of a blob listing."""

    name: str
    etag: str
    last_modified: datetime
    metadata: Mapping[str, str]
    size: int = 0
    """Bytes of its content."""


@dataclass(frozen=True, slots=True)
class BlobPage:
    """One page of a listing; `cursor` is what asks for the next, None at the end. A page may be empty and not the last."""

    items: list[BlobInfo] = field(default_factory=list)
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class TaggedBlob:
    """A blob that was found by a tag: its name, and the tag's value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TagPage:
    """One page of what was found by a tag; `cursor` as in `BlobPage`."""

    items: list[TaggedBlob] = field(default_factory=list)
    cursor: str | None = None


class BlobStore(Protocol):
    """One container of blobs. Names are ``/``-separated paths. Every write is atomic.

    Metadata is listed with a blob's name; tags are indexed: blobs are found by them in time that grows with what is found.
    A write sets both anew, so that what is written without tags has none. At most ten tags; their names (1 to 128
    characters) and values (up to 256) take letters, digits, blanks and ``+ - . / : = _``, else ValueError.
    """

    async def read(self, name: str) -> Blob | None:
        """Return the blob, or None where there is none."""
        ...

    async def create(
        self, name: str, data: bytes, metadata: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None
    ) -> str:
        """Create a blob and return its ETag; AlreadyExistsError if the name is taken, TagsRefusedError for its tags."""
        ...

    async def replace(
        self,
        name: str,
        data: bytes,
        etag: str,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Replace content, metadata and tags if the ETag still matches; return the new ETag.

        PreconditionError if it does not match, TagsRefusedError for the tags.
        """
        ...

    async def delete(self, name: str, etag: str | None = None) -> bool:
        """Delete a blob; False where there was none. With an ETag: if it still matches, else PreconditionError."""
        ...

    def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield every blob whose name starts with the prefix, by name, one storage call for each 5,000."""
        ...

    async def list_page(self, prefix: str, cursor: str | None = None, limit: int = 5000) -> BlobPage:
        """Return up to `limit` (at most 5,000) of the blobs whose names start with the prefix, by name.

        A cursor can be kept for a later process: it stands for a place in the order of names.
        """
        ...

    async def find(self, tag: str, at_most: str, cursor: str | None = None, limit: int = 5000) -> TagPage:
        """Return up to `limit` (at most 5,000) of the blobs whose `tag` has a value of `at_most` or less, as strings.

        The order is the service's own: whoever needs one sorts. The service's index follows the writes with a lag, of
        seconds as a rule: what was just written may be missing, and what is found may have changed since. So whoever acts on
        a blob reads it first. TagsRefusedError where there is no such index, or no right to ask it.
        """
        ...

    async def upload_address(self, name: str, until: datetime) -> str:
        """An address to which whoever has it may put this one blob, until that moment: with `PUT`, and the header `x-ms-blob-type: BlockBlob`.

        Makes a missing container. The address is a secret as long as it holds.
        """
        ...


class OwnBlobs(BlobStore, Protocol):
    """A blob store that whoever opened it closes; its connections belong to the event loop that uses them."""

    async def close(self) -> None:
        """Close its connections."""
        ...


class Containers(Protocol):
    """Containers of blobs by name, of the app's storage account and of others: where content comes from and goes to.

    A container that is missing is empty, and is made by the first write.
    """

    def __call__(self, name: str, account: str | None = None, key: str | None = None) -> BlobStore:
        """Open one, or hand out again what was opened before. Nothing is sent.

        Args:
            name: the container's name.
            account: the storage account's name; None for the app's own.
            key: the account's key; None: by the app's identity.

        Raises:
            ValueError: no account or container can have such a name.
        """
        ...


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message received or peeked at by hand (the sweep does so on poison queues; the host receives all others)."""

    message_id: str
    pop_receipt: str
    """What deletes it; empty where it was only peeked at."""
    text: str
    inserted_at: datetime
    dequeue_count: int


class MessageQueues(Protocol):
    """All queues of one storage account. Text travels as the queue holds it: encoding is the engine's affair."""

    async def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        """Put a message that never expires, invisible for `delay` (at most seven days); makes a missing queue.

        TooLargeError above 64 KiB of text.
        """
        ...

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        """Receive up to `limit` (at most 32) messages, hidden for `hide`; empty where the queue is missing."""
        ...

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        """Return up to 32 visible messages without hiding them; empty where the queue is missing."""
        ...

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        """Delete a received message; False where it is gone or was received again by somebody else."""
        ...

    async def depth(self, queue: str) -> int:
        """The approximate number of messages, invisible ones included; 0 where the queue is missing."""
        ...


Operator = Literal["=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Where:
    """One comparison of a query: a top-level property with a string or a number."""

    name: str
    op: Operator
    value: str | int | float | bool


@dataclass(frozen=True, slots=True)
class Query:
    """A question to one container: comparisons that must all hold, in the order of one property.

    `order_by` names a property whose values are strings, unique in the container: that is what makes the cursor of a
    page (the last value seen) exact, whatever is written between two pages.
    """

    where: tuple[Where, ...] = ()
    order_by: str = "id"
    descending: bool = False
    limit: int = 100
    partition: str | None = None
    after: str | None = None
    """Only what comes after this value of `order_by` in the order asked for: the cursor of the page before."""
    fields: tuple[str, ...] | None = None
    """Only these properties, those that a document has of them, and `order_by`; None for whole documents.

    What a query costs in Cosmos DB grows with what it returns: who looks at two properties asks for two.
    """


@dataclass(frozen=True, slots=True)
class Page:
    """One page of answers; `cursor` is what to pass as `Query.after` for the next, None at the end."""

    items: list[Document] = field(default_factory=list)
    cursor: str | None = None


class DocumentStore(Protocol):
    """Containers of JSON documents, each addressed by partition key and id.

    Documents may carry ``ttl`` (whole seconds after the last write, Cosmos DB's meaning). Deletion lags: a reader must
    treat what has expired as absent by a timestamp of its own.
    """

    async def read(self, container: str, pk: str, id: str) -> Versioned[Document] | None:
        """Return the document and its ETag, or None."""
        ...

    async def create(self, container: str, document: Document) -> str:
        """Create the document and return its ETag; AlreadyExistsError if partition and id are taken."""
        ...

    async def replace(self, container: str, document: Document, etag: str) -> str:
        """Replace the document if the ETag still matches; return the new one, else PreconditionError (also if missing)."""
        ...

    async def put_newer(self, container: str, document: Document) -> bool:
        """Write the document unless the stored one has the same or a higher ``version`` (a number); say if it wrote.

        Atomic against every concurrent writer. One write call where the document exists or its version is 1.
        """
        ...

    async def delete(self, container: str, pk: str, id: str, etag: str | None = None) -> bool:
        """Delete the document; False where there was none, PreconditionError where the ETag given is stale."""
        ...

    async def query(self, container: str, query: Query) -> Page:
        """Return one page of documents."""
        ...


class Clock(Protocol):
    """The time, as a port, so that tests can turn it."""

    def now(self) -> datetime:
        """The present moment, aware, in UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


# --- what every adapter takes and refuses alike ------------------------------------------------------------------

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_ID = re.compile(r"[^/\\?#\r\n]{0,254}[^/\\?#\r\n ]")
_TAG_NAME = re.compile(r"[A-Za-z0-9 +\-./:=_]{1,128}")
_TAG_VALUE = re.compile(r"[A-Za-z0-9 +\-./:=_]{0,256}")
_MOST_TAGS = 10


def checked_name(name: str) -> str:
    """A property's name, which goes into the text of a query: only letters, digits and underscores.

    Raises:
        ValueError: if it has anything else in it.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"not the name of a property: {name!r}")
    return name


def checked_id(id: str) -> str:
    r"""A document's id: what Cosmos DB takes, so that what works on one machine works in Azure.

    Raises:
        ValueError: if it is empty, has more than 255 characters or one of ``/ \ ? #``, or ends with a space.
    """
    if not _ID.fullmatch(id):
        raise ValueError(f"not the id of a document: {id!r}")
    return id


def names_of(query: Query) -> tuple[str, ...] | None:
    """The properties that a query's documents come with, each once; None for all.

    Raises:
        ValueError: if one is not the name of a property.
    """
    return None if query.fields is None else tuple(map(checked_name, dict.fromkeys((*query.fields, query.order_by))))


def projected(document: Document, names: tuple[str, ...] | None) -> Document:
    """The document with only these properties."""
    return document if names is None else {name: document[name] for name in names if name in document}


def page(documents: list[Document], query: Query) -> Page:
    """One page out of up to `limit` + 1 documents: the one too many says that there are more."""
    items = documents[: query.limit]
    cursor: Any = items[-1][query.order_by] if len(documents) > query.limit and items else None
    return Page(items, cursor)


def checked_tags(tags: Mapping[str, str] | None) -> dict[str, str] | None:
    """Tags as the service takes them; None where there are none.

    Raises:
        ValueError: if there are too many, or if a name or a value has what the service does not take.
    """
    if not tags:
        return None
    if len(tags) > _MOST_TAGS:
        raise ValueError(f"{len(tags)} tags; {_MOST_TAGS} is the limit")
    for name, value in tags.items():
        checked_tag(name, value)
    return dict(tags)


def checked_tag(name: str, value: str) -> None:
    """Refuse what cannot be a tag: neither then holds a quote, and both can go into an expression.

    Raises:
        ValueError: if the name or the value has what the service does not take.
    """
    if not _TAG_NAME.fullmatch(name) or not _TAG_VALUE.fullmatch(value):
        raise ValueError(f"not a tag: {name!r} with the value {value!r}")
