"""`dev.py cancel`, `retry`, `discard`, `pause`, `resume`: what changes something, one request for each thing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from devtools.operator.api import Api, NoAnswerError, RefusedError, segment
from devtools.operator.text import as_json, plain


def cancel(args: argparse.Namespace) -> int:
    """Cancel jobs: now, or at their next checkpoint."""
    api = Api.of(args)
    return _each(args, lambda job: api.post(f"jobs/{segment(job)}/cancel").content, _cancelled)


def retry(args: argparse.Namespace) -> int:
    """Try failed jobs again, by replaying their dead letters."""
    api = Api.of(args)
    return _each(args, lambda job: api.post(f"jobs/{segment(job)}/retry").content, lambda job: str(job["status"]))


def discard(args: argparse.Namespace) -> int:
    """Set dead letters aside."""
    api, body = Api.of(args), {"reason": args.reason}
    return _each(
        args, lambda letter: api.post(f"dead-letters/{segment(letter)}/discard", body).content,
        lambda letter: f"discarded by {letter['discarded']['by']}",
    )  # fmt: skip


def pause(args: argparse.Namespace) -> int:
    """Pause a kind."""
    body = {"reason": args.reason} if args.reason else {}
    return _kind(args, Api.of(args).post(f"kinds/{segment(args.kind)}/pause", body).content)


def resume(args: argparse.Namespace) -> int:
    """Let a paused kind go on."""
    return _kind(args, Api.of(args).post(f"kinds/{segment(args.kind)}/resume").content)


def _kind(args: argparse.Namespace, kind: dict[str, Any]) -> int:
    print(as_json(kind) if args.json else f"{kind['kind']}  {'paused' if kind['paused'] else 'not paused'}")
    return 0


def _cancelled(job: dict[str, Any]) -> str:
    return "cancelled" if job["status"] == "cancelled" else f"{job['status']}, to be cancelled at its next checkpoint"


def _each(
    args: argparse.Namespace, act: Callable[[str], dict[str, Any]], words: Callable[[dict[str, Any]], str]
) -> int:
    """Do it to each; who is refused does not keep the others from their turn. Exit code 1: somebody was."""
    done: list[dict[str, Any]] = []
    for each in args.ids:
        try:
            done.append(act(each))
        except NoAnswerError:
            raise
        except RefusedError as error:
            print(f"{plain(each)}  {error}", file=sys.stderr)
            continue
        if not args.json:
            print(f"{plain(each)}  {plain(words(done[-1]))}")
    if args.json:
        print(as_json(done))
    return 0 if len(done) == len(args.ids) else 1
