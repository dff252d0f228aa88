"""Under which name an instance tells of itself, and which share of its spans it tells."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.jobs.tracing import Span, SpanId
from shared.monitor.pipeline import Pipeline
from shared.monitor.telemetry import resource_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environ", "instance"),
    [
        ({"WEBSITE_POD_NAME": "pod", "CONTAINER_NAME": "box", "WEBSITE_INSTANCE_ID": "id"}, "pod"),
        ({"WEBSITE_POD_NAME": "", "CONTAINER_NAME": "box"}, "box"),
        ({"WEBSITE_INSTANCE_ID": "id"}, "id"),
        ({}, platform.node()),
    ],
)
def test_an_instance_is_called_what_its_plan_calls_it(environ: dict[str, str], instance: str) -> None:
    assert resource_of(environ.get)["service.instance.id"] == instance


class NoMetrics(MetricExporter):
    """Takes metrics, and forgets them."""

    def export(self, *given: Any, **options: Any) -> Any:
        return MetricExportResult.SUCCESS

    def shutdown(self, *given: Any, **options: Any) -> None:
        """Nothing is open."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True


def test_a_share_of_the_traces_is_told_each_of_them_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenTelemetry's own settings; what belongs to one trace is told or not told together."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    told = InMemorySpanExporter()
    pipeline = Pipeline(told, NoMetrics(), {})
    for number in range(400):
        trace = (number * 2**64 // 400) | (1 << 100)
        first = SpanId(trace, 1 + 2 * number)
        pipeline.span(Span("submit", "producer", first, None, NOW, NOW))
        pipeline.span(Span("attempt", "consumer", SpanId(trace, 2 + 2 * number), first, NOW, NOW))
    pipeline.close()
    traces = [span.context.trace_id for span in told.get_finished_spans() if span.context]
    assert len(set(traces)) == 100
    assert all(traces.count(each) == 2 for each in traces)
