"""`dev.py workflow`: start a run of a workflow, or look at one, drawn in the terminal; `dev.py event`: tell it of an event."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devtools.operator.api import Api, RefusedError, segment
from devtools.operator.jobs import NOT_ENDED
from devtools.operator.text import as_json, plain, table

_CODES = {"completed": 0, "failed": 1, "cancelled": 3}
_MARKS = {
    "pending": ("·", "90"), "running": ("◐", "36"), "completed": ("●", "32"), "failed": ("✗", "31"),
    "skipped": ("○", "90"), "cancelled": ("⊘", "33"),
}  # fmt: skip
Json = dict[str, Any]


def workflow(args: argparse.Namespace) -> int:
    """Without a name, list the workflows; with one, start a run; with a run's id, look at it. `--watch`: until it has ended."""
    api = Api.of(args)
    if args.name is None:
        return _list(api, args)
    run_id = args.name if _is_id(args.name) else _start(api, args)
    if args.watch:
        graph = watch(api, run_id, args.interval)
    else:
        graph = api.get(f"jobs/{segment(run_id)}/graph").content
        print(as_json(graph) if args.json else "\n".join(drawn(graph, colour=coloured())))
    return _CODES.get(graph["status"], NOT_ENDED if args.watch or _is_id(args.name) else 0)


def event(args: argparse.Namespace) -> int:
    """Tell a run of an event."""
    body = {"content": _json(args.content)} if args.content else {}
    said = Api.of(args).post(f"jobs/{segment(args.id)}/events/{segment(args.event)}", body).content
    print(as_json(said) if args.json else "taken in" if said["first"] else "it had come before: the first one counts")
    return 0


def watch(api: Api, run_id: str, seconds: float) -> Json:
    """Draw a run until it has ended."""
    drawing = Drawing()
    while True:
        graph: Json = api.get(f"jobs/{segment(run_id)}/graph").content
        drawing.show(graph)
        if graph["status"] in _CODES:
            return graph
        time.sleep(seconds)


class Drawing:
    """A run as it goes: drawn in place on a terminal, elsewhere a line for each step that changes."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._known: dict[str, str] = {}

    def show(self, graph: Json) -> None:
        """Show the run as it is now."""
        if not sys.stdout.isatty():
            for line in _changes(graph, self._known):
                print(line, flush=True)
            return
        lines = drawn(graph, colour=coloured())
        if lines != self._shown:
            up = f"\033[{len(self._shown)}A" if self._shown else ""
            print(up + "\n".join(f"\033[2K{line}" for line in lines), flush=True)
            self._shown = lines


def _changes(graph: Json, known: dict[str, str]) -> Iterator[str]:
    for step in graph["steps"]:
        text = _told(step)
        if known.get(step["name"]) != text:
            known[step["name"]] = text
            yield f"  {step['name']}: {text}"


def drawn(graph: Json, *, colour: bool) -> list[str]:
    """The graph of a run as lines: each step below what it waits for, the lines between them drawn beside it."""
    head = f"{graph['workflow']} {graph['job_id']}  {graph['outcome'] or graph['status']}"
    width = max((len(step["name"]) for step in graph["steps"]), default=0)
    lines = [head]
    for step, rail in zip(graph["steps"], rails(graph["steps"]), strict=True):
        mark, code = _MARKS[step["state"]]
        mark = f"\033[{code}m{mark}\033[0m" if colour else mark
        lines.append(f"  {rail.replace('*', mark)}  {step['name']:{width}}  {_told(step)}".rstrip())
    return lines


def rails(steps: Sequence[Json]) -> list[str]:
    """Beside each step, what is on the left of it: `*` is the step, lines lead from those that others still wait for."""
    last = {name: number for number, step in enumerate(steps) for name in step["after"]}
    columns: list[str | None] = []
    rows = []
    for number, step in enumerate(steps):
        ends = [index for index, name in enumerate(columns) if name in step["after"] and last[name or ""] == number]
        for index in ends:
            columns[index] = None
        place = ends[0] if ends else next((i for i, name in enumerate(columns) if name is None), len(columns))
        if place == len(columns):
            columns.append(None)
        row = ["│" if name else " " for name in columns]
        for index in ends[1:]:
            row[index] = "╯"
        taps = [index for index, name in enumerate(columns) if name in step["after"]]
        for index in taps:
            row[index] = "├" if index < place else "┤"
        row[place] = "*"
        first, final = min([place, *ends, *taps]), max([place, *ends, *taps])
        row = ["─" if cell == " " and first < index < final else cell for index, cell in enumerate(row)]
        gaps = ("─" if first <= index < final else " " for index in range(len(row)))
        rows.append("".join(cell + gap for cell, gap in zip(row, gaps, strict=True)).rstrip())
        columns[place] = step["name"] if step["name"] in last else None
    widest = max(map(len, rows), default=0)
    return [row.ljust(widest) for row in rows]


def coloured() -> bool:
    """Whether the terminal can, and may, show colour."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _told(step: Mapping[str, Any]) -> str:
    items = step.get("items")
    count = f" {items['completed']} of {items['total']}" if items else ""
    lost = f", {items['failed']} failed" if items and items["failed"] else ""
    reason = step.get("reason") or (step.get("waits_for") if step["state"] == "running" and not items else "")
    return f"{step['state']}{count}{lost}" + (f"  {plain(reason)}" if reason else "")


def _list(api: Api, args: argparse.Namespace) -> int:
    found = api.get("workflows").content["items"]
    if args.json:
        print(as_json(found))
        return 0
    rows = (
        (w["workflow"], w["version"], ", ".join(step["name"] for step in w["steps"]) or "each run's own") for w in found
    )
    print(table(("WORKFLOW", "VERSION", "STEPS"), rows))
    return 0


def _start(api: Api, args: argparse.Namespace) -> str:
    ticket = api.post(f"workflows/{segment(args.name)}", {"payload": _json(args.payload or "{}")}).content
    print(f"run {ticket['job_id']}" + ("  (the first ticket)" if ticket["duplicate"] else ""), file=sys.stderr)
    return str(ticket["job_id"])


def _json(text: str) -> Any:
    try:
        return json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise RefusedError(f"this is no JSON: {error}") from None


def _is_id(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4
