"""Schedules against the cases of NCrontab, whose rules are the host's, and of Cronos, where its rules are the same."""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.jobs.timers.schedule import Schedule, ScheduleError

DATA = Path(os.environ.get("NIGHTSHIFT_DATA", Path(__file__).parents[5] / "shared" / "data")) / "cron"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no NCRONTAB cases in {DATA}: set NIGHTSHIFT_DATA")

INCLUSIVE = timedelta(microseconds=1)
SAME_RULES = {
    "GetNextOccurrence_ReturnsCorrectDate": INCLUSIVE,
    "GetNextOccurrence_ReturnsCorrectDate_WhenExpressionContains5FieldsAndInclusiveIsTrue": INCLUSIVE,
    "GetNextOccurrence_ReturnsCorrectUtcDateTimeOffset": INCLUSIVE,
    "GetNextOccurrence_ReturnsCorrectDateTimeOffset": INCLUSIVE,
    "GetNextOccurrence_ReturnsCorrectDate_When6fieldsExpressionIsUsedAndInclusiveIsFalse": timedelta(0),
    "GetNextOccurrence_ReturnsCorrectDate_WhenFromIsUtcDateTimeAndInclusiveIsFalse": timedelta(0),
    "GetNextOccurrence_ReturnsCorrectDate_WhenFromIsDateTimeOffsetAndInclusiveIsFalse": timedelta(0),
    "GetNextOccurrence_ReturnsNull_WhenCronExpressionIsUnreachable": timedelta(0),
    "GetNextOccurrence_ReturnsNull_WhenCronExpressionIsUnreachableAndFromIsDateTime": timedelta(0),
}
"""The tests of Cronos about next occurrences, and by how much sooner than `from` one may come. Those left out are about
what the host does not have: clocks put forward and back (it runs in UTC), macros, jitter and .NET's own types."""

FOREIGN = re.compile(r"[?#@]|L|W(?!ED)|\b[HR]\b|(?:^|\s)\S*\b0*7\b\S*\s*$", re.IGNORECASE)
"""What Cronos takes and NCRONTAB has no word for: `?`, `#`, `L`, `W`, macros, and 7 for Sunday."""


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        yield from csv.DictReader(file)


def _moment(text: str) -> datetime:
    """A moment of Cronos' tests, where a time alone is one of any day."""
    found = datetime.fromisoformat(text if len(text) > len("00:00:00") else f"2017-03-16 {text}")
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _runs_backwards(expression: str) -> bool:
    """Cronos takes 22-6 for the night; the host for 6-22."""
    return any(int(first) > int(last) for first, last in re.findall(r"(\d+)-(\d+)", expression))


def test_every_next_occurrence_of_ncrontab() -> None:
    wrong, cases = [], list(_rows("ncrontab_next.csv"))
    for case in cases:
        found = Schedule(case["expression"]).after(datetime.fromisoformat(case["from"]).replace(tzinfo=UTC))
        if found != datetime.fromisoformat(case["expected_next"]).replace(tzinfo=UTC):
            wrong.append((case, found))
    assert wrong == []
    assert len(cases) > 80


def test_every_invalid_expression_of_ncrontab_is_refused() -> None:
    cases = list(_rows("ncrontab_invalid.csv"))
    for case in cases:
        with pytest.raises(ScheduleError):
            Schedule(case["expression"])
    assert len(cases) > 10


def test_every_occurrence_of_cronos_that_the_host_reads_alike() -> None:
    wrong, seen = [], Counter[str]()
    for case in _rows("cases.csv"):
        expression, sooner = case["arg1"], SAME_RULES.get(case["test"])
        if sooner is None or case["suite"] != "Cronos":
            continue
        if _runs_backwards(expression):
            seen["backwards"] += 1
            continue
        if FOREIGN.search(expression):
            with pytest.raises(ScheduleError):
                Schedule(expression)
            seen["foreign"] += 1
            continue
        found = Schedule(expression).after(_moment(case["arg2"]) - sooner)
        expected = _moment(case["arg3"]) if case["arg3"] else None
        if found != expected:
            wrong.append((case, found))
        seen["alike"] += 1
    assert wrong == []
    assert seen["alike"] > 250
    assert seen["backwards"] < seen["alike"] / 3


def test_the_finite_occurrences_of_ncrontab() -> None:
    cases = [case for case in _rows("cases.csv") if case["test"] == "FiniteOccurrences"]
    for case in cases:
        start, end = (
            datetime.strptime(case[name], "%d/%m/%Y %H:%M:%S").replace(tzinfo=UTC) for name in ("arg2", "arg3")
        )
        assert list(Schedule(case["arg1"]).between(start, end - INCLUSIVE)) == []
    assert len(cases) == 7
