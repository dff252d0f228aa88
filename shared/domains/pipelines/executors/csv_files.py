"""Rows of CSV and its relatives."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.retrieving import bytes_of
from shared.domains.pipelines.executors.sandboxed import parsed

_LARGEST_VALUE = 10 * 2**20


class CsvSettings(ItemSettings):
    """The form of the file, and what of it is taken."""

    content_field: str | None = Field(default="content", description="Field of the text, or of the bytes' reference.")
    temp_file_path_field: str | None = Field(default="temp_file_path", description="Field of the bytes' reference.")
    output_field: str = Field(default="csv_output", description="Field of what was read.")
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="Between the values.")
    quotechar: str = Field(default='"', min_length=1, max_length=1, description="Around values that hold a delimiter.")
    has_header: bool = Field(default=True, description="Whether the first row names the columns.")
    encoding: Literal["utf-8", "utf-8-sig", "latin-1", "iso-8859-1", "ascii", "cp1252", "utf-16"] = Field(
        default="utf-8", description="Encoding; a byte order mark is left out."
    )
    max_rows: int = Field(default=0, ge=0, description="Most rows that are taken; 0: all.")
    skip_empty_rows: bool = Field(default=True, description="Leave out rows without a value; they do not count.")
    strip_whitespace: bool = Field(default=True, description="Strip blanks around values.")
    infer_types: bool = Field(
        default=False, description="Make numbers of values that are written as ones; `007` stays text."
    )
    extract_text: bool = Field(default=False, description="Write `text`, the rows as lines.")


@executor("csv_extractor", settings=CsvSettings, category="extract", example={"delimiter": ";", "infer_types": True})
async def csv_extractor(item: Content, settings: CsvSettings, run: Run) -> Content:
    """Read the rows of CSV.

    Writes `headers`, `rows` (an object each), `row_count` and `column_count`. Rows that are longer than the header have columns with numbers; two columns of one name are
    told apart by theirs. Read in the sandbox.
    """
    data = await bytes_of(item, settings.content_field, settings.temp_file_path_field, run)
    found = await parsed(run, read_csv, data, settings.model_dump(include=set(_READ)))
    item.data[settings.output_field] = found
    item.summary_data |= {
        "rows_extracted": found["row_count"],
        "columns_detected": found["column_count"],
        "csv_extraction_status": "success",
    }
    return item


_READ = (
    "delimiter", "quotechar", "has_header", "encoding", "max_rows", "skip_empty_rows", "strip_whitespace", "infer_types", "extract_text",
)  # fmt: skip


def read_csv(data: bytes, how: Data) -> Data:
    """Read a file; `how` has the settings of its form. Runs in the sandbox.

    Raises:
        ContentError: it is of another encoding, or no CSV.
    """
    encoding = "utf-8-sig" if how["encoding"] == "utf-8" else how["encoding"]
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ContentError(f"not {how['encoding']}: byte {error.start} cannot be read; name the encoding") from None
    csv.field_size_limit(_LARGEST_VALUE)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=how["delimiter"], quotechar=how["quotechar"])
    try:
        names, rows = _rows(reader, how)
    except csv.Error as error:
        raise ContentError(f"line {reader.line_num} is no CSV: {error}") from None
    found: Data = {"headers": names, "rows": rows, "row_count": len(rows), "column_count": len(names)}
    if how["extract_text"]:
        lines = (" | ".join(str(row.get(name, "")) for name in names) for row in rows)
        found["text"] = "\n".join([" | ".join(names), *lines])
    return found


def _rows(reader: Iterator[list[str]], how: Data) -> tuple[list[str], list[Data]]:
    names = _distinct(next(reader, [])) if how["has_header"] else []
    rows: list[Data] = []
    for row in reader:
        if how["skip_empty_rows"] and not any(value.strip() for value in row):
            continue
        if how["max_rows"] and len(rows) >= how["max_rows"]:
            break
        if len(row) > len(names):
            names += [f"col_{number}" for number in range(len(names), len(row))]
        padded = [*row, *([""] * (len(names) - len(row)))]
        rows.append({name: _value(value, how) for name, value in zip(names, padded, strict=True)})
    return names, rows


def _distinct(header: list[str]) -> list[str]:
    names: list[str] = []
    for number, each in enumerate(header):
        name = each.strip() or f"col_{number}"
        names.append(f"{name}_{number}" if name in names else name)
    return names


def _value(value: str, how: Data) -> Any:
    value = value.strip() if how["strip_whitespace"] else value
    return typed(value) if how["infer_types"] else value


def typed(value: str) -> Any:
    """A number, where it is written as one and nothing is lost: no `007`, no `1e999`, no `nan`."""
    digits = value.lstrip("-")
    if not digits[:1].isdigit() or (digits[0] == "0" and digits[1:2].isdigit()) or len(digits) > 15:
        return value
    try:
        return int(value)
    except ValueError:
        pass
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else value
