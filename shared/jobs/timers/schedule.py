"""NCRONTAB, the schedules of the Functions host: six fields with seconds first, or five without.

The arithmetic is cronsim's; what the host reads otherwise is put right here. The day of the month and the day of the week
must both match, wherever both are given; days of the week go from 0 (Sunday) to 6; there is no `L`, `W`, `#` or `?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from itertools import islice, pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cronsim import CronSim

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_EVERY_DAY = "0-6"
_LAST = (59, 59, 23, 31, 12, 6)
"""The last value of each field."""
_SAMPLE = 10


class ScheduleError(ValueError):
    """The schedule is not an NCRONTAB expression."""


class Schedule:
    """An NCRONTAB expression in a time zone. Moments that come out are aware, in UTC, whole seconds.

    Example:
        >>> Schedule("0 30 3 * * Mon").after(datetime(2026, 1, 1, tzinfo=UTC))
        datetime.datetime(2026, 1, 5, 3, 30, tzinfo=datetime.timezone.utc)
    """

    def __init__(self, expression: str, zone: tzinfo = UTC) -> None:
        """Read an expression; ScheduleError where the host would not take it."""
        self.expression = " ".join(each for each in expression.split(" ") if each)
        self._fields = _six_fields(expression)
        self._zone = zone
        self._simulate(datetime(2000, 1, 1, tzinfo=UTC))

    def after(self, moment: datetime) -> datetime | None:
        """The first occurrence after a moment; None if there is none within 50 years."""
        return next(self._moments(moment), None)

    def before(self, moment: datetime) -> datetime | None:
        """The last occurrence before a moment; None if there is none within 50 years."""
        return next(self._moments(moment, reverse=True), None)

    def latest(self, moment: datetime) -> datetime | None:
        """The last occurrence at or before a moment."""
        return self.before(moment + timedelta(microseconds=1))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Every occurrence after one moment, up to and including another, in order; reckoned as far as it is read."""
        for found in self._moments(after):
            if found > until:
                return
            yield found

    def __contains__(self, moment: datetime) -> bool:
        """Whether a moment is an occurrence."""
        return self.latest(moment) == moment

    @cached_property
    def words(self) -> str:
        """The schedule in words, such as "At 09:00 on Monday"."""
        return _words(self._fields)

    @property
    def is_monitored(self) -> bool:
        """Whether the host keeps its state: it does so for schedules that fire at most once a minute."""
        occurrences = islice(self._moments(datetime.now(UTC)), _SAMPLE)
        return all(later - earlier >= timedelta(minutes=1) for earlier, later in pairwise(occurrences))

    def _moments(self, start: datetime, *, reverse: bool = False) -> Iterator[datetime]:
        try:
            for found in self._simulate(start.astimezone(self._zone), reverse=reverse):
                yield found.astimezone(UTC)
        except OverflowError:  # the end of the calendar
            return

    def _simulate(self, start: datetime, *, reverse: bool = False) -> CronSim:
        from cronsim import CronSim, CronSimError

        try:
            simulation = CronSim(self._fields, start, reverse=reverse)
        except CronSimError as error:
            raise ScheduleError(f"{self.expression!r}: {error}") from None
        simulation.day_and = True
        return simulation


def _six_fields(expression: str) -> str:
    """Write an expression with numbers only, and its seconds. Blanks separate fields, and no other white space does."""
    fields = [field for field in expression.split(" ") if field]
    if len(fields) == 5:
        fields.insert(0, "0")
    if len(fields) != 6:
        raise ScheduleError(f"{expression!r} has {len(fields)} fields instead of six (or five, without seconds)")
    fields[4] = _numbers(fields[4], _MONTHS, 1)
    fields[5] = _numbers(fields[5], _DAYS, 0)
    for field in fields:
        if not re.fullmatch(r"[0-9*,/-]+", field):
            raise ScheduleError(f"{expression!r}: {field!r} is not a field of NCRONTAB")
    if re.search(r"(?<![\d/])0*7(?!\d)", fields[5]):
        raise ScheduleError(f"{expression!r}: days of the week go from 0 (Sunday) to 6")
    fields = [
        ",".join(_term(term, last) for term in field.split(",")) for field, last in zip(fields, _LAST, strict=True)
    ]
    fields[5] = fields[5].replace("*", _EVERY_DAY)  # to cronsim a step over the days of the week ends on a Sunday
    return " ".join(fields)


def _term(term: str, last: int) -> str:
    """One term of a field, as the host understands it.

    A range that is written backwards is the same one written forwards, and one of a single value is that value, whatever its step. A value
    with a step goes on to the end of the field. A step of nothing is a step of one.
    """
    base, slash, every = term.partition("/")
    if slash and not every.isdecimal():
        return term  # an error, which cronsim names
    first, dash, end = base.partition("-")
    if slash and first.isdecimal() and not dash:
        dash, end = "-", str(last)
    if dash and first.isdecimal() and end.isdecimal():
        low, high = sorted((int(first), int(end)))
        if low == high:
            return str(low)
        base = f"{low}-{high}"
    return f"{base}/{max(int(every), 1)}" if slash else base


def _numbers(field: str, names: tuple[str, ...], first: int) -> str:
    """Replace the names in a field, of at least three letters, by their numbers."""

    def number(match: re.Match[str]) -> str:
        word = match[0].lower()
        found = [index for index, name in enumerate(names) if len(word) > 2 and name.startswith(word)]
        return str(found[0] + first) if found else match[0]

    return re.sub(r"[A-Za-z]+", number, field)


def _words(fields: str) -> str:
    """In words; where both day fields are given, the second is told as the condition that it is."""
    *times, day, month, weekday = fields.split()
    if weekday == _EVERY_DAY:
        return _explained(*times, day, month, "*")
    if day == "*":
        return _explained(*times, "*", month, weekday)
    condition = _explained("0", "0", "0", "*", "*", weekday).removeprefix("At 00:00 ")
    return f"{_explained(*times, day, month, '*')}, but only {condition}"


def _explained(*fields: str) -> str:
    from cronsim.explain import Expression

    return str(Expression(list(fields)).explain())
