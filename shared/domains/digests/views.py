"""How digests look from outside, and what is said of them."""

from __future__ import annotations

from typing import Literal, NotRequired

from pydantic import BaseModel, ConfigDict, JsonValue, with_config
from typing_extensions import TypedDict

from shared.domains.digests.store import Record
from shared.domains.digests.weeks import digest_id
from shared.domains.users.public import Identifier

_CLOSED = ConfigDict(extra="forbid")


class SuggestionFeedback(BaseModel):
    """The body of `POST /api/digests/{digest_id}/feedback`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    item_id: Identifier
    signal: Literal["up", "down"]


@with_config(_CLOSED)
class RecordView(TypedDict):
    """What became of a user's digest of a week."""

    digest_id: str
    week: str
    state: Literal["made", "skipped"]
    until: str
    suggestions: int
    reason: NotRequired[str]
    detail: NotRequired[str]


@with_config(_CLOSED)
class RecordPage(TypedDict):
    """One page of digests, the newest week first."""

    items: list[RecordView]
    cursor: str | None


@with_config(ConfigDict(extra="allow"))
class DigestView(TypedDict):
    """A digest; docs/reference/digests.md tells its fields."""

    digest_id: str
    user_id: str
    week: str
    suggestions: list[dict[str, JsonValue]]
    moods: list[dict[str, JsonValue]]
    feedback: dict[str, JsonValue]


@with_config(_CLOSED)
class FeedbackView(TypedDict):
    """Feedback that was taken."""

    digest_id: str
    item_id: str
    signal: Literal["up", "down"]


def record_view(record: Record) -> RecordView:
    """What became of a digest."""
    view: RecordView = {
        "digest_id": digest_id(record.user_id, record.week),
        "week": record.week,
        "state": "made" if record.made else "skipped",
        "until": record.until,
        "suggestions": record.suggestions,
    }
    if record.reason:
        view["reason"] = record.reason
    if record.detail:
        view["detail"] = record.detail
    return view
