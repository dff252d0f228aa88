"""The order in which limits are met: the page holds what the simulation finds, and the simulation can find another."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from devtools import scale
from devtools.costs import Job
from devtools.scale import INSTANCES, MEMORY_GB, QUOTA_GB, climb, limits, simulate, table, worst_case_gb
from support.bicep import Compiled
from support.functions import functions


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/explanation/scale.md").read_text("utf-8")


def test_the_page_holds_what_is_printed(text: str) -> None:
    assert table() in text
    assert table(1.5) in text
    index, cost = limits()[0], Job().ru
    assert f"**{index.jobs:.0f}**" in text
    assert f"`2,000 × {cost:g}` = {2000 * cost:,.0f}" in text  # noqa: RUF001


def test_the_walls_are_met_in_this_order() -> None:
    met = [wall.limit.name for wall in climb(limits())]
    assert [name for name in met if name != "HTTP instances"] == ["index", "queue", "account", "instances", "quota"]


@pytest.mark.parametrize("seconds", [0.0, 1.5])
def test_each_is_met_where_the_arithmetic_has_it(seconds: float) -> None:
    for wall in climb(limits(seconds)):
        assert wall.jobs == pytest.approx(wall.limit.jobs, rel=0.04), wall.limit.name


def test_below_the_first_wall_nothing_waits() -> None:
    rate = 0.97 * limits()[0].jobs
    calm = simulate(limits(), rate)
    assert calm.waited_for == ""
    assert calm.done == pytest.approx(rate, rel=0.01)


def test_above_it_no_more_comes_through_than_it_lets() -> None:
    assert simulate(limits(), 500).done == pytest.approx(limits()[0].jobs, rel=0.05)


def test_another_order_is_found_where_there_is_one() -> None:
    index, queue, *others = limits()
    other = [replace(index, rate=100_000), replace(queue, rate=100), *others]
    assert [wall.limit.name for wall in climb(other, end=1_000)] == ["queue"]


def test_the_numbers_are_those_of_the_templates(root: Path, compiled: Compiled) -> None:
    queues = json.loads((root / "host.json").read_text("utf-8"))["extensions"]["queues"]
    assert queues["batchSize"] + queues["newBatchThreshold"] == scale.IN_HAND
    parameters = compiled.parameters
    assert parameters["maximumInstanceCount"]["defaultValue"] == INSTANCES
    assert parameters["instanceMemoryMB"]["defaultValue"] / 1024 == MEMORY_GB
    assert parameters["maximumInstanceCount"]["maxValue"] * 100 == limits()[3].raised
    assert parameters["cosmosAutoscaleMaxRu"]["maxValue"] == limits()[0].raised


def test_the_page_tells_how_the_quota_compares(text: str) -> None:
    bindings = [one for each in functions().values() for one in each.get_bindings() if one.type == "queueTrigger"]
    worst = worst_case_gb(len(bindings))
    assert f"({len(bindings)} + 1) × {INSTANCES} × {MEMORY_GB:.0f} GB = {worst:.0f} GB" in text  # noqa: RUF001
    assert worst > QUOTA_GB, "the page says that the quota is met first"


def test_every_setting_of_the_page_is_one(text: str, compiled: Compiled, root: Path) -> None:
    known = set(re.findall(r"\$\{(\w+)", (root / "infra/main.parameters.json").read_text("utf-8")))
    assert set(re.findall(r"DEPLOY_\w+", text)) <= known
