"""The bill: the page holds what the program prints, and the program counts what there is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devtools import costs_of_a_night as night
from devtools.costs import MONTH_HOURS, WORKLOADS, Idle, Job, Prices, bill, private_networking, table
from shared.declarations import settings_of
from shared.domains.digests.settings import DigestSettings
from shared.domains.sources.settings import ScraperSettings
from shared.jobs.timers.schedule import Schedule
from support.bicep import Deployment
from support.functions import functions


def test_the_page_holds_what_is_printed(root: Path) -> None:
    page = (root / "docs/explanation/costs.md").read_text("utf-8")
    assert table() in page
    assert f"= ${private_networking(Prices()):.2f}" in page


def test_a_price_changes_its_line_and_no_other() -> None:
    load = WORKLOADS[1]
    before = bill(load, Prices(), Job(), Idle())
    after = bill(load, replace(Prices(), million_ru=0.5), Job(), Idle())
    assert {line for line in before if before[line] != after[line]} == {"documents"}
    assert after["documents"] == pytest.approx(2 * before["documents"])


def test_what_is_free_is_never_paid_back() -> None:
    nothing = replace(WORKLOADS[0], jobs=0)
    assert min(bill(nothing, Prices(), Job(), Idle()).values()) == 0


def test_the_alerts_are_as_many_and_as_frequent_as_infra_makes_them(smallest: Deployment) -> None:
    rules = smallest.of("Microsoft.Insights/scheduledQueryRules")
    every = [each["properties"]["evaluationFrequency"] for each in rules]
    assert Prices().alerts == sum({"PT5M": 1.5, "PT15M": 0.5, "PT1H": 0.5}[str(each)] for each in every)


def test_the_idle_app_runs_its_timers_as_often_as_is_reckoned() -> None:
    bindings = [one for each in functions().values() for one in each.get_bindings()]
    schedules = [str(one.schedule) for one in bindings if one.type == "timerTrigger"]  # type: ignore[attr-defined]
    start, weeks = datetime(2026, 3, 1, tzinfo=UTC), timedelta(weeks=4)
    times = sum(sum(1 for _ in Schedule(each).between(start, start + weeks)) for each in schedules)
    assert Idle().executions == pytest.approx(times * MONTH_HOURS / (weeks.total_seconds() / 3600), rel=0.02)


def test_the_arithmetic_of_the_page_is_that_of_the_program(root: Path) -> None:
    page = (root / "docs/explanation/costs.md").read_text("utf-8")
    product, price = WORKLOADS[1], Prices()
    for memory, shown in ((2.0, "= $24.39"), (0.5, "$4.15 instead")):
        assert f"{bill(replace(product, memory_gb=memory), price, Job(), Idle())['compute']:.2f}" in shown
        assert shown in page
    job = Job()
    per_million = (
        job.blob_writes * price.blob_writes_10k * 100,
        job.blob_reads * price.blob_reads_10k * 100,
        job.queue_calls * price.queue_calls_10k * 100,
        job.ru * price.million_ru,
        job.executions * price.million_executions,
        job.log_kb * price.log_gb,
    )
    assert all(f"| ${each:.2f} |" in page for each in per_million)


def test_the_page_of_a_night_is_what_the_program_reckons(root: Path) -> None:
    page = (root / "docs/explanation/night-costs.md").read_text("utf-8")
    assert night.table() in page
    week = 7 * night.scraper(8).bill(Prices()) + night.digests(16).bill(Prices())
    assert f"= ${week:.2f}" in page
    assert f"comes to {sum(night.scraper(8).ru.values()):.0f}" in page
    assert f"digest to {sum(night.digests(16).ru.values()):.0f}" in page.replace("\n", " ")


def test_a_wider_night_is_shorter_until_the_processors_are_busy() -> None:
    assert night.digests(16).seconds == pytest.approx(4 * night.digests(64).seconds)
    large = night.digests(200, shelf=20_000)
    assert large.seconds == pytest.approx(large.children * large.cpu_seconds / large.instances)


def test_the_reckoning_of_a_night_knows_the_defaults(root: Path) -> None:
    default = settings_of({})
    digests = default.of(DigestSettings)
    assert night.digests(16).cpu_seconds == night.digests(16, shelf=digests.shelf).cpu_seconds
    assert (default.of(ScraperSettings).max_concurrency, digests.max_concurrency) == (8, 16)
    queues = json.loads((root / "host.json").read_text("utf-8"))["extensions"]["queues"]
    assert queues["batchSize"] + queues["newBatchThreshold"] == night.IN_HAND
