"""ISO weeks, and the names of what belongs to one. Weeks are of UTC: one night's work makes one week's digests."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from shared.domains.digests.containers import PAGES

WEEK = re.compile(r"\d{4}-W(0[1-9]|[1-4]\d|5[0-3])")
_SEPARATOR = "~"
"""No id of a user has one."""


def week_of(moment: datetime) -> str:
    """The ISO week of a moment, in UTC: `2026-W47`."""
    year, week, _ = moment.astimezone(UTC).isocalendar()
    return f"{year:04d}-W{week:02d}"


def monday_of(week: str) -> date:
    """The first day of a week; ValueError where the year has no such week."""
    return date.fromisocalendar(int(week[:4]), int(week[6:]), 1)


def is_week(text: str) -> bool:
    """Whether a text names a week that there is."""
    if not WEEK.fullmatch(text):
        return False
    try:
        monday_of(text)
    except ValueError:
        return False
    return True


def digest_id(user_id: str, week: str) -> str:
    """The id of the one digest of a user and a week: one segment of a path."""
    return f"{user_id}{_SEPARATOR}{week}"


def split_digest_id(text: str) -> tuple[str, str] | None:
    """User and week of a digest's id; None where it is none."""
    user_id, separator, week = text.partition(_SEPARATOR)
    return (user_id, week) if separator and user_id and is_week(week) else None


def json_name(user_id: str, week: str) -> str:
    """The blob of a digest's data."""
    return f"{folder_of(user_id)}{week}.json"


def page_name(user_id: str, week: str) -> str:
    """The blob of a digest's page."""
    return f"{folder_of(user_id)}{week}.html"


def folder_of(user_id: str) -> str:
    """What the names of all of a user's blobs begin with."""
    return f"{PAGES}{user_id}/"
