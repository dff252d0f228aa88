"""`dev.py timers`: how they do, what became of one's occurrences, and running one by hand."""

from __future__ import annotations

import argparse
from typing import Any

from devtools.operator.api import Api, RefusedError, segment
from devtools.operator.screen import show
from devtools.operator.text import ago, as_json, clock, span


def timers(args: argparse.Namespace) -> int:
    """Print all timers, or one's occurrences, or run one. Exit code 1: a timer is unhealthy."""
    if (args.run or args.scheduled_for) and not args.name:
        raise RefusedError("--run goes with the NAME of a timer")
    if args.scheduled_for and not args.run:
        raise RefusedError("--scheduled-for goes with --run")
    api = Api.of(args)
    if args.run:
        return _run(api, args)
    return _occurrences(api, args) if args.name else _all(api, args)


def _all(api: Api, args: argparse.Namespace) -> int:
    found = api.get("timers").content["items"]
    if args.json:
        print(as_json(found))
    else:
        heads = ("TIMER", "SCHEDULE", "LAST", "", "NEXT", "LATE", "MISSED", "HEALTH")
        show(heads, (_row(timer) for timer in found))
    return 0 if all(timer["healthy"] for timer in found) else 1


def _row(timer: dict[str, Any]) -> tuple[object, ...]:
    last = timer.get("last", {})
    health = "ok" if timer["healthy"] else f"UNHEALTHY: {timer['reason']}"
    return (
        timer["name"], timer["words"], last.get("state"), ago(last.get("scheduled_at")), ago(timer.get("next_at")),
        span(timer.get("lateness_seconds")), timer["missed"], health,
    )  # fmt: skip


def _occurrences(api: Api, args: argparse.Namespace) -> int:
    found = list(api.items(f"timers/{segment(args.name)}/occurrences", {}, args.limit))
    if args.json:
        print(as_json(found))
        return 0
    heads = ("SCHEDULED", "STATE", "BY", "LATE", "TOOK", "JOB", "REASON")
    rows = (
        (
            clock(each["scheduled_at"]), each["state"], each.get("trigger"), span(each.get("lateness_seconds")),
            span(each.get("duration_seconds")), each.get("job_id"), each.get("reason"),
        )
        for each in found
    )  # fmt: skip
    show(heads, rows)
    return 0


def _run(api: Api, args: argparse.Namespace) -> int:
    body = {"scheduled_for": args.scheduled_for} if args.scheduled_for else {}
    ticket = api.post(f"timers/{segment(args.name)}/run", body).content
    if args.json:
        print(as_json(ticket))
        return 0
    print(f"job {ticket['job_id']}  {ticket['status']}" + ("  (it had one already)" if ticket["duplicate"] else ""))
    print(f"watch it: dev.py job {ticket['job_id']} --watch")
    return 0
