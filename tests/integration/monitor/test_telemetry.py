"""Traces and metrics: in memory, and over HTTP as Application Insights would receive them."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExporter, MetricExportResult
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from shared.adapters.insights import open_exporters
from shared.jobs import JobContext
from shared.jobs.engine import Engine
from shared.jobs.ticket import Options
from shared.monitor import pipeline
from shared.monitor.monitor import Monitor
from shared.monitor.telemetry import Telemetry
from support.lab import Broken, Lab, Work, close_lab, open_memory_lab
from support.node import free_ports

TRACE, REQUEST = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{REQUEST}-01"


class NoMetrics(MetricExporter):
    """Takes metrics, and forgets them."""

    def export(self, *given: Any, **options: Any) -> Any:
        return MetricExportResult.SUCCESS

    def shutdown(self, *given: Any, **options: Any) -> None:
        """Nothing is open."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        return True


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("telemetry", tmp_path)
    yield opened
    await close_lab(opened)


def watch_with(lab: Lab, telemetry: Telemetry) -> None:
    """Have what the lab does observed by it, and its monitor measure with it."""
    engine = Engine(replace(lab.engine.deps, observer=telemetry))
    monitor = Monitor(engine, lab.app.ledger, lab.app.stats, telemetry, lab.app.calls)
    lab.app = replace(lab.app, engine=engine, monitor=monitor)


@asynccontextmanager
async def told(lab: Lab, exporter: SpanExporter) -> AsyncIterator[Telemetry]:
    """Have what the lab does told to an exporter, all of it by the end."""
    telemetry = Telemetry(lambda: (exporter, NoMetrics()), ("work",))
    watch_with(lab, telemetry)
    yield telemetry
    await telemetry.close()


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {
        f"{span.name} {(span.attributes or {}).get('nightshift.job.attempt', '')}".strip(): span
        for span in exporter.get_finished_spans()
    }


