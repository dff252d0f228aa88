"""Links from documentation to lines of code: `[name](path.py#L12)`, where the line is that of the symbol called `name`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_LINK = re.compile(r"\[`([\w.]+)`\]\(([^)#:]+\.py)#L(\d+)\)")


@dataclass(frozen=True, slots=True)
class Link:
    """A link to a line, and the line on which its symbol is; None where the file has no such symbol."""

    symbol: str
    target: str
    line: int
    found: int | None


def links(page: Path) -> Iterator[Link]:
    """The links of a page to lines of code."""
    for symbol, target, line in _LINK.findall(page.read_text(encoding="utf-8")):
        yield Link(symbol, target, int(line), _lines((page.parent / target).resolve()).get(symbol))


def refreshed(page: Path) -> str:
    """The text of a page whose links lead to where the symbols are now; what is not found stays as it is."""

    def moved(match: re.Match[str]) -> str:
        symbol, target, line = match.groups()
        now = _lines((page.parent / target).resolve()).get(symbol, line)
        return f"[`{symbol}`]({target}#L{now})"

    return _LINK.sub(moved, page.read_text(encoding="utf-8"))


@cache
def _lines(path: Path) -> dict[str, int]:
    """The lines of a module's functions, classes, methods and variables, by their names within it."""
    return dict(_defined(ast.parse(path.read_text(encoding="utf-8")).body)) if path.is_file() else {}


def _defined(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, int]]:
    for each in body:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name, each.lineno
            case ast.ClassDef(name=name):
                yield prefix + name, each.lineno
                yield from _defined(each.body, f"{prefix}{name}.")
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield prefix + name, each.lineno
            case _:
                pass
