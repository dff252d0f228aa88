"""What a terminal shows beyond text: tables as wide as it is, states in colour. In a pipe, plain text; `NO_COLOR` is kept to."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from devtools.operator.text import plain, table

if TYPE_CHECKING:
    from rich.table import Table

_STYLES = {
    "completed": "green", "ok": "green", "off": "green", "failed": "red", "on": "bold red", "missed": "red", "running": "cyan",
    "queued": "blue", "cancelled": "yellow", "skipped": "yellow", "submitted": "cyan", "open": "red",
}  # fmt: skip


def show(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: on a terminal in colour and within its width, else as plain text."""
    if not sys.stdout.isatty():
        print(table(heads, rows))
        return
    from rich.console import Console

    Console(highlight=False).print(grid(heads, rows))


def grid(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table for a terminal. What others wrote steers nothing: it is text, and no markup."""
    from rich.table import Table
    from rich.text import Text

    cells = [["" if cell is None else plain(cell) for cell in row] for row in rows]
    made = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for n, head in enumerate(heads):
        widest = max([len(head), *(len(row[n]) for row in cells)])
        whole = n < len(heads) - 1  # the last one is cut where the terminal ends
        made.add_column(
            head,
            no_wrap=whole,
            overflow="ellipsis",
            min_width=widest if whole else 4,
            max_width=None if whole else widest,
        )
    for row in cells:
        made.add_row(*(Text(cell, style=style_of(cell), no_wrap=True, overflow="ellipsis") for cell in row))
    return made


def style_of(cell: str) -> str:
    """The colour of a state; of other words none."""
    word = cell.split(" ", maxsplit=1)[0].rstrip(":").lower()
    return "bold red" if word == "unhealthy" else _STYLES.get(cell.lower(), "")
