"""The ids of callbacks' jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.ids import derived_id, made_at, prefixes

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.text())
def test_an_id_is_a_uuid_of_its_moment_and_always_the_same(moment: datetime, seed: str) -> None:
    text = derived_id(moment, seed)
    one = UUID(text)
    assert (str(one), one.version, one.variant) == (text, 7, "specified in RFC 4122")
    assert abs(made_at(text) - moment.timestamp()) < 0.002
    assert derived_id(moment, seed) == text
    assert any(text.startswith(prefix) for prefix in prefixes(moment, moment + timedelta(minutes=1)))


@given(MOMENTS, st.text(), st.text())
def test_other_seeds_make_other_ids(moment: datetime, one: str, other: str) -> None:
    assert (derived_id(moment, one) == derived_id(moment, other)) == (one == other)
