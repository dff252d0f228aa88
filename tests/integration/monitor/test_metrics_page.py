"""The metrics page, the statistics and the status of an app over Azurite."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from shared.api.monitor import get_metrics, get_stats, get_status, list_alarms
from shared.app import App
from shared.jobs.envelope import Envelope
from shared.jobs.testing import Faults
from shared.monitor import metrics, status
from shared.ports import StorageError
from shared.web.answers import Answer, Problem
from support.calls import call
from support.lab import Broken, Lab, Work

BOUNDED = {"kind", "event", "state", "outcome", "reason", "queue", "repair", "timer", "service", "operation", "alarm", "le", "python"}  # fmt: skip


async def scrape(app: App) -> dict[tuple[str, ...], float]:
    """The samples of the page, by name and labels (but for bounds of buckets)."""
    text = (await get_metrics(app, call())).body.decode()
    families = list(text_string_to_metric_families(text))  # type: ignore[no-untyped-call]
    assert len({each.name for each in families}) == len(families)
    samples = [one for each in families for one in each.samples]
    assert {label for one in samples for label in one.labels} <= BOUNDED
    return {(one.name, *one.labels.values()): one.value for one in samples}


def content(answer: Answer) -> Any:
    return json.loads(answer.body)


async def test_the_page_tells_what_happened(lab: Lab) -> None:
    async def first_breaks(payload: Work, job: Any) -> None:
        if payload.n == 0:
            raise ZeroDivisionError
        if job.attempt == 1:
            lab.clock.advance(2)
            raise Broken

    lab.script = first_breaks
    await lab.run(n=0)
    await lab.run(n=1)
    lab.clock.advance(60)
    await lab.pump()
    await lab.submit(n=1)
    samples = await scrape(lab.app)
    assert samples["nightshift_jobs_total", "work", "submitted"] == 3
    assert samples["nightshift_jobs_total", "work", "completed"] == 1
    assert samples["nightshift_jobs_total", "work", "failed"] == 1
    assert samples["nightshift_jobs_active", "work", "queued"] == 1
    assert samples["nightshift_jobs_active_truncated",] == 0
    assert samples["nightshift_retries_total", "work"] == 1
    assert samples["nightshift_dead_letters_total", "work", "final"] == 1
    assert samples["nightshift_attempt_duration_seconds_count", "work", "retried"] == 1
    assert samples["nightshift_attempt_duration_seconds_bucket", "work", "retried", "1.0"] == 0
    assert samples["nightshift_attempt_duration_seconds_bucket", "work", "retried", "2.5"] == 1
    assert samples["nightshift_job_wait_seconds_count", "work"] == 3
    assert samples["nightshift_queue_messages", lab.settings.queue_normal] == 1
    assert samples["nightshift_poison_queue_messages", f"{lab.settings.queue_normal}-poison"] == 0
    assert samples["nightshift_timer_healthy", "PluckItScraper"] == 1
    assert samples["nightshift_alarm", "queue-stuck"] == 0
    midnight = lab.clock.now().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    assert samples["nightshift_jobs_created", "work", "submitted"] == midnight


async def test_made_up_kinds_share_one_label(lab: Lab) -> None:
    for n in range(20):
        envelope = Envelope(
            kind=f"made-up-{n}", job_id=f"00000000-0000-4000-8000-{n:012d}", payload_version=1, sent_at=lab.clock.now()
        )
        await lab.queues.send(lab.settings.queue_normal, envelope.model_dump_json())
    await lab.pump()
    samples = await scrape(lab.app)
    assert samples["nightshift_dead_letters_total", "other", "unknown"] == 20
    assert not [key for key in samples if any("made-up" in part for part in key)]


async def test_a_sweep_that_mends_is_counted(lab: Lab) -> None:
    def is_send(name: str) -> bool:
        return name == "queues.send"

    lab.start(Faults(only=is_send))
    await lab.submit()
    lab.start()
    lab.clock.advance(700)
    await lab.engine.sweep()
    assert (await scrape(lab.app))["nightshift_sweep_repairs_total", "resent"] == 1


async def test_however_many_ask_the_page_is_made_once_in_a_while(lab: Lab) -> None:
    faults = Faults()
    lab.start(faults)
    await asyncio.gather(*(get_metrics(lab.app, call()) for _ in range(10)))
    first = len(faults.calls)
    await get_metrics(lab.app, call())
    assert len(faults.calls) == first
    lab.clock.advance(10)
    await get_metrics(lab.app, call())
    assert first < len(faults.calls) <= 2 * first


async def test_what_a_page_costs_does_not_depend_on_the_number_of_jobs(lab: Lab) -> None:
    async def cost() -> int:
        faults = Faults()
        lab.start(faults)
        await get_metrics(lab.app, call())
        return len(faults.calls)

    few = await cost()
    for _ in range(30):
        await lab.run()
    await lab.app.stats.flush()
    assert await cost() == few


async def test_counters_survive_a_restart(lab: Lab) -> None:
    await lab.run()
    await lab.app.stats.flush()
    lab.start()
    await lab.run()
    assert (await scrape(lab.app))["nightshift_jobs_total", "work", "completed"] == 2


async def test_statistics_hour_by_hour(lab: Lab) -> None:
    start = lab.clock.now()
    await lab.run()
    lab.clock.advance(3600)
    await lab.run()
    params = {"since": start.isoformat(), "until": lab.clock.now().isoformat()}
    answer = await get_stats(lab.app, call(query=params))
    hours = content(answer)["items"]
    assert content(await get_stats(lab.app, call(query={"until": "0001-01-01T00:00:00Z"})))["items"] == []
    assert [each["kinds"]["work"]["jobs"] for each in hours] == [{"submitted": 1, "completed": 1}] * 2
    assert hours[0]["kinds"]["work"]["failure_rate"] == 0
    assert len(hours[0]["kinds"]["work"]["durations"]["counts"]) == len(content(answer)["bounds"]) + 1
    assert (
        await get_stats(lab.app, call(query=params, headers={"if-none-match": answer.headers["ETag"]}))
    ).status == 304
    assert len(content(await get_stats(lab.app, call()))["items"]) in (24, 25)


@pytest.mark.parametrize(
    "params", [{"since": "never"}, {"since": "2026-01-02", "until": "2026-01-01"}, {"since": "2020-01-01"}]
)
async def test_a_time_that_makes_no_sense_is_refused(lab: Lab, params: dict[str, str]) -> None:
    with pytest.raises(Problem) as caught:
        await get_stats(lab.app, call(query=params))
    assert caught.value.status == 422
    assert caught.value.errors[0].field == "since"


async def test_an_app_that_is_ready(lab: Lab) -> None:
    answer = await get_status(lab.app, call())
    assert (answer.status, content(answer)["status"]) == (200, "ready")
    found = {each["name"]: each for each in content(answer)["dependencies"]}
    assert {name: each["state"] for name, each in found.items()} == {
        "blobs": "ok", "queues": "ok", "documents": "ok", "openai": "off", "telemetry": "off",
    }  # fmt: skip
    assert found["blobs"]["latency_ms"] > 0
    assert "last_error" not in found["blobs"]


@pytest.mark.parametrize(("down", "failing"), [("blobs", "blobs.read"), ("queues", "queues.depth"), ("documents", "operations.read")])  # fmt: skip
async def test_a_dependency_that_fails(lab: Lab, down: str, failing: str) -> None:
    lab.start(Faults(only=lambda name: name == failing))
    answer = await get_status(lab.app, call())
    assert (answer.status, content(answer)["status"]) == (503, "unready")
    found = {each["name"]: each for each in content(answer)["dependencies"]}
    assert [name for name, each in found.items() if each["state"] == "failing"] == [down]
    assert found[down]["last_error"]["type"] == "StorageError"
    assert "injected" not in answer.body.decode()


async def test_the_last_error_is_told_after_all_is_well(lab: Lab) -> None:
    faults = Faults(only=lambda name: name == "blobs.read")
    lab.start(faults)
    assert (await get_status(lab.app, call())).status == 503
    faults.only = lambda _: False
    assert (await get_status(lab.app, call())).status == 503  # the same answer for some seconds
    lab.clock.advance(5)
    answer = await get_status(lab.app, call())
    assert answer.status == 200
    blobs = content(answer)["dependencies"][0]
    assert (blobs["state"], blobs["last_error"]["type"]) == ("ok", "StorageError")


async def test_a_dependency_that_does_not_answer_is_not_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "PATIENCE", 0.05)

    class Hanging:
        async def depth(self, queue: str) -> int:
            await asyncio.Event().wait()
            raise StorageError(queue)

    object.__setattr__(lab.app.engine.deps, "queues", Hanging())
    answer = await get_status(lab.app, call())
    found = {each["name"]: each for each in content(answer)["dependencies"]}
    assert answer.status == 503
    assert (found["queues"]["state"], found["queues"]["last_error"]["type"]) == ("failing", "TimeoutError")


async def test_alarms_over_http(lab: Lab) -> None:
    answer = content(await list_alarms(lab.app, call()))
    assert [each["alarm"] for each in answer["items"]] == [
        "dead-letter-ratio", "missed-digest", "timer-silent", "queue-stuck", "poison-failing", "loop-blocked",
    ]  # fmt: skip
    assert {each["state"] for each in answer["items"]} == {"off"}
    assert all(each["reason"] and each["runbook"] == f"docs/runbooks/{each['alarm']}.md" for each in answer["items"])
    lab.clock.advance(timedelta(seconds=30).total_seconds())
    assert content(await list_alarms(lab.app, call()))["evaluated_at"] == answer["evaluated_at"]


async def test_jobs_that_have_not_ended_are_counted_up_to_a_bound(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "MOST", 2)
    for _ in range(3):
        await lab.submit()
    samples = await scrape(lab.app)
    assert samples["nightshift_jobs_active", "work", "queued"] == 2
    assert samples["nightshift_jobs_active_truncated",] == 1
