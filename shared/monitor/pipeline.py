"""The OpenTelemetry SDK, set up for this app alone: no global provider, no instrumentation of anybody's library.

Imported on a thread, by `shared.monitor.telemetry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator

from shared.jobs.tracing import Span, SpanId
from shared.monitor.histogram import BOUNDS

_SCOPE = "nightshift"
_KINDS = {"producer": trace.SpanKind.PRODUCER, "consumer": trace.SpanKind.CONSUMER}


class _Given(IdGenerator):
    """Hands out the ids of the span that is about to be made."""

    def __init__(self) -> None:
        self.next = SpanId(1, 1)

    def generate_span_id(self) -> int:
        return self.next.span

    def generate_trace_id(self) -> int:
        return self.next.trace


class Pipeline:
    """Spans and instruments, and the threads that export them."""

    def __init__(self, spans: SpanExporter, metrics: MetricExporter, resource: Mapping[str, str]) -> None:
        """Export by the given exporters, in the name of the resource."""
        self.trouble: tuple[str, datetime] | None = None
        self._failing: set[int] = set()
        self._watch(spans, SpanExportResult.SUCCESS)
        self._watch(metrics, MetricExportResult.SUCCESS)
        who = Resource.create(dict(resource))
        self._ids = _Given()
        self._traces = TracerProvider(resource=who, id_generator=self._ids, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(spans))
        self._tracer = self._traces.get_tracer(_SCOPE)
        buckets = View(
            instrument_name="nightshift.attempt.duration", aggregation=ExplicitBucketHistogramAggregation(BOUNDS)
        )
        reader = PeriodicExportingMetricReader(metrics)
        self._meters = MeterProvider([reader], who, shutdown_on_exit=False, views=[buckets])
        meter = self._meters.get_meter(_SCOPE)
        self.jobs = meter.create_counter("nightshift.jobs", description="Jobs that were submitted, replayed, or ended.")
        self.attempts = meter.create_histogram("nightshift.attempt.duration", "s", "How long attempts took.")
        self.dead_letters = meter.create_counter("nightshift.dead_letters", description="Dead letters that were kept.")
        self.events = meter.create_counter(
            "nightshift.events", description="Sweeps and what they mended, messages put back."
        )
        self.queue_messages = meter.create_gauge("nightshift.queue.messages", description="Messages on a queue.")
        self.queue_oldest = meter.create_gauge("nightshift.queue.oldest", "s", "Age of the oldest message of a queue.")

    def span(self, span: Span) -> None:
        """Record a span that has ended."""
        self._ids.next = span.id
        made = self._tracer.start_span(
            span.name, _within(span.parent), _KINDS[span.kind], span.attributes, start_time=_nanoseconds(span.start)
        )
        if span.failed:
            made.set_status(trace.StatusCode.ERROR)
        made.end(_nanoseconds(span.end))

    @property
    def failing(self) -> bool:
        """Whether the last export of spans, or of metrics, failed."""
        return bool(self._failing)

    def close(self) -> None:
        """Export what is left, and end the threads."""
        self._traces.shutdown()
        self._meters.shutdown()

    def _watch(self, exporter: Any, success: object) -> None:
        """Note what becomes of each export."""
        export = exporter.export

        def watched(*given: Any, **options: Any) -> Any:
            result = export(*given, **options)
            if result is success:
                self._failing.discard(id(exporter))
            else:
                self._failing.add(id(exporter))
                self.trouble = "ExportFailed", datetime.now(UTC)
            return result

        exporter.export = watched


def _within(parent: SpanId | None) -> Context:
    """The context that makes a span the child of another, or the first of its trace."""
    context = Context()
    if parent is None:
        return context
    flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if parent.sampled else trace.TraceFlags.DEFAULT)
    remote = trace.SpanContext(parent.trace, parent.span, is_remote=True, trace_flags=flags)
    return trace.set_span_in_context(trace.NonRecordingSpan(remote), context)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000
