"""`dev.py replay`: put dead letters back."""

from __future__ import annotations

import argparse
import json
from typing import Any

from devtools.operator.api import Api, RefusedError, segment
from devtools.operator.text import plain

_REPLAYED = "replayed"
_WOULD_REPLAY = "would_replay"


def replay(args: argparse.Namespace) -> int:
    """Replay one dead letter, or all that match; return the exit code (0: all of them, 1: some were refused)."""
    if args.payload and not args.id:
        raise RefusedError("--payload goes with the ID of one dead letter")
    if args.id and (args.kind or args.fingerprint or args.since):
        raise RefusedError("give either the ID of one dead letter or what they have in common, not both")
    return _one(args) if args.id else _many(args)


def _one(args: argparse.Namespace) -> int:
    body: dict[str, Any] = {"dry_run": args.dry_run}
    if args.payload:
        body["payload"] = _payload(args)
    return _report([Api.of(args).post(f"dead-letters/{segment(args.id)}/replay", body).content], dry_run=args.dry_run)


def _many(args: argparse.Namespace) -> int:
    """Replay all that match; the app takes so many at a time, and never offers those again that it has replayed."""
    wanted = {name: getattr(args, name) for name in ("kind", "fingerprint", "since") if getattr(args, name)}
    results: list[dict[str, Any]] = []
    api = Api.of(args)
    while True:
        answer = api.post("dead-letters/replay", {"filter": wanted, "dry_run": args.dry_run}).content
        results += answer["results"]
        if not answer.get("more") or not any(result["outcome"] == _REPLAYED for result in answer["results"]):
            return _report(results, dry_run=args.dry_run, more=bool(answer.get("more")))


def _payload(args: argparse.Namespace) -> Any:
    try:
        return json.loads(args.payload.read_bytes())
    except OSError as error:
        raise RefusedError(f"{args.payload}: {error.strerror}") from None
    except ValueError as error:
        raise RefusedError(f"{args.payload}: not JSON ({error})") from None


def _report(results: list[dict[str, Any]], *, dry_run: bool, more: bool = False) -> int:
    for result in results:
        details = (result.get("job_id") and f"job {result['job_id']}", result.get("detail"))
        print(
            "  ".join(
                [result["dead_letter_id"], result["outcome"].replace("_", " "), *map(plain, filter(None, details))]
            )
        )
    done = sum(result["outcome"] in (_REPLAYED, _WOULD_REPLAY) for result in results)
    verb = "would be replayed" if dry_run else "replayed"
    print(f"{done} {verb}, {len(results) - done} refused" + (", and there are more" if more else ""))
    return 0 if done == len(results) else 1
