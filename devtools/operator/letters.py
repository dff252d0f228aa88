"""`dev.py dead-letters`: what gave up, by what it looks like, or each; one whole; setting one aside."""

from __future__ import annotations

import argparse
from typing import Any

from devtools.operator.api import Api, RefusedError, segment
from devtools.operator.text import ago, as_json, error_of, table


def dead_letters(args: argparse.Namespace) -> int:
    """Print groups, a list, or one dead letter; or set one aside."""
    if args.discard and not args.id:
        raise RefusedError("--discard goes with the ID of one dead letter")
    api = Api.of(args)
    if args.discard:
        return _discard(api, args)
    if args.id:
        print(as_json(api.get(f"dead-letters/{segment(args.id)}").content))
        return 0
    return _list(api, args) if args.list or args.all else _groups(api, args)


def _discard(api: Api, args: argparse.Namespace) -> int:
    letter = api.post(f"dead-letters/{segment(args.id)}/discard", {"reason": args.discard}).content
    print(f"{letter['id']}  discarded by {letter['discarded']['by']}")
    return 0


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
    print(table(heads, rows))
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
    print(table(heads, rows))
    return 0


def _state(letter: dict[str, Any]) -> str:
    return "replayed" if letter["replayed"] else "discarded" if letter.get("discarded") else "open"
