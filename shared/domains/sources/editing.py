"""What an operator makes of a source: a new one, or another one of one that is there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.domains.sources.health import next_due
from shared.domains.sources.model import Source, SourceKind, source_id
from shared.domains.sources.requests import NewSource
from shared.jobs.errors import FieldProblem
from shared.web.requests import invalid

_OF_ONE_KIND = {"selectors": SourceKind.BRAND_SITE, "sort": SourceKind.REDDIT}
_WHAT_IS_READ = {"selectors", "sort", "currency", "tags"}
"""What changes the items that a source brings: then what its server calls unchanged is to be read all the same."""


def created(wanted: NewSource, now: datetime) -> Source:
    """A new source, due at once."""
    label = wanted.label or (f"r/{wanted.subreddit}" if wanted.subreddit else urlsplit(wanted.url or "").netloc)
    given = wanted.model_dump(exclude={"label"}, mode="json")
    return Source(
        **given, label=label, id=source_id(wanted.kind, wanted.where), created_at=now, updated_at=now, due_at=now
    )  # fmt: skip


def changed(source: Source, given: Mapping[str, Any], now: datetime) -> Source:
    """The source with what is given, and what follows from it.

    Raises:
        Problem: 422, what is given has no place in a source of its kind.
    """
    if wrong := [name for name, kind in _OF_ONE_KIND.items() if name in given and source.kind is not kind]:
        raise invalid(
            tuple(FieldProblem(name, f"has no place in a source of the kind {source.kind}") for name in wrong)
        )
    changes: dict[str, Any] = {**given, "updated_at": now}
    if "active" in given:
        changes |= {"switched_off_reason": None}
        changes |= {"failures": 0, "due_at": now} if given["active"] else {}
    if "poll_interval_seconds" in given and source.last_run and "due_at" not in changes:
        every = source.model_copy(update={"poll_interval_seconds": given["poll_interval_seconds"]})
        changes |= {"due_at": next_due(every, source.last_run.at)}
    if _WHAT_IS_READ.intersection(given):
        changes |= {"etag": None, "last_modified": None}
    return Source.model_validate({**source.model_dump(), **_plain(changes)})


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.model_dump() if hasattr(value, "model_dump") else value for name, value in changes.items()}
