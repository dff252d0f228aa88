"""Executors that change fields: rows, mapping, selecting."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executing import ContentError
from support.executors import Bench, item

TABLE = [["Name", "Total", "Name"], ["Ann", 3, "x"], ["", None, " "], ["Bob", 5]]
LIKE_TABLES = [{"table_number": 1, "data": [["a", "b"], [1, 2]]}, {"table_number": 2, "data": [["a", "b"], [3, 4]]}]


async def one(id: str, settings: dict[str, Any], /, **data: Any) -> dict[str, Any]:
    (made,) = await Bench().do(id, settings, item(**data))
    return made.data


async def test_each_row_is_an_item_that_knows_its_table() -> None:
    made = await Bench().do("table_row_splitter", {"output_format": "both"}, item(table=TABLE))
    assert [each.data["row_data"] for each in made] == [
        {"Name": "Ann", "Total": 3, "Name_2": "x"},
        {"Name": "Bob", "Total": 5},
    ]
    assert [each.data["row_index"] for each in made] == [0, 2]
    assert made[0].data["row_values"] == ["Ann", 3, "x"]
    assert made[0].summary_data == {"row_number": 1, "total_rows": 2, "parent_document": "test://a.txt"}
    assert made[0].id.canonical_id == "test://a.txt#row_0"
    assert made[0].id.metadata == {"parent_id": "test://a.txt", "row_index": 0, "is_table_row": True}


@pytest.mark.parametrize(
    ("settings", "table", "rows"),
    [
        ({}, "a;b\n1;2", [{"a;b": "1;2"}]),
        ({"csv_delimiter": ";"}, "a;b\n1;2\n\n3;4", [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]),
        ({"has_header": False}, "1,2", [{"column_0": "1", "column_1": "2"}]),
        ({}, [{"a": 1}, {"a": 2, "b": 3}], [{"a": 1}, {"a": 2, "b": 3}]),
        ({}, LIKE_TABLES, [{"a": 1, "b": 2}, {"a": 3, "b": 4}]),
        ({"header_row_index": 1}, [["t"], ["a"], [1]], [{"a": "t"}, {"a": 1}]),
        ({"start_row": 1, "max_rows": 1}, [["a"], [1], [2], [3]], [{"a": 2}]),
        ({"max_rows": 2}, [["a"], [1], [None], [3]], [{"a": 1}, {"a": 3}]),  # empty rows count for nothing
        ({}, [], []),
    ],
)
async def test_tables_in_all_forms(settings: dict[str, Any], table: Any, rows: list[Any]) -> None:
    made = await Bench().do("table_row_splitter", settings, item(table=table))
    assert [each.data["row_data"] for each in made] == rows


async def test_rows_take_their_id_from_a_column_and_fields_from_their_item() -> None:
    settings = {"row_id_field": "sku", "preserve_parent_data": True, "parent_data_fields": "shop"}
    table = [{"sku": "x"}, {"sku": "x"}, {"sku": None}]
    made = await Bench().do("table_row_splitter", settings, item(table=table, shop="s", other=1))
    assert [each.id.canonical_id.removeprefix("test://a.txt#row_") for each in made] == ["x", "x_1"]
    assert made[0].data["shop"] == "s"
    assert "other" not in made[0].data
    assert await Bench().do("table_row_splitter", {}, item()) == []


PAGES = {
    "contents": [
        {"pages": [{"n": 1, "lines": [{"t": "a"}, {"t": "b"}]}, {"n": 2, "lines": [{"t": "c"}, {"t": ""}]}]},
        {"pages": [{"n": 3, "lines": []}]},
    ]
}


@pytest.mark.parametrize(
    ("settings", "data", "expected"),
    [
        ({"mappings": {"a": "b"}}, {"a": 1}, {"a": 1, "b": 1}),
        ({"mappings": '{"a": "b.c"}', "copy_mode": "move"}, {"a": 1}, {"b": {"c": 1}}),
        ({"mappings": {"a": "b.c"}, "create_nested": False}, {"a": 1}, {"a": 1, "b.c": 1}),
        ({"mappings": {"a": "b"}, "overwrite_existing": False, "copy_mode": "move"}, {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ({"mappings": {"x.y": "z"}, "copy_mode": "move", "remove_empty_objects": True}, {"x": {"y": 1}}, {"z": 1}),
        ({"mappings": {"a": "a"}, "copy_mode": "move"}, {"a": 1}, {"a": 1}),
        ({"mappings": {"{kind}_text": "out_{kind}"}}, {"kind": "pdf", "pdf_text": "t"}, {"kind": "pdf", "pdf_text": "t", "out_pdf": "t"}),
        ({"mappings": {"a": "firstName"}, "case_transform": "snake"}, {"a": 1}, {"a": 1, "first_name": 1}),
        ({"mappings": {"a": "first_name"}, "case_transform": "camel"}, {"a": 1}, {"a": 1, "firstName": 1}),
        ({"mappings": {"missing": "b"}}, {"a": 1}, {"a": 1}),
        ({"mappings": {"a.0": "b"}}, {"a": [7, 8]}, {"a": [7, 8], "b": 7}),
        ({"source_id_mappings": {"url": "id.canonical_id", "p": "{id.path}!"}}, {}, {"url": "test://a.txt", "p": "in/a.txt!"}),
    ],
)  # fmt: skip
async def test_mapping(settings: dict[str, Any], data: dict[str, Any], expected: dict[str, Any]) -> None:
    assert await one("field_mapper", settings, **data) == expected


@pytest.mark.parametrize(
    ("handling", "expected"),
    [
        ("merge", ["a", "b", "c"]),
        ("concatenate", "a\nb\nc"),
        ("first", "a"),
        ("all", [[["a", "b"], ["c", ""]], [[]]]),
    ],
)
async def test_a_path_through_lists_goes_on_in_each(handling: str, expected: Any) -> None:
    settings = {"mappings": {"contents.pages.lines.t": "out"}, "list_handling": handling}
    assert (await one("field_mapper", settings, **PAGES))["out"] == expected


async def test_objects_are_made_of_what_belongs_together() -> None:
    sources = {"page": "contents.pages.n", "text": "contents.pages.lines.t"}
    settings = {"object_mappings": {"out": sources}, "list_handling": "concatenate"}
    made = (await one("field_mapper", settings, **PAGES))["out"]
    assert made == [{"page": 1, "text": "a\nb"}, {"page": 2, "text": "c"}, {"page": 3}]


async def test_a_missing_source_fails_where_that_is_asked_for() -> None:
    with pytest.raises(ContentError, match="no field 'x'"):
        await one("field_mapper", {"mappings": {"x": "y"}, "fail_on_missing_source": True})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"fields": ["a"]}, {"a": 1, "id": 9}),
        ({"fields": '["m.author"]'}, {"m": {"author": "x"}, "id": 9}),
        ({"fields": "t_*", "keep_id_fields": False}, {"t_1": None}),
        ({"fields": ["m"], "preserve_structure": False}, {"m.author": "x", "m.year": 5, "id": 9}),
        ({"mode": "exclude", "fields": ["m.*", "t_*", "id"]}, {"a": 1, "m": {}, "id": 9}),
        ({"mode": "exclude", "fields": ["a"], "preserve_structure": False}, {"m.author": "x", "m.year": 5, "t_1": None, "id": 9}),
    ],
)  # fmt: skip
async def test_selecting(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    data = {"a": 1, "m": {"author": "x", "year": 5}, "t_1": None, "id": 9}
    assert await one("field_selector", settings, **data) == expected


@pytest.mark.parametrize(
    ("operator", "value", "selected"),
    [("equals", "5", True), ("not_equals", 5, False), ("contains", "x", False), ("exists", None, True), ("not_exists", None, False)],
)  # fmt: skip
async def test_selecting_where_a_condition_holds(operator: str, value: Any, selected: bool) -> None:
    settings = {
        "fields": ["a"], "conditional_selection": True, "condition_field": "n", "condition_operator": operator, "condition_value": value,
    }  # fmt: skip
    assert (await one("field_selector", settings, a=1, n=5) == {"a": 1}) is selected


async def test_a_selection_counts_what_it_did() -> None:
    settings = {"fields": ["a"], "add_selection_metadata": True}
    (made,) = await Bench().do("field_selector", settings, item(a=1, b=2))
    assert made.summary_data["field_selection"] == {
        "mode": "include", "fields_selected": 1, "fields_removed": 1, "patterns": ["a"],
    }  # fmt: skip
    with pytest.raises(ContentError, match="'c'"):
        await one("field_selector", {"fields": ["c"], "fail_on_missing_field": True})


@pytest.mark.parametrize(
    ("id", "settings"),
    [
        ("field_mapper", {}),
        ("field_mapper", {"mappings": "{"}),
        ("field_mapper", {"object_mappings": {"a": "b"}}),
        ("field_selector", {"fields": []}),
        ("field_selector", {"fields": ["a"], "conditional_selection": True}),
        ("table_row_splitter", {"table_format": "xml"}),
        ("pass_through", {"speed": 1}),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(id: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        executors()[id].settings.model_validate(settings)


def test_every_executor_says_what_it_does_and_its_example_fits() -> None:
    for found in executors().values():
        assert found.summary.endswith("."), found.name
        assert {"enabled", "condition"} <= set(found.settings.model_fields), found.name
        found.settings.model_validate(dict(found.example))
        described = {name for name, field in found.settings.model_fields.items() if field.description}
        assert described == set(found.settings.model_fields), found.name
        assert found.settings.model_json_schema()["additionalProperties"] is False
