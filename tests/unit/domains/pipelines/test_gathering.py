"""Executors that need several items: filters, batches, branches, document sets and their figures."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError
from support.executors import Bench, item

FIGURES = {"Q2 report.pptx": 120, "q1.pptx": "$1,000", "Q4.pptx": 90.5, "Q3.pptx": 130}


async def test_a_filter_ends_items() -> None:
    settings = {"filter_condition": "len(text) > 2"}
    items = item("a", text="abc"), item("b", text="ab"), item("c")
    assert [each.id.filename for each in await Bench().do("filter_processor", settings, *items)] == ["a"]
    inverted = await Bench().do("filter_processor", {**settings, "invert": True}, *items)
    assert [each.id.filename for each in inverted] == ["b", "c"]


async def test_batches_come_apart_again_as_they_were() -> None:
    items = [item(str(number), n=number) for number in range(5)]
    batches = await Bench().do("batch_processor", {"batch_size": 2}, *items)
    assert [each.summary_data["batch_size"] for each in batches] == [2, 2, 1]
    settings = {"merge_strategy": "unpack", "output_field": "batch"}
    apart = await Bench().do("batch_aggregator", settings, *batches)
    assert [each.data for each in apart] == [each.data for each in items]


def branches() -> list[Content]:
    left, right = item("a", text="t", tags=["x"], left=1), item("a", text="u", tags=["x", "y"], right=2)
    left.summary_data["pages"] = 3
    return [left, right, item("b", text="v")]


async def test_branches_are_joined_by_what_they_come_from_and_the_first_goes_first() -> None:
    first, other = await Bench().do("fan_in_aggregator", {}, *branches())
    assert first.data == {"text": "t", "tags": ["x"], "left": 1, "right": 2}
    assert first.summary_data == {"pages": 3}
    assert other.data == {"text": "v"}


@pytest.mark.parametrize(
    ("settings", "data"),
    [
        ({}, {"text": "t", "tags": ["x", "y"], "left": 1, "right": 2}),
        ({"merge_strategy": "concatenate", "separator": "|"}, {"text": "t|u", "tags": ["x", "y"], "left": 1, "right": 2}),
        ({"aggregation_strategy": "merge", "merge_fields": ["tags"]}, {"text": "t", "tags": ["x", "y"], "left": 1, "right": 2}),
        (
            {"combine_strategy": "merge_fields", "combine_fields": {"side": "right"}, "wait_for_all": True},
            {"text": "t", "tags": ["x", "y"], "left": 1, "right": 2, "side": 2},
        ),
    ],
)  # fmt: skip
async def test_aggregation(settings: dict[str, Any], data: dict[str, Any]) -> None:
    first, _ = await Bench().do("batch_aggregator", settings, *branches())
    assert first.data == data
    assert first.summary_data["items_aggregated"] == 2


async def test_rows_go_back_into_their_table_with_figures() -> None:
    rows = await Bench().do("table_row_splitter", {"output_format": "list"}, item(table=[["n"], [1], [4]]))
    for row in rows:
        row.data["n"] = row.data["row_values"][0]
    settings = {
        "merge_strategy": "merge",
        "compute_stats": [{"field": "n", "operations": ["sum", "avg", "max"]}],
        "include_chunk_details": True,
    }
    (made,) = await Bench().do("batch_aggregator", settings, *rows)
    assert made.id.canonical_id == "test://a.txt"
    assert made.data["stats"] == {"n": {"sum": 5, "avg": 2.5, "max": 4}}
    assert len(made.data["parts"]) == 2


async def test_collecting_makes_one_of_all() -> None:
    (made,) = await Bench().do("batch_aggregator", {"merge_strategy": "collect"}, *branches())
    assert [each["data"]["text"] for each in made.data["items"]] == ["t", "u", "v"]


async def quarters(**settings: Any) -> list[Content]:
    items = [item(name, revenue=value, text=name) for name, value in FIGURES.items()]
    return await Bench().do("document_set_initializer", settings, *items)


async def test_a_set_has_an_order_and_roles() -> None:
    made = await quarters(set_name="FY", role_mapping={"Q1": "first", "Q2": "second"}, validate_set_size=4)
    assert [each.summary_data["document_set_role"] for each in made] == ["first", "second", "Q3", "Q4"]
    assert [each.summary_data["document_set_order"] for each in made] == [0, 1, 2, 3]
    again = await quarters(set_name="FY", ordering_strategy="input_order")
    assert {each.summary_data["document_set_id"] for each in (*made, *again)} == {
        made[0].summary_data["document_set_id"]
    }
    with pytest.raises(ContentError, match="is to have 3 documents, and has 4"):
        await quarters(validate_set_size=3)


@pytest.mark.parametrize(
    ("settings", "order"),
    [
        ({"ordering_strategy": "filename_numeric"}, ["p 2", "p 10", "p 10 b"]),
        ({"ordering_strategy": "filename_alpha"}, ["p 10", "p 10 b", "p 2"]),
        ({"ordering_strategy": "explicit_mapping", "role_mapping": {"B": "x", "2": "y"}}, ["p 10 b", "p 2", "p 10"]),
        ({"ordering_strategy": "last_modified"}, ["p 10 b", "p 10", "p 2"]),
    ],
)
async def test_orders_of_a_set(settings: dict[str, Any], order: list[str]) -> None:
    items = [item("p 10"), item("p 2"), item("p 10 b")]
    for number, each in enumerate(items):
        each.id.metadata = {"last_modified": f"2026-01-0{[2, 3, 1][number]}"}
    made = await Bench().do("document_set_initializer", settings, *items)
    assert [each.id.filename for each in made] == order


async def test_figures_over_a_set_as_a_person_reckons_them() -> None:
    bench = Bench()
    (made,) = await bench.do("document_set_collector", {"fields_to_collect": ["revenue"]}, *await quarters())
    documents = made.data["document_set"]["documents"]
    assert [each["data"] for each in documents] == [{"revenue": each} for each in ("$1,000", 120, 130, 90.5)]
    operations = ["sum", "avg", "min", "max", "count", "delta", "pct_change", "trend", "values"]
    settings = {"aggregations": [{"field_path": "data.revenue", "operations": operations}]}
    (made,) = await bench.do("cross_document_field_aggregator", settings, made)
    found = made.data["field_aggregations"]["aggregations"]["revenue"]
    assert (found["sum"], found["avg"], found["min"], found["max"], found["count"]) == (1340.5, 335.125, 90.5, 1000, 4)
    assert [each["delta"] for each in found["delta"]] == [-880, 10, -39.5]
    assert [each["pct_change"] for each in found["pct_change"]] == [-88.0, 8.33, -30.38]
    assert found["trend"] == {
        "direction": "mostly_decreasing", "confidence": 0.67, "overall_change": -909.5, "overall_pct_change": -90.95, "periods_analyzed": 4,
    }  # fmt: skip
    assert found["values"][0] == {"role": "q1", "value": "$1,000"}


async def test_what_is_no_number_is_left_out_of_figures() -> None:
    items = [item("a", n=True), item("b", n="1,5"), item("c", n=0), item("d", n=5), item("e")]
    bench = Bench()
    collected = await bench.do("document_set_collector", {}, *await bench.do("document_set_initializer", {}, *items))
    settings = {
        "aggregations": [{"field_path": "n", "operations": ["count", "pct_change", "trend"], "output_key": "x"}]
    }
    (made,) = await bench.do("cross_document_field_aggregator", settings, *collected)
    found = made.data["field_aggregations"]["aggregations"]["x"]
    assert found["count"] == 2
    assert found["pct_change"] == [{"from": "c", "to": "d", "pct_change": None}]
    assert found["trend"]["direction"] == "increasing"


async def test_a_set_that_lacks_documents_is_told_and_one_of_none_is_kept() -> None:
    made = await quarters()
    with pytest.raises(ContentError, match="is to have 4 documents, and has 3"):
        await Bench().do("document_set_collector", {}, *made[:3])
    (partial,) = await Bench().do("document_set_collector", {"require_complete_set": False}, *made[:3])
    assert partial.summary_data["collection_status"] == "partial"
    several = await Bench().do("document_set_collector", {}, *made, item("alone", n=1))
    assert [each.data["document_set"]["total_documents"] for each in several] == [4, 1]
    with pytest.raises(ContentError, match="document_set_collector makes one"):
        await Bench().do(
            "cross_document_field_aggregator", {"aggregations": [{"field_path": "n", "operations": ["sum"]}]}, item()
        )
