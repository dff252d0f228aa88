"""Tables with merged cells: what is said once for several columns or rows is repeated in each, so that every row says all it means."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

_MOST_SPANNED = 200
"""Columns, or rows, that one cell is repeated in: more is meant as "to the end"."""
_MOST_COLUMNS = 2_000


class Cell(NamedTuple):
    """A cell as it is written down."""

    text: str
    columns: int = 1
    rows: int = 1


def grid(rows: Iterable[Iterable[Cell]]) -> Iterator[list[str]]:
    """The rows of a table, merged cells repeated."""
    below: dict[int, tuple[str, int]] = {}
    for row in rows:
        shown: list[str] = []
        cells = iter(row)
        while len(shown) < _MOST_COLUMNS:
            at = len(shown)
            if at in below:
                text, left = below.pop(at)
                if left > 1:
                    below[at] = (text, left - 1)
                shown.append(text)
                continue
            cell = next(cells, None)
            if cell is None:
                break
            for column in range(at, at + bounded(cell.columns)):
                if cell.rows > 1:
                    below[column] = (cell.text, bounded(cell.rows) - 1)
                shown.append(cell.text)
        yield shown


def bounded(span: int) -> int:
    """How many columns, or rows, a cell is taken for."""
    return max(1, min(span, _MOST_SPANNED))


def number(text: str | None) -> int:
    """A span as it is written down; 1 where it is none."""
    text = (text or "").strip()
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 6 else 1
