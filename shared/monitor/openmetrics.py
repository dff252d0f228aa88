"""OpenMetrics 1.0 as text: https://prometheus.io/docs/specs/om/open_metrics_spec/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from shared.monitor.histogram import Histogram

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"

Labels = Mapping[str, str]
_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with its samples: one number for each set of labels, or one histogram."""

    name: str
    """Without `_total` and the like, which its type brings."""
    type: Literal["counter", "gauge", "histogram", "info"]
    help: str
    samples: Sequence[tuple[Labels, float | Histogram]]
    created: datetime | None = None
    """Counters and histograms: since when they count."""


def exposition(families: Iterable[Family]) -> bytes:
    """The text of a metrics page."""
    lines = [line for family in families for line in _lines(family)]
    return "\n".join((*lines, "# EOF", "")).encode()


def _lines(family: Family) -> Iterator[str]:
    yield f"# TYPE {family.name} {family.type}"
    if family.name.endswith("_seconds"):
        yield f"# UNIT {family.name} seconds"
    yield f"# HELP {family.name} {family.help.translate(_ESCAPES)}"
    for labels, value in family.samples:
        if isinstance(value, Histogram):
            yield from _histogram(family.name, labels, value)
        else:
            suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
            yield _sample(f"{family.name}{suffix}", labels, value)
        if family.created:
            yield _sample(f"{family.name}_created", labels, family.created.timestamp())


def _histogram(name: str, labels: Labels, histogram: Histogram) -> Iterator[str]:
    for bound, count in histogram.cumulative():
        le = "+Inf" if bound == float("inf") else repr(bound)
        yield _sample(f"{name}_bucket", {**labels, "le": le}, count)
    yield _sample(f"{name}_count", labels, histogram.count)
    yield _sample(f"{name}_sum", labels, histogram.sum)


def _sample(name: str, labels: Labels, value: float) -> str:
    pairs = ",".join(f'{label}="{text.translate(_ESCAPES)}"' for label, text in labels.items())
    return f"{name}{{{pairs}}} {value!r}" if pairs else f"{name} {value!r}"
