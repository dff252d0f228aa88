"""The alerts: one query and one page for each, over functions and tables that there are."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from shared.monitor.alarms import Alarm
from shared.settings import Settings
from support.bicep import Deployment
from support.functions import functions
from support.node import node, node_modules

ALARMS = {alarm.value for alarm in Alarm}
TABLES = {
    "AppRequests": "(TimeGenerated: datetime, Name: string, Success: bool, DurationMs: real, OperationName: string)",
    "AppTraces": "(TimeGenerated: datetime, Message: string, SeverityLevel: int)",
    "AzureMetrics": "(TimeGenerated: datetime, MetricName: string, Average: real, Total: real, Maximum: real)",
}
"""What is used of the tables, as Azure Monitor's table reference has it."""
PARSER = Path(__file__).parents[2] / "support" / "kusto.js"


def complaints(queries: dict[str, str]) -> dict[str, list[str]]:
    """What Microsoft's own parser says of queries over these tables."""
    given = json.dumps({"tables": TABLES, "queries": queries})
    done = subprocess.run(
        [node(), str(PARSER), str(node_modules().resolve())],
        input=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def main_statement(query: str) -> str:
    """A query without comments and without what it names beforehand."""
    plain = re.sub(r"//.*", "", query)
    return re.split(r";\s*$", plain, flags=re.MULTILINE)[-1].strip()


@pytest.fixture(scope="module")
def queries(infra: Path) -> dict[str, str]:
    return {path.stem: path.read_text("utf-8") for path in (infra / "alerts").glob("*.kql")}


def test_there_is_a_rule_for_each_alarm(smallest: Deployment, queries: dict[str, str]) -> None:
    rules = {each["properties"]["customProperties"]["alarm"] if "customProperties" in each["properties"]
             else each["properties"]["actions"]["customProperties"]["alarm"]: each["properties"]
             for each in smallest.of("Microsoft.Insights/scheduledQueryRules")}  # fmt: skip
    assert set(rules) == ALARMS == set(queries)
    for name, rule in rules.items():
        [criterion] = rule["criteria"]["allOf"]
        assert criterion["query"] == queries[name]
        assert rule["actions"]["customProperties"]["runbook"].endswith(f"/{name}.md")


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


@pytest.fixture(scope="module")
def said(queries: dict[str, str]) -> dict[str, list[str]]:
    """What the parser says of our queries, and of the same with a mistake in each."""
    wrong = {
        "column": queries["queue-stuck"].replace("MetricName ==", "MetricNaem =="),
        "table": queries["poison-failing"].replace("AppRequests", "AppRequest"),
        "operator": queries["timer-silent"].replace("| summarize Scrapes", "| summarise Scrapes"),
        "bracket": queries["dead-letter-ratio"].replace("ago(25h)", "ago(25h"),
        "type": queries["missed-digest"].replace("due - 5m", "due - '5m'"),
        "name": queries["poison-failing"].replace("union put_back", "union putback"),
    }
    assert not set(wrong.values()) & set(queries.values())
    return complaints({**queries, **{f"wrong {name}": query for name, query in wrong.items()}})


def test_microsofts_parser_has_nothing_to_say(queries: dict[str, str], said: dict[str, list[str]]) -> None:
    assert {name: said[name] for name in queries} == {name: [] for name in queries}


@pytest.mark.parametrize("mistake", ["column", "table", "operator", "bracket", "type", "name"])
def test_a_mistake_in_a_query_is_found(said: dict[str, list[str]], mistake: str) -> None:
    assert said[f"wrong {mistake}"]


def test_queries_start_with_a_table(queries: dict[str, str]) -> None:
    """A rule's query is for a table: one that prints, or makes its own rows, is refused."""
    for alarm, query in queries.items():
        assert query.startswith("// "), alarm
        assert re.match(r"\w+", main_statement(query))[0] in TABLES, alarm  # type: ignore[index]
        assert not re.search(
            r"\b(print|datatable|search|find|evaluate)\b|union \*", re.sub(r"//.*|'[^']*'", "", query)
        ), alarm


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
