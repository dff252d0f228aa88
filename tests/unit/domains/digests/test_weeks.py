"""ISO weeks and the ids made of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.digests.weeks import digest_id, is_week, monday_of, split_digest_id, week_of
from shared.ports import checked_id

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
USERS = st.from_regex(r"\A[A-Za-z0-9][A-Za-z0-9._:@|+=-]{0,127}\Z")


@given(MOMENTS)
def test_a_moment_lies_in_its_week(moment: datetime) -> None:
    week = week_of(moment)
    monday = monday_of(week)
    assert is_week(week)
    assert monday <= moment.date() < monday + timedelta(days=7)


@given(MOMENTS, MOMENTS)
def test_weeks_sort_as_their_moments_do(one: datetime, other: datetime) -> None:
    assert (one <= other and week_of(one) <= week_of(other)) or (one > other and week_of(one) >= week_of(other))


def test_the_week_is_utcs_whatever_the_zone() -> None:
    assert week_of(datetime(2026, 11, 23, 3, tzinfo=timezone(timedelta(hours=9)))) == "2026-W47"
    assert week_of(datetime(2026, 11, 23, 9, tzinfo=UTC)) == "2026-W48"
    assert week_of(datetime(2027, 1, 1, tzinfo=UTC)) == "2026-W53"


@given(USERS, MOMENTS)
def test_an_id_tells_user_and_week(user_id: str, moment: datetime) -> None:
    name = digest_id(user_id, week_of(moment))
    assert split_digest_id(name) == (user_id, week_of(moment))
    assert "/" not in name
    assert checked_id(week_of(moment))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "~2026-W47",
        "ann~2026-W54",
        "ann~2025-W53",
        "ann~2026-W00",
        "ann~2026-47",
        "a~b~2026-W47",
        "ann~0000-W01",
    ],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert split_digest_id(text) is None
