"""Counts that add up: histograms and tallies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.monitor.histogram import BOUNDS, Histogram, histogram_of
from shared.monitor.tally import KindTally, Tally, tally_of

SECONDS = st.floats(0, 10_000, allow_nan=False)


def histogram(*seconds: float) -> Histogram:
    made = Histogram()
    for each in seconds:
        made.add(each)
    return made


def test_bounds_are_included() -> None:
    made = histogram(*BOUNDS, BOUNDS[-1] + 1)
    assert made.counts == [1] * (len(BOUNDS) + 1)
    assert list(made.cumulative())[-1] == (float("inf"), len(BOUNDS) + 1)


def test_clocks_that_differ_make_no_negative_sums() -> None:
    made = histogram(-3.0)
    assert (made.counts[0], made.sum) == (1, 0.0)


@given(st.lists(SECONDS), st.lists(SECONDS))
def test_merging_is_counting_together(first: list[float], second: list[float]) -> None:
    merged, both = histogram(*first), histogram(*first, *second)
    merged.merge(histogram(*second))
    assert merged.counts == both.counts
    assert merged.sum == pytest.approx(both.sum)


@given(st.lists(SECONDS))
def test_a_histogram_survives_being_stored(seconds: list[float]) -> None:
    made = histogram(*seconds)
    again = histogram_of(json.loads(json.dumps(made.to_json())))
    assert again.counts == made.counts
    assert again.sum == pytest.approx(made.sum, abs=0.001)


@given(st.lists(st.floats(0, BOUNDS[-1]), min_size=1), st.floats(0, 1))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(seconds: list[float], share: float) -> None:
    rank = max(0, -(-share * len(seconds) // 1) - 1)
    true = sorted(seconds)[int(min(rank, len(seconds) - 1))]
    bucket = next(n for n, bound in enumerate(BOUNDS) if true <= bound)
    told = histogram(*seconds).percentile(share)
    assert told is not None
    assert (BOUNDS[bucket - 1] if bucket else 0.0) <= told <= BOUNDS[bucket]


def test_percentiles_at_the_edges() -> None:
    assert histogram().percentile(0.5) is None
    assert histogram(9000.0).percentile(0.5) == BOUNDS[-1]
    assert histogram(*[0.01] * 99, 45.0).percentile(0.5) == pytest.approx(0.0252, abs=0.001)
    assert histogram(*[0.01] * 99, 45.0).percentile(1.0) == 60.0


def test_a_tally_survives_being_stored_and_adds_up() -> None:
    one = Tally()
    kind = one.kind("work")
    kind.jobs.update(submitted=3, completed=2, failed=1)
    kind.attempt("completed", 0.3)
    kind.attempt("retried", 2.0)
    kind.waits.add(0.1)
    kind.dead_letters["exhausted"] += 1
    one.events["resent"] += 2
    one.calls["blobs.read"] += 7
    total = tally_of(json.loads(json.dumps(one.to_json())))
    assert total.to_json() == one.to_json()
    total.merge(one)
    both = total.kind("work")
    assert (both.ended, both.retries, both.durations.count) == (6, 2, 4)
    assert both.failure_rate == pytest.approx(1 / 3)
    assert (total.events["resent"], total.calls["blobs.read"]) == (4, 14)


def test_nothing_ended_is_no_failure_rate() -> None:
    assert KindTally().failure_rate is None
    assert (KindTally().retries, KindTally().to_json()) == (0, {})
