"""The text of the metrics page, read by another implementation of the standard."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from shared.monitor.histogram import BOUNDS, Histogram
from shared.monitor.openmetrics import Family, exposition

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


def read(*families: Family) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    text = exposition(families).decode()
    assert text.endswith("# EOF\n")
    found = text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    return {each.name: [(one.name, one.labels, one.value) for one in each.samples] for each in found}


def test_counters_say_since_when_they_count() -> None:
    assert read(Family("jobs", "counter", "Jobs.", [({"kind": "a"}, 3)], MIDNIGHT)) == {
        "jobs": [("jobs_total", {"kind": "a"}, 3.0), ("jobs_created", {"kind": "a"}, MIDNIGHT.timestamp())]
    }


def test_gauges_and_infos() -> None:
    families = (
        Family("age_seconds", "gauge", "Age.", [({}, 0.25)]),
        Family("build", "info", "Build.", [({"v": "1"}, 1)]),
    )
    assert read(*families) == {"age_seconds": [("age_seconds", {}, 0.25)], "build": [("build_info", {"v": "1"}, 1.0)]}


def test_histograms_are_cumulative() -> None:
    histogram = Histogram()
    for seconds in (0.05, 0.3, 900.0):
        histogram.add(seconds)
    samples = read(Family("took_seconds", "histogram", "Took.", [({"kind": "a"}, histogram)], MIDNIGHT))["took_seconds"]
    buckets = {labels["le"]: value for name, labels, value in samples if name == "took_seconds_bucket"}
    assert len(buckets) == len(BOUNDS) + 1
    assert (buckets["0.05"], buckets["0.25"], buckets["0.5"], buckets["600.0"], buckets["+Inf"]) == (1, 1, 2, 2, 3)
    assert ("took_seconds_count", {"kind": "a"}, 3.0) in samples
    assert ("took_seconds_sum", {"kind": "a"}, 900.35) in samples


def test_a_family_without_samples_is_still_told() -> None:
    assert read(Family("none", "gauge", "Nothing yet.", [])) == {"none": []}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), st.floats(allow_nan=False, allow_infinity=False))
def test_labels_and_numbers_come_out_as_they_went_in(text: str, value: float) -> None:
    text = "".join(text.splitlines()) + '\\\n"'
    assert read(Family("odd", "gauge", "Odd.", [({"x": text}, value)])) == {"odd": [("odd", {"x": text}, value)]}
