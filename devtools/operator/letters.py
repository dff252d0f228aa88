"""`dev.py dead-letters`: what gave up, by what it looks like, or each; one whole."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from devtools.operator.api import Api, segment
from devtools.operator.jobs import entry_line
from devtools.operator.screen import show
from devtools.operator.text import ago, as_json, clock, error_of, plain, where_of


def dead_letters(args: argparse.Namespace) -> int:
    """Print groups, a list, or one dead letter."""
    api = Api.of(args)
    if args.id:
        letter = api.get(f"dead-letters/{segment(args.id)}").content
        print(as_json(letter) if args.json else "\n".join(_whole(letter)))
        return 0
    return _list(api, args) if args.list or args.all else _groups(api, args)


def _whole(letter: dict[str, Any]) -> Iterator[str]:
    facts = {
        "dead letter": letter["id"], "state": _state(letter), "reason": letter["reason"], "kind": letter.get("kind"),
        "job": letter.get("job_id"), "queue": letter["queue"], "recorded": clock(letter["recorded_at"]),
        "attempts": letter["attempts"], "fingerprint": letter["fingerprint"], "error": error_of(letter),
    }  # fmt: skip
    yield from (f"{name:12} {plain(value)}" for name, value in facts.items() if value not in (None, ""))
    yield from (f"{'':12} {line}" for line in where_of(letter))
    yield from (
        f"{'replayed':12} {clock(each['at'])} by {plain(each['by'])}: job {each['job_id']}"
        for each in letter["replays"]
    )
    if discarded := letter.get("discarded"):
        yield f"{'discarded':12} {clock(discarded['at'])} by {plain(discarded['by'])}: {plain(discarded['reason'])}"
    yield from map(entry_line, letter.get("history", []))
    if "payload" in letter:
        yield f"{'payload':12} {as_json(letter['payload'])}"


def _wanted(args: argparse.Namespace) -> dict[str, Any]:
    wanted = {"kind": args.kind, "fingerprint": args.fingerprint, "since": args.since}
    return wanted if args.all else {**wanted, "replayed": "false", "discarded": "false"}


def _groups(api: Api, args: argparse.Namespace) -> int:
    content = api.get("dead-letters/groups", _wanted(args)).content
    if args.json:
        print(as_json(content))
        return 0
    heads = ("FINGERPRINT", "COUNT", "KIND", "NEWEST", "EXAMPLE", "ERROR")
    rows = (
        (g["fingerprint"], g["count"], g.get("kind", g["queue"]), ago(g["newest"]), g["example_id"], error_of(g))
        for g in content["items"]
    )
    show(heads, rows)
    print(f"{content['looked_at']} dead letters" + (", and there are older ones" if content["truncated"] else ""))
    return 0


def _list(api: Api, args: argparse.Namespace) -> int:
    found = list(api.items("dead-letters", _wanted(args), args.limit))
    if args.json:
        print(as_json(found))
        return 0
    heads = ("DEAD LETTER", "FINGERPRINT", "REASON", "KIND", "RECORDED", "STATE", "ERROR")
    rows = (
        (
            x["id"],
            x["fingerprint"],
            x["reason"],
            x.get("kind", x["queue"]),
            ago(x["recorded_at"]),
            _state(x),
            error_of(x),
        )
        for x in found
    )
    show(heads, rows)
    return 0


def _state(letter: dict[str, Any]) -> str:
    return "replayed" if letter["replayed"] else "discarded" if letter.get("discarded") else "open"
