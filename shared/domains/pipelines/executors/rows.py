"""Tables taken apart: an item for each row."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ExecutorSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data, value_at
from shared.domains.pipelines.executors.forms import Names

Row = Data | list[Any]


class RowSettings(ExecutorSettings):
    """Where the table is, and what an item of a row has."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "output_mode", "preserve_table_metadata", "include_row_number", "include_header_info", "flatten_nested_fields",
            "skip_rows_with_empty_key", "key_field", "validate_row_data", "max_concurrent", "continue_on_error", "timeout_secs",
        }
    )  # fmt: skip

    table_field: str = Field(default="table", description="Path of the table.", examples=["excel_output.tables"])
    table_format: Literal["auto", "list_of_lists", "list_of_dicts", "csv", "word_tables", "excel_rows"] = Field(
        default="auto",
        description="Form of the table; `auto` looks at it. `word_tables` takes what an extractor wrote as tables.",
    )
    has_header: bool = Field(default=True, description="Whether a row names the columns.")
    header_row_index: int = Field(default=0, ge=0, description="Which row that is.")
    skip_empty_rows: bool = Field(default=True, description="Leave out rows without any value.")
    row_id_field: str | None = Field(
        default=None, description="Column whose value makes a row's id; unset: its number."
    )
    row_id_prefix: str = Field(default="row", description="What stands before that in the id.")
    include_row_index: bool = Field(default=True, description="Write `row_index`, from 0.")
    include_headers: bool = Field(default=True, description="Write `headers`.")
    preserve_parent_data: bool = Field(default=False, description="Copy the fields of the item that the table was in.")
    parent_data_fields: Names = Field(default=(), description="Which of them; none: all but the table.")
    output_format: Literal["dict", "list", "both"] = Field(
        default="dict", description="Write `row_data` (an object), `row_values` (a list), or both."
    )
    csv_delimiter: str = Field(default=",", min_length=1, max_length=1, description="Between the values of CSV.")
    csv_quotechar: str = Field(default='"', min_length=1, max_length=1, description="Around values of CSV.")
    max_rows: int | None = Field(default=None, ge=1, description="Most rows that are taken, of those that are left.")
    start_row: int = Field(default=0, ge=0, description="First row that is taken, after the header.")


@executor(
    "table_row_splitter",
    settings=RowSettings,
    category="transform",
    example={"table_field": "csv_output.rows", "max_rows": 1000},
)
async def table_row_splitter(item: Content, settings: RowSettings, run: Run) -> list[Content]:  # noqa: ARG001 - the shape of all
    """Make an item of each row of a table.

    ItemSettings has `row_data`, `parent_id` and what the settings ask for; its summary says which row it is of how many. Empty rows are left out
    before `max_rows` counts. Rows that share a `row_id_field` are told apart by their number. An item without the table makes none.
    """
    table = value_at(item.data, settings.table_field)
    if table is None:
        return []
    headers, rows = _read(table, settings)
    kept = [(index, row) for index, row in enumerate(rows) if not (settings.skip_empty_rows and _is_empty(row))]
    kept = [(index, row) for index, row in kept if index >= settings.start_row][: settings.max_rows]
    names: set[str] = set()
    made = []
    for index, row in kept:
        columns = headers or (list(row) if isinstance(row, dict) else [])
        made.append(_item(item, settings, index, _as_object(row, columns), columns, len(kept), names))
    return made


def _read(table: Any, settings: RowSettings) -> tuple[list[str], Sequence[Row]]:
    """Names of the columns, and rows."""
    form = _form(table) if settings.table_format == "auto" else settings.table_format
    if form == "csv":
        return _with_header(_csv(table, settings), settings)
    if not isinstance(table, list):
        raise ContentError(f"the field {settings.table_field!r} holds no table")
    if form == "word_tables":
        return _joined(table, settings)
    if all(isinstance(each, dict) for each in table):
        return list(dict.fromkeys(name for row in table for name in row)), table
    return _with_header([each for each in table if isinstance(each, list)], settings)


def _form(table: Any) -> str:
    if isinstance(table, str):
        return "csv"
    first = table[0] if isinstance(table, list) and table else None
    return "word_tables" if isinstance(first, dict) and isinstance(first.get("data"), list) else "rows"


def _csv(table: Any, settings: RowSettings) -> list[list[str]]:
    if not isinstance(table, str):
        raise ContentError(f"the field {settings.table_field!r} holds no CSV")
    reader = csv.reader(io.StringIO(table), delimiter=settings.csv_delimiter, quotechar=settings.csv_quotechar)
    try:
        return list(reader)
    except csv.Error as error:
        raise ContentError(f"the field {settings.table_field!r} is no CSV: {error}") from None


def _with_header(rows: Sequence[Row], settings: RowSettings) -> tuple[list[str], Sequence[Row]]:
    at = settings.header_row_index
    if not settings.has_header or at >= len(rows):
        return [], rows
    return [_named(each, number) for number, each in enumerate(rows[at])], [*rows[:at], *rows[at + 1 :]]


def _named(header: Any, number: int) -> str:
    name = "" if header is None else str(header).strip()
    return name or f"column_{number}"


def _joined(tables: list[Any], settings: RowSettings) -> tuple[list[str], Sequence[Row]]:
    """Several tables, as extractors write them. Those without the first one's header have rows alone."""
    headers: list[str] = []
    rows: list[Row] = []
    for table in tables:
        data = table.get("data") if isinstance(table, dict) else None
        if not isinstance(data, list):
            continue
        own, content = _with_header([each for each in data if isinstance(each, list)], settings)
        headers = headers or own
        rows.extend(content if own == headers else [each for each in data if isinstance(each, list)])
    return headers, rows


def _is_empty(row: Row) -> bool:
    values: Iterator[Any] = iter(row.values() if isinstance(row, dict) else row)
    return all(value is None or (isinstance(value, str) and not value.strip()) for value in values)


def _as_object(row: Row, columns: list[str]) -> Data:
    """Columns beyond the named ones have numbers; two of one name are told apart by theirs."""
    if isinstance(row, dict):
        return row
    names: list[str] = []
    for number in range(len(row)):
        name = columns[number] if number < len(columns) else f"column_{number}"
        names.append(f"{name}_{number}" if name in names else name)
    return dict(zip(names, row, strict=True))


def _item(
    parent: Content, settings: RowSettings, index: int, row: Data, columns: list[str], total: int, names: set[str]
) -> Content:
    known = row.get(settings.row_id_field) if settings.row_id_field else None
    name = f"{settings.row_id_prefix}_{index if known is None else known}"
    if name in names:
        name = f"{name}_{index}"
    names.add(name)
    data: Data = {}
    if settings.output_format != "list":
        data["row_data"] = row
    if settings.output_format != "dict":
        data["row_values"] = list(row.values())
    if settings.include_row_index:
        data["row_index"] = index
    if settings.include_headers and columns:
        data["headers"] = columns
    data["parent_id"] = parent.id.canonical_id
    table = settings.table_field.split(".")[0]
    copied = settings.parent_data_fields or tuple(each for each in parent.data if each != table)
    if settings.preserve_parent_data:
        data = {**{name: parent.data[name] for name in copied if name in parent.data}, **data}
    made = parent.child(name, data, row_index=index, is_table_row=True)
    made.summary_data |= {"row_number": index + 1, "total_rows": total, "parent_document": parent.id.canonical_id}
    return made
