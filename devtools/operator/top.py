"""`dev.py top`: what goes on, live."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from devtools.operator.api import Api, NoAnswerError
from devtools.operator.jobs import says
from devtools.operator.looking import QUEUE_HEADS, queue_row
from devtools.operator.screen import grid, show
from devtools.operator.text import ago, as_json, clock, error_of

if TYPE_CHECKING:
    from rich.console import Group

_MOST = 10
_Row = tuple[object, ...]
_Part = tuple[str, Sequence[str], list[_Row]]


def top(args: argparse.Namespace) -> int:
    """Show what goes on: on a terminal until Ctrl-C, elsewhere once."""
    api = Api.of(args)
    if args.json or args.once or not sys.stdout.isatty():
        found = _look(api)
        if args.json:
            print(as_json(found))
        else:
            _print(found)
        return 0
    return _live(api, args.interval)


def _look(api: Api) -> dict[str, Any]:
    """Six requests, all of which the app answers from what it keeps ready."""
    return {
        "alarms": [each for each in api.get("alarms").content["items"] if each["state"] == "on"],
        "queues": api.get("queues").content["items"],
        "running": api.get("jobs", {"status": "running", "limit": _MOST}).content["items"],
        "waiting": api.get("jobs", {"status": "queued", "limit": _MOST}).content["items"],
        "dead_letters": api.get("dead-letters/groups").content["items"][:_MOST],
        "last_hours": api.get("stats").content["items"][-2:],
    }


def _parts(found: dict[str, Any]) -> Iterator[_Part]:
    if found["alarms"]:
        rows: list[_Row] = [(each["alarm"], ago(each.get("since")), each["reason"]) for each in found["alarms"]]
        yield "alarms that are on", ("ALARM", "SINCE", "REASON"), rows
    yield "queues", QUEUE_HEADS, [queue_row(each) for each in found["queues"]]
    heads = ("JOB", "KIND", "ATTEMPT", "SINCE", "SAYS")
    for name in ("running", "waiting"):
        jobs: list[_Row] = [(j["job_id"], j["kind"], j["attempt"], ago(j["updated_at"]), says(j)) for j in found[name]]
        if jobs:
            yield f"{name}, the newest", heads, jobs
    letters: list[_Row] = [
        (g["count"], g.get("kind", g["queue"]), ago(g["newest"]), error_of(g)) for g in found["dead_letters"]
    ]
    if letters:
        yield "dead letters that are open", ("COUNT", "KIND", "NEWEST", "ERROR"), letters
    yield "by the hour", ("HOUR", "SUBMITTED", "COMPLETED", "FAILED"), [_hour(each) for each in found["last_hours"]]


def _hour(hour: dict[str, Any]) -> tuple[object, ...]:
    kinds = hour["kinds"].values()
    sums = (sum(kind["jobs"].get(state, 0) for kind in kinds) for state in ("submitted", "completed", "failed"))
    return (clock(hour["hour"])[:16] if "hour" in hour else clock(hour["since"])[:16], *sums)


def _print(found: dict[str, Any]) -> None:
    for name, heads, rows in _parts(found):
        print(name)
        show(heads, rows)
        print()


def _live(api: Api, seconds: float) -> int:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    console = Console(highlight=False)
    with Live(Text(f"asking {api.url} …"), console=console, screen=True, auto_refresh=False) as live:
        while True:
            try:
                live.update(_view(api.url, _look(api)), refresh=True)
            except NoAnswerError as error:
                live.update(Text(f"{error}\nasked again in a moment; Ctrl-C ends it", style="red"), refresh=True)
            time.sleep(seconds)


def _view(url: str, found: dict[str, Any]) -> Group:
    from rich.console import Group
    from rich.text import Text

    lines: list[Any] = [Text(f"{url}  {time.strftime('%H:%M:%S')}  Ctrl-C ends it", style="dim")]
    for name, heads, rows in _parts(found):
        style = "bold red" if name.startswith(("alarms", "dead")) else "bold"
        lines += [Text(f"\n{name}", style=style), grid(heads, rows)]
    return Group(*lines)
