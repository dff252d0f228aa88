"""What the site's routes take and answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, Uuid
from shared.domains.site.editions import Edition, Shown

_CLOSED = ConfigDict(extra="forbid")


class GoBack(BaseModel):
    """How to go back to an edition."""

    model_config = ConfigDict(extra="forbid")

    hold: bool = Field(
        default=True,
        description="Whether it stays shown whatever is collected, until somebody publishes by hand; else until the next publication.",
    )


@with_config(_CLOSED)
class EditionView(TypedDict):
    """One edition."""

    edition_id: str
    made_at: Moment
    job_id: Uuid
    items: int
    pages: int
    written: int
    current: bool


@with_config(_CLOSED)
class EditionsView(TypedDict):
    """The editions that are kept, the newest first."""

    current: str | None
    held: bool
    items: list[EditionView]


def editions_view(shown: Shown) -> EditionsView:
    """What is shown, and what can be gone back to."""
    return {
        "current": shown.current or None,
        "held": shown.held,
        "items": [edition_view(each, shown) for each in shown.editions],
    }


def edition_view(edition: Edition, shown: Shown) -> EditionView:
    """One edition."""
    return {
        "edition_id": edition.edition_id,
        "made_at": edition.made_at,
        "job_id": edition.job_id,
        "items": edition.items,
        "pages": edition.pages,
        "written": edition.written,
        "current": edition.edition_id == shown.current,
    }
