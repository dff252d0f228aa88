"""Delays between attempts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.backoff import LONGEST, delay

seconds = st.floats(0, 1e7)
failures = st.integers(1, 10**9)


@given(failures, seconds, seconds, seconds, seconds)
def test_a_delay_is_within_its_bounds(failed: int, base: float, cap: float, jitter: float, floor: float) -> None:
    given_delay = delay(failed, base=base, cap=cap, jitter=jitter, at_least=floor)
    assert min(LONGEST, floor) <= given_delay <= LONGEST
    assert given_delay <= max(cap, floor) + jitter + 1e-6


@given(failures, seconds, seconds)
def test_the_ceiling_never_falls_and_never_passes_the_cap(failed: int, base: float, cap: float) -> None:
    ceilings = [delay(n, base=base, cap=cap, uniform=highest) for n in (failed, failed + 1)]
    assert ceilings[0] <= ceilings[1] <= max(cap, 0)


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    assert [delay(n, base=5, cap=60, uniform=highest) for n in range(1, 7)] == [5, 10, 20, 40, 60, 60]


def test_jitter_is_full() -> None:
    """Jobs that failed together are spread over the whole time, from at once on."""
    assert delay(3, base=5, cap=60, uniform=lowest) == 0
    drawn = {round(delay(3, base=5, cap=60)) for _ in range(500)}
    assert len(drawn) > 10


def test_a_floor_is_added_to_by_jitter_alone() -> None:
    assert delay(1, base=5, cap=60, at_least=30, uniform=highest) == 30
    assert delay(1, base=5, cap=60, at_least=30, jitter=2, uniform=highest) == 32


def test_no_message_can_be_hidden_longer_than_seven_days() -> None:
    assert delay(10**6, base=1e9, cap=1e12, jitter=1e9, at_least=1e12) == LONGEST == 7 * 86400


def highest(low: float, high: float) -> float:
    return high


def lowest(low: float, high: float) -> float:
    return low


def test_a_least_wait_doubles_as_the_wait_does() -> None:
    """As much as the base: exactly exponential, and jitter comes on top."""
    for each in (lowest, highest):
        assert [delay(n, base=30, cap=300, least=30, uniform=each) for n in (1, 2, 3)] == [30, 60, 120]
    assert delay(2, base=30, cap=300, least=30, jitter=30, uniform=highest) == 90
    assert [delay(n, base=30, cap=100, least=10, uniform=lowest) for n in (1, 2, 3, 9)] == [10, 20, 40, 100]
