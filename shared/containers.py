"""Containers of documents: how one is declared, and the engine's own.

A domain declares what it keeps in ``shared/domains/<name>/containers.py``, each container with why its partition key cannot grow
without bound. Every document carries its partition key as ``pk``; ``infra`` makes each container with the path ``/pk``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self


class Container(str):
    """A container of documents: its name, of which properties an index is kept (each costs every write), and whose it is."""

    __slots__ = ("holds", "indexed", "of_user", "unindexed")
    holds: str
    of_user: bool
    indexed: tuple[str, ...] | None
    unindexed: tuple[str, ...]

    def __new__(
        cls, name: str, holds: str, *,
        unindexed: Iterable[str] = (), indexed: Iterable[str] | None = None, of_user: bool = False,
    ) -> Self:  # fmt: skip
        """Declare a container.

        Args:
            name: as the document store knows it.
            holds: what is kept there, what `pk` is, and so why no partition grows without bound.
            unindexed: paths that no query asks for, as Cosmos DB's indexing policy writes them: ``/text/?`` for a plain value,
                ``/history/*`` for others.
            indexed: instead, the names of all properties that queries do ask for, beside ``id``.
            of_user: whether its partition key is the id of a user, with whom the partition is deleted.
        """
        self = super().__new__(cls, name)
        self.holds = holds
        self.unindexed = tuple(unindexed)
        self.indexed = None if indexed is None else tuple(indexed)
        self.of_user = of_user
        return self


class Artifacts(str):
    """What the names begin with of blobs that a domain's jobs write; they go after `RETENTION_ARTIFACT_DAYS`."""

    __slots__ = ("holds", "of_user")
    holds: str
    of_user: bool

    def __new__(cls, prefix: str, holds: str, *, of_user: bool = False) -> Self:
        """Declare artifacts.

        Args:
            prefix: what the names begin with.
            holds: what they are.
            of_user: whether the id of a user and a slash come next, so that the blobs are deleted with the user.

        Raises:
            ValueError: the engine's own blobs, below ``jobs/``, would go with them.
        """
        if prefix.startswith(_JOBS) or _JOBS.startswith(prefix):
            raise ValueError(f"artifacts may not be where the engine's own blobs are: {prefix!r}")
        self = super().__new__(cls, prefix)
        self.holds = holds
        self.of_user = of_user
        return self


_JOBS = "jobs/"

JOBS = Container(
    "jobs",
    "The index of jobs, a projection of the status blobs. `pk` = job id: one small document per partition.",
    indexed=("created_at", "discarded_at", "due_at", "kind", "parent_id", "status", "watch_at"),
)

DEDUPE = Container(
    "dedupe",
    "Markers of dedupe keys and of idempotency keys, gone after their TTL. `pk` = the marker's id (a hash): one per partition.",
)

DEAD_LETTERS = Container(
    "dead-letters",
    "The vault. `pk` = the dead letter's id: one document of at most some 200 KiB per partition.",
    unindexed=("/payload/*", "/history/*", "/error/*", "/message_text/?", "/replays/*"),
)

KINDS = Container(
    "kinds", "Which kinds of jobs are paused. `pk` = the kind's name: one small document for each kind that ever was."
)

OCCURRENCES = Container(
    "occurrences",
    "The ledger of timers, and one head for each. `pk` = the timer's name: one small document for each scheduled moment, gone after retention.",
)

LOCKS = Container("locks", "Leased locks with fencing tokens. `pk` = the lock's name: one tiny document per partition.")

OPERATIONS = Container(
    "operations",
    "What operating the app needs to remember (alarms that are on, statistics). `pk` = the document's id.",
    unindexed=("/kinds/*", "/calls/*", "/events/*"),
)
