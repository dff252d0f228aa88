"""`dev.py kinds`: the kinds of jobs that an app has."""

from __future__ import annotations

import argparse
from typing import Any

from devtools.operator.api import Api
from devtools.operator.screen import show
from devtools.operator.text import ago, as_json, span


def kinds(args: argparse.Namespace) -> int:
    """Print all kinds: who may submit them, where they travel, and which are paused."""
    found = Api.of(args).get("kinds").content["items"]
    if args.json:
        print(as_json(found))
    else:
        show(("KIND", "PUBLIC", "QUEUE", "VERSION", "ATTEMPTS", "TIMEOUT", "PAUSED"), map(_row, found))
    return 0


def _row(kind: dict[str, Any]) -> tuple[object, ...]:
    paused = f"{ago(kind.get('since'))} {kind.get('reason', '')}".strip() or "yes" if kind["paused"] else ""
    return (
        kind["kind"], "yes" if kind["public"] else "", kind["queue"], kind["payload_version"], kind["max_attempts"],
        span(kind["timeout_seconds"]), paused,
    )  # fmt: skip
