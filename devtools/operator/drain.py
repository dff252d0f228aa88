"""`dev.py drain`: let no further attempt start, wait until none runs, and say what is left.

The index tells of a running job at its first heartbeat, a third of its lease after its claim (20 seconds), and a pause
reaches every instance within five. So nothing runs for certain once the list of running jobs has stayed empty for longer than both.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

from devtools.operator.api import Api, segment
from devtools.operator.screen import show
from devtools.operator.text import span

_REASON = "drained"
_MOST = 1000


def drain(args: argparse.Namespace) -> int:
    """Drain, or with `--resume` let go on what a drain has paused. Exit code 1: something may run when time is up."""
    api = Api.of(args)
    if args.resume:
        return _resume(api)
    paused = _pause(api)
    print(f"paused {paused} kinds; waiting until nothing runs (at most {span(args.timeout)})", flush=True)
    running = _wait(api, args)
    _say_what_is_left(api, running)
    return 0 if running is None else 1


def _pause(api: Api) -> int:
    kinds = [kind for kind in api.get("kinds").content["items"] if not kind["paused"]]
    for kind in kinds:
        api.post(f"kinds/{segment(kind['kind'])}/pause", {"reason": _REASON})
    return len(kinds)


def _resume(api: Api) -> int:
    """Resume what a drain paused; what somebody paused for a reason of their own stays so."""
    kinds = api.get("kinds").content["items"]
    ours = [kind["kind"] for kind in kinds if kind["paused"] and kind.get("reason") == _REASON]
    for kind in ours:
        api.post(f"kinds/{segment(kind)}/resume")
    others = [kind["kind"] for kind in kinds if kind["paused"] and kind["kind"] not in ours]
    print(f"resumed {len(ours)} kinds" + (f"; still paused: {', '.join(others)}" if others else ""))
    return 0


def _wait(api: Api, args: argparse.Namespace) -> list[dict[str, Any]] | None:
    """Wait until nothing has run for long enough: None. When the time is up before that: what ran at the last look."""
    end, quiet_since, said = time.monotonic() + args.timeout, None, -1
    while True:
        running = list(api.items("jobs", {"status": "running"}, _MOST))
        now = time.monotonic()
        if len(running) != said:
            said = len(running)
            print(f"  {said} running", flush=True)
        quiet_since = None if running else quiet_since or now
        if quiet_since is not None and now - quiet_since >= args.quiet:
            return None
        if now >= end:
            return running
        time.sleep(min(args.interval, max(0.0, end - now)))


def _say_what_is_left(api: Api, running: list[dict[str, Any]] | None) -> None:
    if running:
        show(("STILL RUNNING", "KIND", "ATTEMPT"), ((j["job_id"], j["kind"], j["attempt"]) for j in running))
    waiting = list(api.items("jobs", {"status": "queued"}, _MOST))
    kinds = sorted({job["kind"] for job in waiting})
    rows = ((kind, sum(job["kind"] == kind for job in waiting)) for kind in kinds)
    count = f"{_MOST} or more" if len(waiting) == _MOST else len(waiting)
    print(f"{'nothing runs' if running is None else 'time is up: something may still run'}; {count} jobs wait")
    if waiting:
        show(("KIND", "WAITING"), rows)
    print("let it go on with: dev.py drain --resume")