async def test_a_trace_follows_a_request_through_the_queue_into_the_attempts(lab: Lab) -> None:
    seen: list[str] = []

    async def second_time(payload: Work, job: JobContext) -> None:
        seen.append(job.trace)
        if job.attempt == 1:
            raise Broken("with a word that is private")

    lab.script, exporter = second_time, InMemorySpanExporter()
    async with told(lab, exporter):
        ticket = await lab.submit("work", Options(trace=TRACEPARENT), note="a payload")
        await lab.pump()
        lab.clock.advance(60)
        await lab.pump()
    spans = by_name(exporter)
    assert set(spans) == {"submit work", "attempt work 1", "attempt work 2"}
    submit, first, second = (spans[name] for name in ("submit work", "attempt work 1", "attempt work 2"))
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context} == {TRACE}
    assert submit.parent is not None
    assert f"{submit.parent.span_id:016x}" == REQUEST
    for each in (first, second):
        assert each.parent is not None
        assert submit.context is not None
        assert each.parent.span_id == submit.context.span_id
    assert (submit.kind, first.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert (first.status.status_code, second.status.status_code) == (StatusCode.ERROR, StatusCode.UNSET)
    assert dict(first.attributes or {}) == {
        "nightshift.job.id": ticket.job.job_id, "nightshift.job.kind": "work", "nightshift.job.attempt": 1,
        "nightshift.job.outcome": "retried", "error.type": "Broken",
    }  # fmt: skip
    assert seen == [f"00-{TRACE}-{each.context.span_id:016x}-01" for each in (first, second) if each.context]
    assert not any("private" in span.to_json() or "a payload" in span.to_json() for span in spans.values())


async def test_a_callback_belongs_to_the_attempt_that_it_tells_of(lab: Lab) -> None:
    exporter = InMemorySpanExporter()
    async with told(lab, exporter):
        await lab.submit("work", Options(trace=TRACEPARENT, callback_url="https://x.example"))
        await lab.pump()
    spans = by_name(exporter)
    told_of, parent = spans["attempt work 1"].context, spans["submit webhook"].parent
    assert told_of is not None
    assert parent is not None
    assert parent.span_id == told_of.span_id
    assert {f"{span.context.trace_id:032x}" for span in spans.values() if span.context} == {TRACE}


async def test_who_does_not_want_to_be_recorded_is_not(lab: Lab) -> None:
    exporter = InMemorySpanExporter()
    async with told(lab, exporter):
        await lab.submit("work", Options(trace=TRACEPARENT[:-2] + "00"))
        await lab.pump()
    assert not exporter.get_finished_spans()


async def test_metrics_count_what_happened(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = InMemoryMetricReader()
    monkeypatch.setattr(pipeline, "PeriodicExportingMetricReader", lambda exporter: reader)
    async with told(lab, InMemorySpanExporter()):
        await lab.run()
        await lab.run("own")  # a kind that this telemetry does not know
        await lab.app.monitor.watch.evaluate()
        data: Any = reader.get_metrics_data()
    found = {
        (metric.name, *(point.attributes[name] for name in sorted(point.attributes))): point
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
    }
    assert found["nightshift.jobs", "completed", "work"].value == 1
    assert found["nightshift.jobs", "completed", "other"].value == 1
    assert found["nightshift.attempt.duration", "work", "completed"].count == 1
    assert found["nightshift.queue.messages", lab.settings.queue_normal].value == 0


async def test_without_its_exporters_work_goes_on(lab: Lab) -> None:
    def broken() -> Any:
        raise ValueError("no such thing")

    telemetry = Telemetry(broken, ())
    watch_with(lab, telemetry)
    states: list[str] = [telemetry.state]
    await lab.run()
    await telemetry.close()
    assert [*states, telemetry.state] == ["not started", "failing"]
    assert telemetry.trouble is not None
    assert telemetry.trouble[0] == "ValueError"


class Refusing(InMemorySpanExporter):
    """Takes nothing."""

    def export(self, spans: Any) -> SpanExportResult:
        return SpanExportResult.FAILURE


async def test_an_export_that_fails_is_known(lab: Lab) -> None:
    async with told(lab, Refusing()) as telemetry:
        await lab.run()
    assert telemetry.state == "failing"
    assert telemetry.trouble is not None


class Ingestion(ThreadingHTTPServer):
    """Stands in for Application Insights, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", free_ports(1)[0]), _Receive)
        self.items: list[dict[str, Any]] = []


class _Receive(BaseHTTPRequestHandler):
    server: Ingestion

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        items = json.loads(body)
        self.server.items += items
        answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *given: Any) -> None:
        """Be quiet."""


@pytest.fixture
def ingestion() -> Iterator[Ingestion]:
    server = Ingestion()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def test_application_insights_receives_it(lab: Lab, ingestion: Ingestion) -> None:
    address = f"http://127.0.0.1:{ingestion.server_address[1]}/"
    connection = (
        f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={address};LiveEndpoint={address}"
    )
    telemetry = Telemetry(partial(open_exporters, connection, None), ("work",))
    watch_with(lab, telemetry)
    ticket = await lab.submit("work", Options(trace=TRACEPARENT))
    await lab.pump()
    await telemetry.close()
    assert telemetry.state == "ok", telemetry.trouble
    sent = {item["data"]["baseType"]: item for item in ingestion.items if item["tags"].get("ai.operation.id") == TRACE}
    request, dependency = sent["RequestData"], sent["RemoteDependencyData"]
    assert request["data"]["baseData"]["name"] == "attempt work"
    assert request["data"]["baseData"]["success"] is True
    assert request["data"]["baseData"]["properties"]["nightshift.job.id"] == ticket.job.job_id
    assert request["tags"]["ai.operation.parentId"] == dependency["data"]["baseData"]["id"]
    assert dependency["tags"]["ai.operation.parentId"] == REQUEST
    assert request["tags"]["ai.cloud.role"] == "nightshift"
    names = {metric["name"] for item in ingestion.items for metric in item["data"]["baseData"].get("metrics", ())}
    assert {"nightshift.jobs", "nightshift.attempt.duration"} <= names


def test_without_a_connection_string_nothing_of_it_is_imported(tmp_path: Path) -> None:
    code = """
import asyncio, os, sys
from shared.bootstrap import build
from shared.declarations import settings_of
async def main(connection):
    app = build(settings_of({"NIGHTSHIFT_SQLITE_PATH": sys.argv[1], "AzureWebJobsStorage": "UseDevelopmentStorage=true", **connection}))
    await app.close()
    return sorted(name for name in sys.modules if name.split(".")[0] in ("opentelemetry", "psutil", "msrest"))
print(asyncio.run(main({})), asyncio.run(main({"APPLICATIONINSIGHTS_CONNECTION_STRING": "InstrumentationKey=x"})))
"""
    done = subprocess.run(
        (sys.executable, "-c", code, str(tmp_path / "x.db")), capture_output=True, text=True, check=True
    )  # fmt: skip
    assert done.stdout.strip() == "[] []"
