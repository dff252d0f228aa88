"""How things look in a terminal: tables, times, bars."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

_BAR = 24
_HIGH = {code: f"\\u{code:04x}" for code in range(0x7F, 0xA0)}
_UNSEEN = {code: f"\\u{code:04x}" for code in range(0x20)} | _HIGH


def plain(text: object) -> str:
    """What somebody else wrote, without what would steer a terminal."""
    return str(text).translate(_UNSEEN)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns as wide as what they hold; the last one is cut where the terminal ends, if this goes to one."""
    lines = [tuple(heads), *(tuple("" if cell is None else plain(cell) for cell in row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    room = shutil.get_terminal_size((160, 24)).columns if sys.stdout.isatty() else None
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip()[:room] for line in lines)


def as_json(content: Any) -> str:
    """For other programs, in characters that the output can take."""
    universal = (sys.stdout.encoding or "").lower().startswith("utf")
    return json.dumps(content, indent=2, ensure_ascii=not universal).translate(_HIGH)


def ago(moment: str | None, now: datetime | None = None) -> str:
    """How long ago, or in how long, a moment is: `3 m ago`, `in 2 h`."""
    if not moment:
        return ""
    seconds = ((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds()
    return f"{span(seconds)} ago" if seconds >= 0 else f"in {span(-seconds)}"


def span(seconds: float | None) -> str:
    """A duration in its largest unit that leaves at least two of it: `90 s`, `3 m`, `5 h`, `4 d`."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def clock(moment: str) -> str:
    """A moment to the second, UTC."""
    return moment[:19].replace("T", " ")


def bar(done: int, total: int) -> str:
    """A bar of fixed width, with the figures."""
    share = min(1.0, done / total) if total > 0 else 0.0
    filled = round(share * _BAR)
    return f"[{'#' * filled}{'-' * (_BAR - filled)}] {done}/{total}"


def where_of(view: dict[str, Any]) -> list[str]:
    """Where an error was raised, the app's own code first, innermost first; and what it was raised from."""
    error = view.get("error") or {}
    frames = error.get("frames", [])
    own = [
        f"at {plain(each['file'])}:{each['line']} in {plain(each['function'])}" for each in frames[::-1] if each["own"]
    ]
    others = len(frames) - len(own)
    folded = [f"and {others} of libraries (--json shows them)"] if others else []
    return [*own, *folded, *(f"from {plain(each)}".splitlines()[0] for each in error.get("causes", []))]


def error_of(view: dict[str, Any]) -> str:
    """The error of a job or dead letter in one line."""
    error = view.get("error") or {}
    return f"{error['type']}: {error['message']}".splitlines()[0] if error else ""
