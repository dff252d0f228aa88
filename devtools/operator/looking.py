"""`dev.py why`, `queues`, `alarms`."""

from __future__ import annotations

import argparse
from typing import Any

from devtools.operator.api import Api, segment
from devtools.operator.screen import show
from devtools.operator.text import ago, as_json, plain, span


def why(args: argparse.Namespace) -> int:
    """Say why a job is not running, and what to do."""
    said = Api.of(args).get(f"jobs/{segment(args.id)}/explain").content
    if args.json:
        print(as_json(said))
        return 0
    print(f"{plain(said['kind'])} {said['status']}")
    for reason in said["reasons"]:
        until = f" (until {ago(reason['until'])})" if reason.get("until") else ""
        print(f"  {plain(reason['text'])}{until}\n    {plain(reason['advice'])}")
    return 0


def queues(args: argparse.Namespace) -> int:
    """Print the queues."""
    found = Api.of(args).get("queues").content["items"]
    if args.json:
        print(as_json(found))
    else:
        show(QUEUE_HEADS, map(queue_row, found))
    return 0


QUEUE_HEADS = ("QUEUE", "MESSAGES", "OLDEST DUE", "POISON", "KINDS")


def queue_row(queue: dict[str, Any]) -> tuple[object, ...]:
    """A queue as a row."""
    return (
        queue["name"], queue["messages"], span(queue.get("oldest_seconds")), queue["poison"]["messages"] or "", ", ".join(queue["kinds"])
    )  # fmt: skip


def alarms(args: argparse.Namespace) -> int:
    """Print the alarms. Exit code 1: one is on."""
    found = Api.of(args).get("alarms").content["items"]
    if args.json:
        print(as_json(found))
    else:
        rows = (
            (each["alarm"], each["state"], ago(each.get("since")), each["runbook"], each["reason"]) for each in found
        )
        show(("ALARM", "STATE", "SINCE", "RUNBOOK", "REASON"), rows)
    return 1 if any(each["state"] == "on" for each in found) else 0
