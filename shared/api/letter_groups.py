"""Dead letters by what they look like: one line for each fingerprint."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import ErrorView, Moment, Uuid
from shared.jobs.dead_letters.vault import DeadLetter, Filter, Vault
from shared.storage import iso

_PAGE, _MOST = 100, 500
"""Dead letters of one query, and of all queries together, that one answer looks at: the newest."""
_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class LetterGroupView(TypedDict):
    """Dead letters that look alike. `error` and `example_id` are of the newest."""

    fingerprint: str
    kind: NotRequired[str]
    queue: str
    reasons: list[str]
    error: ErrorView
    count: int
    newest: Moment
    oldest: Moment
    example_id: Uuid


@with_config(_CLOSED)
class LetterGroupList(TypedDict):
    """Groups, the one with the newest dead letter first; `truncated`: there are older ones that were not looked at."""

    items: list[LetterGroupView]
    looked_at: int
    truncated: bool


async def groups_of(vault: Vault, wanted: Filter) -> LetterGroupList:
    """The newest dead letters that fit, grouped: at most five queries of a hundred, however many there are."""
    letters: list[DeadLetter] = []
    cursor: str | None = None
    while len(letters) < _MOST:
        found, cursor = await vault.find(wanted, _PAGE, cursor)
        letters += found
        if cursor is None:
            break
    return {"items": grouped(letters), "looked_at": len(letters), "truncated": cursor is not None}


def grouped(letters: Iterable[DeadLetter]) -> list[LetterGroupView]:
    """Groups of dead letters that come newest first."""
    groups: dict[str, LetterGroupView] = {}
    for letter in letters:
        group = groups.setdefault(letter.fingerprint, _begun(letter))
        group["count"] += 1
        group["oldest"] = iso(letter.recorded_at)
        if letter.reason.value not in group["reasons"]:
            group["reasons"].append(letter.reason.value)
    return list(groups.values())


def _begun(newest: DeadLetter) -> LetterGroupView:
    error = newest.error
    group: LetterGroupView = {
        "fingerprint": newest.fingerprint,
        "queue": newest.queue,
        "reasons": [],
        "error": {"type": error.type, "message": error.message, "attempt": error.attempt},
        "count": 0,
        "newest": iso(newest.recorded_at),
        "oldest": iso(newest.recorded_at),
        "example_id": newest.id,
    }
    if newest.kind:
        group["kind"] = newest.kind
    return group
