"""Rate limits: bursts, refilling, callers and classes apart, bounded memory."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.web import limits
from shared.web.limits import Limiter


class Ticking:
    """A clock to turn."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_and_then_the_rate() -> None:
    clock = Ticking()
    limiter = Limiter({"reads": 10}, clock)
    assert [limiter.take("a", "reads") for _ in range(21)] == [0] * 20 + [1]
    clock.now += 0.1
    assert [limiter.take("a", "reads") for _ in range(2)] == [0, 1]
    clock.now += 1000
    assert sum(limiter.take("a", "reads") == 0 for _ in range(100)) == 20


def test_callers_and_classes_are_counted_apart() -> None:
    limiter = Limiter({"reads": 0.5, "writes": 0.5}, Ticking())
    taken = [limiter.take(*who) for who in (("a", "reads"), ("a", "reads"), ("a", "writes"), ("b", "reads"))]
    assert taken == [0, 2, 0, 0]


def test_nought_is_no_limit_and_costs_no_memory() -> None:
    limiter = Limiter({"reads": 0}, Ticking())
    assert not any(limiter.take("a", "reads") for _ in range(10_000))
    assert len(limiter) == 0


def test_memory_is_bounded_and_who_is_busy_is_remembered() -> None:
    limiter = Limiter({"reads": 1}, Ticking())
    assert [limiter.take("busy", "reads") for _ in range(2)] == [0, 0]
    for number in range(3 * limits._MOST_BUCKETS):
        limiter.take(f"{number}", "reads")
        if number % 1000 == 0:
            assert limiter.take("busy", "reads") == 1
    assert len(limiter) == limits._MOST_BUCKETS


@given(st.lists(st.floats(0, 5), min_size=1, max_size=200), st.floats(0.1, 50))
def test_never_more_than_the_burst_and_the_rate_allow(pauses: list[float], rate: float) -> None:
    clock = Ticking()
    limiter = Limiter({"reads": rate}, clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += limiter.take("a", "reads") == 0
    assert passed <= max(1.0, 2 * rate) + rate * clock.now + 1e-6


@given(st.floats(0.01, 50))
def test_after_the_wait_that_was_named_the_next_one_passes(rate: float) -> None:
    clock = Ticking()
    limiter = Limiter({"reads": rate}, clock)
    while not (wait := limiter.take("a", "reads")):
        pass
    clock.now += wait
    assert limiter.take("a", "reads") == 0
