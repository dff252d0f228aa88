"""`Prefer: wait=N`."""

from __future__ import annotations

import pytest

from shared.web.waiting import applied, wanted


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("wait=10", 10),
        ("Wait=10", 10),
        ('wait="10"', 10),
        ("respond-async, wait=10", 10),
        ("respond-async;x=1, wait = 7 ; y", 7),
        ("wait=0", 0),
        ("wait=600", 60),
        ("wait=999999999", 60),
        ("wait=99999999999999999999", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=ten", 0),
        ("await=10", 0),
        ("return=minimal", 0),
        ("", 0),
    ],
)
def test_what_is_wanted(header: str, seconds: int) -> None:
    assert wanted({"prefer": header}, 60.9) == seconds


def test_what_is_said_about_it() -> None:
    assert wanted({}, 60) == 0
    assert (applied(0), applied(7)) == ({}, {"Preference-Applied": "wait=7"})
