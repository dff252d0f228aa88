"""The alerts: one query and one page for each, over functions and tables that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.monitor.alarms import Alarm
from shared.settings import Settings
from support.bicep import Template, literal, properties
from support.functions import functions

ALARMS = {alarm.value for alarm in Alarm}
TABLES = {"AppRequests", "AppTraces", "AzureMetrics"}
COLUMNS = {
    "Average", "DurationMs", "Message", "MetricName", "Name", "Success", "TimeGenerated",
}  # fmt: skip
"""What is used of the tables, as Azure Monitor's table reference has it."""


def bare(query: str) -> str:
    """A query without its comments and texts."""
    return re.sub(r"'[^']*'", "''", re.sub(r"//.*", "", query))


@pytest.fixture(scope="module")
def queries(infra: Path) -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in (infra / "alerts").glob("*.kql")}


def test_there_is_a_rule_for_each_alarm(templates: dict[str, Template], queries: dict[str, str]) -> None:
    value = templates["app/alerts.bicep"].of("var")["rules"].value
    assert value is not None
    rules = [properties(each) for each in value.named_children]
    assert {literal(rule["id"]) for rule in rules} == ALARMS == set(queries)
    for rule in rules:
        assert rule["query"].text == f"loadTextContent('../alerts/{literal(rule['id'])}.kql')".encode()


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_each_alarm_has_its_page(root: Path, alarm: str) -> None:
    page = (root / "docs" / "runbooks" / f"{alarm}.md").read_text("utf-8")
    assert page.startswith(f"# `{alarm}`")
    for heading in ("## What it means", "## Look", "## Do", "## Over"):
        assert heading in page


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_each_query_also_hears_the_app_itself(queries: dict[str, str], alarm: str) -> None:
    assert f"'alarm={alarm}'" in queries[alarm]


def test_queries_name_functions_that_there_are(queries: dict[str, str]) -> None:
    known = set(functions())
    for query in queries.values():
        named = set(re.findall(r"\bName == '(\w+)'", query)) | set(re.findall(r"'(PluckIt\w+)'", query))
        assert named <= known
        for start in re.findall(r"Name startswith_cs '(\w+)'", query):
            assert any(name.startswith(start) for name in known)
        for end in re.findall(r"Name endswith_cs '(\w+)'", query):
            assert any(name.endswith(end) for name in known)


def test_every_queue_function_counts_as_a_delivery_and_no_other_does() -> None:
    for each in functions().values():
        queues = {str(one.queue_name) for one in each.get_bindings() if one.type == "queueTrigger"}  # type: ignore[attr-defined]
        name = str(each.get_function_name())
        assert name.startswith("Process") == bool(queues)
        assert name.endswith("Dlq") == any(queue.endswith("-poison") for queue in queues)


def test_queries_are_well_formed_as_far_as_can_be_told(queries: dict[str, str]) -> None:
    for alarm, query in queries.items():
        plain = bare(query)
        assert query.startswith("// "), alarm
        assert plain.count("(") == plain.count(")"), alarm
        assert plain.count("[") == plain.count("]"), alarm
        assert re.sub(r"//.*", "", query).count("'") % 2 == 0, alarm
        assert len(re.findall(r"^let ", plain, re.MULTILINE)) == plain.count(";"), alarm


def test_queries_ask_known_tables_for_known_columns(queries: dict[str, str]) -> None:
    for alarm, query in queries.items():
        plain = bare(query)
        made = set(re.findall(r"(\w+)\s*(?:=(?!=)|:)", plain)) | {"Count"}
        words = set(re.findall(r"\b[A-Z]\w*", plain))
        assert words - TABLES - COLUMNS - made == set(), alarm
        assert words & TABLES, alarm


def test_the_ratio_is_weighed_as_the_app_does(queries: dict[str, str]) -> None:
    default = Settings()
    least, ratio, factor = re.findall(r"(?:RecentDead|Ratio) >= ([\d.]+)", queries["dead-letter-ratio"])
    assert int(least) == default.alarm_dead_letter_minimum
    assert float(ratio) == default.alarm_dead_letter_ratio
    assert float(factor) == default.alarm_dead_letter_factor


def test_no_query_looks_back_further_than_a_rule_may(queries: dict[str, str]) -> None:
    for query in queries.values():
        hours = [int(n) * {"d": 24, "h": 1, "m": 1 / 60}[unit] for n, unit in re.findall(r"ago\((\d+)([dhm])\)", query)]
        assert all(hour <= 48 for hour in hours)
