"""Spreadsheets: Excel of either age, and OpenDocument, by `python-calamine`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from shared.domains.documents.reading.refused import RefusedError, too_large
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

MOST_CELLS = 20_000_000
"""Of one sheet, empty ones included: a single value in the last corner of a sheet makes it so large."""


def read_sheets(data: bytes, out: Writer) -> None:
    """Read a workbook: each sheet is a page with its name, and one table."""
    import python_calamine as calamine

    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    except calamine.PasswordError as error:
        raise RefusedError(Outcome.ENCRYPTED) from error
    except calamine.CalamineError as error:
        raise RefusedError(Outcome.BROKEN) from error
    for known in book.sheets_metadata:
        if known.typ is not calamine.SheetTypeEnum.WorkSheet:
            continue
        try:
            sheet = book.get_sheet_by_name(known.name)
        except calamine.CalamineError as error:
            raise RefusedError(Outcome.BROKEN) from error
        if sheet.height * sheet.width > MOST_CELLS:
            raise too_large(f"one of its sheets has {sheet.height:,} rows and {sheet.width:,} columns")
        out.page(known.name)
        out.table(_rows(sheet))


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in sheet.iter_rows():
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def _shown(value: Any) -> str:
    """A cell's value as a reader would write it."""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return str(value)
