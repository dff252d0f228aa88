"""The bill: the page holds what the program prints, and the program counts what there is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from devtools.costs import WORKLOADS, Idle, Job, Prices, bill, private_networking, table
from support.bicep import Template, literal, properties


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


def test_the_alerts_are_as_many_and_as_frequent_as_infra_makes_them(templates: dict[str, Template]) -> None:
    value = templates["app/alerts.bicep"].of("var")["rules"].value
    assert value is not None
    every = [literal(properties(each)["every"]) for each in value.named_children]
    assert Prices().alerts == sum({"PT5M": 1.5, "PT15M": 0.5, "PT1H": 0.5}[str(each)] for each in every)
