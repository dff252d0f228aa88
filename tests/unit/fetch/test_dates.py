"""Dates: the shapes that are known, and no guess at any other."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.dates import read_date


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1725530400", "2024-09-05T10:00:00"),
        ("1725530400000", "2024-09-05T10:00:00"),
        ("2024年09月05日", "2024-09-05T00:00:00"),
        ("2024년 9월 5일 10:00", "2024-09-05T10:00:00"),
        ("2016/6/29 15:07:41", "2016-06-29T15:07:41"),
        ("2016-06-29T15:07:41.123456+02:00", "2016-06-29T13:07:41"),
        ("2016-06-29", "2016-06-29T00:00:00"),
        ("2016-06", "2016-06-01T00:00:00"),
        ("20160629T150741Z", "2016-06-29T15:07:41"),
        ("2024-09-05T24:00:00Z", "2024-09-06T00:00:00"),
        ("Thu, 05 Sep 2024 10:00:00 CEST", "2024-09-05T08:00:00"),
        ("Thu, 05 Sep 2024 10:00:00 +0200", "2024-09-05T08:00:00"),
        ("Thu, 05 Sep 2024 10:00 PM GMT", "2024-09-05T22:00:00"),
        ("Thu, 05 Sep 2024 12:30 AM EST", "2024-09-05T05:30:00"),
        ("Thu, 30 Apr 2015 08:57:00 MEST", "2015-04-30T06:57:00"),
        ("Thu, 30 Apr 2015 08:57:00 GMT+2", "2015-04-30T06:57:00"),
        ("5 Sep 24 10:00", "2024-09-05T10:00:00"),
        ("Thu Sep  5 10:00:00 2024", "2024-09-05T10:00:00"),
        ("September 5th, 2024 at 10:00 am PDT", "2024-09-05T17:00:00"),
        ("Seg, 24 Set 2018 19:42:40 -0300", "2018-09-24T22:42:40"),
        ("mer, 16 nov 2022 00:38:15 +0100", "2022-11-15T23:38:15"),
    ],
)
def test_a_date_in_a_known_shape(text: str, moment: str) -> None:
    assert read_date(f"  {text}\n") == datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", None, 7, "yesterday", "12345", "05/09/2024", "2024-13-01", "31 Feb 2024", "2024-09-05T25:00:00Z", "9999-12-31",
     "Thu, 05 Sep 2024 10:00:00 IST", "Thu, 05 Sep 2024 10:00:00 +9900", "Thu, 05 Foo 2024", "1", "2024年13月05日",
     "2024-09-05T10:00:00+00:0", "x" * 100],
)  # fmt: skip
def test_no_date_is_better_than_a_wrong_one(text: object) -> None:
    assert read_date(text) is None


@given(st.text() | st.from_regex(r"[0-9A-Za-z :,+./-]{0,40}"))
def test_any_text_is_a_date_or_none(text: str) -> None:
    found = read_date(text)
    assert found is None or found.utcoffset() == datetime.now(UTC).utcoffset()
