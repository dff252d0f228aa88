"""`dev.py submit`: one job of a public kind."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from devtools.operator.api import Api, RefusedError, segment
from devtools.operator.jobs import one_job
from devtools.operator.text import as_json


def submit(args: argparse.Namespace) -> int:
    """Submit a job and print its ticket; with `--watch` follow it, and let the exit code tell its outcome."""
    said = {"priority": args.priority, "not_before": args.not_before, "dedupe_key": args.dedupe_key}
    body = {"payload": _payload(args.payload), **{name: value for name, value in said.items() if value}}
    ticket = Api.of(args).post(f"jobs/{segment(args.kind)}", body).content
    if args.watch:
        args.id = ticket["job_id"]
        return one_job(args)
    if args.json:
        print(as_json(ticket))
        return 0
    print(f"job {ticket['job_id']}  {ticket['status']}" + ("  (the first ticket)" if ticket["duplicate"] else ""))
    print(f"watch it: dev.py job {ticket['job_id']} --watch")
    return 0


def _payload(text: str) -> dict[str, Any]:
    try:
        payload = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise RefusedError(f"the payload is no JSON: {error}") from None
    if not isinstance(payload, dict):
        raise RefusedError("the payload must be a JSON object, such as {}")
    return payload
