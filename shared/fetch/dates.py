"""Dates as feeds, maps and pages write them. Only shapes that are known are read: a wrong date is worse than none."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

_LONGEST = 80
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january janv ene gen", "feb february febr févr fev", "mar march mars mär mrz mrt", "apr april avr abr",
         "may mai mei mag", "jun june juin giu", "jul july juil lug", "aug august août aout ago", "sep sept september set",
         "oct october okt out ott", "nov november", "dec december déc dez dic"),
        1,
    )
    for name in names.split()
}  # fmt: skip
_HOURS = {
    "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 1, "bst": 1, "cet": 1, "met": 1, "mez": 1, "cest": 2, "mest": 2,
    "mesz": 2, "eet": 2, "eest": 3, "msk": 3, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8,
    "pdt": -7, "akst": -9, "akdt": -8, "hst": -10, "jst": 9, "kst": 9, "hkt": 8, "sgt": 8, "awst": 8, "aest": 10, "aedt": 11,
    "nzst": 12, "nzdt": 13,
}  # fmt: skip
"""Zones by name, in hours east of Greenwich. A name that stands for several zones, such as IST, is not among them."""
_TIME = r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?\s*(?P<half>[ap]\.?m\.?)?"
_ZONE = r"(?P<zone>[+-]\d\d:?\d\d|[+-]\d\d|[A-Za-z]{1,5}(?:[+-]\d\d?(?::?\d\d)?)?|\((?P<named>[A-Za-z]{1,5})\))?(?:\s*\([^()]{0,40}\))?"
_DAY = r"(?:[^\W\d_]{2,9}\.?,?\s+)?"
_SHAPES = tuple(
    re.compile(shape, re.IGNORECASE)
    for shape in (
        # 2024-09-05T10:00:00Z, 2016/6/29 15:07:41, 2024-09-05
        rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}})(?:[T\s]\s*{_TIME}\s*{_ZONE})?",
        # 20240905T100000Z
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?",
        # Thu, 05 Sep 2024 10:00:00 GMT
        rf"{_DAY}(?P<day>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s-]+(?P<name>[^\W\d_]{{3,9}})\.?,?[\s-]+(?P<year>\d{{4}}|\d\d)(?:,?\s+(?:at\s+)?{_TIME}\s*{_ZONE})?",
        # Thu Sep  5 10:00:00 GMT 2024
        rf"{_DAY}(?P<name>[^\W\d_]{{3,9}})\s+(?P<day>\d{{1,2}})\s+{_TIME}\s*{_ZONE}\s+(?P<year>\d{{4}})",
        # September 5, 2024 10:00 AM
        rf"{_DAY}(?P<name>[^\W\d_]{{3,9}})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?:,?\s+(?:at\s+)?{_TIME}\s*{_ZONE})?",
        # 2024年09月05日 10:00
        rf"(?P<year>\d{{4}})\s*[年년]\s*(?P<month>\d{{1,2}})\s*[月월]\s*(?P<day>\d{{1,2}})\s*[日일](?:\s*{_TIME}\s*{_ZONE})?",
    )
)
_PART = re.compile(r"(\d{4})(?:-(\d\d))?")
_EPOCH = re.compile(r"(\d{9,10})(?:\d{3})?(?:\.\d{1,9})?")
_FIRST, _LAST = 1, 9998
"""Years that are read: one more or less may not be there in another zone."""


def read_date(value: Any) -> datetime | None:
    """A moment in UTC; None where the text has no shape that is known.

    Read are ISO 8601 and its relatives, RFC 822 and what is written instead of it, the dates of C, of American prose and of East Asia, and
    seconds or milliseconds since 1970. Without a zone, or without a time, UTC is meant, and midnight.
    """
    text = " ".join(value.split()) if isinstance(value, str) and len(value) <= _LONGEST else ""
    try:
        if epoch := _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(epoch[1]), UTC)
        if part := _PART.fullmatch(text):
            return datetime(int(part[1]), int(part[2] or 1), 1, tzinfo=UTC)
        return next((_moment(found) for shape in _SHAPES if (found := shape.fullmatch(text))), None)
    except (ValueError, OverflowError):
        return None


def _moment(found: re.Match[str]) -> datetime | None:
    part: Callable[[str], str] = {name: text or "" for name, text in found.groupdict().items()}.get  # type: ignore[assignment]
    month = int(found["month"]) if "month" in found.re.groupindex else _MONTHS.get(found["name"].lower(), 0)
    year = int(found["year"]) + (0 if len(found["year"]) == 4 else 1900 if found["year"] >= "70" else 2000)
    zone = _zone(part("zone") or "")
    hour = _hour(int(part("hour") or 0), part("half") or "")
    if zone is None or not month or not _FIRST < year < _LAST:
        return None
    second = min(int(part("second") or 0), 59)  # a leap second is one that was
    midnight = datetime(year, month, int(found["day"]), tzinfo=zone)
    if hour == 24 and not int(part("minute") or 0):
        return (midnight + timedelta(days=1)).astimezone(UTC)
    return midnight.replace(hour=hour, minute=int(part("minute") or 0), second=second).astimezone(UTC)


def _hour(hour: int, half: str) -> int:
    """The hour of the day. With `PM`, one that is past noon already says the same twice."""
    if not half or hour > 12:
        return hour
    return hour % 12 + (12 if half.lower().startswith("p") else 0)


def _zone(written: str) -> timezone | None:
    """The zone; None for a name that is not known, or stands for several."""
    text = written.strip("()").lower()
    if not text:
        return UTC
    name = re.match(r"[a-z]*", text)
    hours = _HOURS.get(name[0]) if name and name[0] else 0
    offset = re.fullmatch(r"([+-])(\d\d?):?(\d\d)?", text[len(name[0]) if name else 0 :])
    if hours is None or (offset is None and text != (name[0] if name else "")):
        return None
    minutes = (int(offset[2]) * 60 + int(offset[3] or 0)) * (-1 if offset[1] == "-" else 1) if offset else 0
    total = timedelta(minutes=hours * 60 + minutes)
    return timezone(total) if abs(total) < timedelta(hours=24) else None
