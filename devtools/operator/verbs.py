"""The operator's verbs as parts of a command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from devtools.operator import drain, jobs, kinds, letters, replay, submit, timers, workflow
from devtools.operator.api import add_address

_STATES = ("queued", "running", "completed", "failed", "cancelled")


def add(verbs: Any) -> None:
    """Add every operator's verb to the verbs of a command line (what `add_subparsers` returns)."""
    _add_submit(verbs)
    _add_kinds(verbs)
    _add_jobs(verbs)
    _add_workflow(verbs)
    _add_letters(verbs)
    _add_replay(verbs)
    _add_timers(verbs)
    _add_drain(verbs)


def _verb(verbs: Any, name: str, act: Callable[[argparse.Namespace], int], text: str, codes: str) -> Any:
    verb = verbs.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=f"Exit code: {codes}.")
    add_address(verb)
    verb.set_defaults(verb=lambda args, _: act(args))
    return verb


def _add_submit(verbs: Any) -> None:
    text = "submit a job of a public kind to a running app"
    codes = "0 taken in, 2 refused or not asked; with --watch that of `job`"
    verb = _verb(verbs, "submit", submit.submit, text, codes)
    verb.add_argument("kind", metavar="KIND", help="one that `kinds` calls public")
    verb.add_argument("payload", metavar="JSON", help="its payload, or - to read it from standard input")
    verb.add_argument("--priority", choices=("high", "normal", "low"), help="which queue it takes")
    verb.add_argument("--not-before", metavar="TIME", help="when it may start, such as 2026-03-16T09:00:00Z")
    verb.add_argument(
        "--dedupe-key", metavar="KEY", help="the same key gets the first ticket, for the kind's dedupe time"
    )
    verb.add_argument("--watch", action="store_true", help="go on until it has ended")
    verb.add_argument("--json", action="store_true", help="for other programs: the ticket, or the job if watched")
    verb.set_defaults(interval=1.0)


def _add_kinds(verbs: Any) -> None:
    verb = _verb(
        verbs, "kinds", kinds.kinds, "list the kinds of jobs of a running app", "0, or 2 if it could not be asked"
    )
    verb.add_argument("--json", action="store_true", help="for other programs")


def _add_jobs(verbs: Any) -> None:
    verb = _verb(verbs, "jobs", jobs.list_jobs, "list the jobs of a running app", "0, or 2 if it could not be asked")
    verb.add_argument("--kind", help="only of this kind")
    verb.add_argument("--status", choices=_STATES, help="only in this state")
    _add_since(verb)
    verb.add_argument("--until", metavar="TIME", help="only before this moment")
    _add_list(verb)
    codes = "0 completed, 1 failed, 3 cancelled, 4 not ended yet, 2 if it could not be asked"
    verb = _verb(verbs, "job", jobs.one_job, "show one job of a running app, or watch it to its end", codes)
    verb.add_argument("id", metavar="ID", help="the job")
    verb.add_argument("--watch", action="store_true", help="go on until it has ended")
    verb.add_argument("--interval", type=float, default=1.0, metavar="SECONDS", help="between two looks (default: 1)")
    verb.add_argument("--json", action="store_true", help="for other programs")


def _add_workflow(verbs: Any) -> None:
    text = "list the workflows of a running app, start a run of one, or draw a run"
    codes = "0 completed, or started; 1 failed, 3 cancelled, 4 not ended yet, 2 if it could not be asked"
    verb = _verb(verbs, "workflow", workflow.workflow, text, codes)
    verb.add_argument("name", nargs="?", metavar="NAME", help="the workflow to start; or the id of a run")
    verb.add_argument(
        "payload", nargs="?", metavar="JSON", help="the run's payload, or - to read it from standard input"
    )
    verb.add_argument("--watch", action="store_true", help="draw the run until it has ended")
    verb.add_argument("--interval", type=float, default=0.5, metavar="SECONDS", help="between two looks (default: 0.5)")
    verb.add_argument("--json", action="store_true", help="for other programs")
    verb = _verb(verbs, "event", workflow.event, "tell a run of an event", "0, or 2 if it was refused or not asked")
    verb.add_argument("id", metavar="ID", help="the run")
    verb.add_argument("event", metavar="NAME", help="the event")
    verb.add_argument("content", nargs="?", metavar="JSON", help="what it says, or - to read it from standard input")
    verb.add_argument("--json", action="store_true", help="for other programs")


def _add_letters(verbs: Any) -> None:
    text = "show what gave up: grouped by what it looks like, listed, or one"
    verb = _verb(verbs, "dead-letters", letters.dead_letters, text, "0, or 2 if it could not be asked")
    verb.add_argument("id", nargs="?", metavar="ID", help="one dead letter, whole")
    verb.add_argument("--list", action="store_true", help="each, in place of groups")
    verb.add_argument("--kind", help="only of this kind of job")
    verb.add_argument("--fingerprint", help="only with this fingerprint")
    _add_since(verb)
    verb.add_argument("--all", action="store_true", help="each, also what was replayed or discarded")
    verb.add_argument("--discard", metavar="REASON", help="set ID aside: it and its job may expire")
    _add_list(verb)


def _add_replay(verbs: Any) -> None:
    codes = "0 all replayed (or would be), 1 some refused, failed again, or not agreed to, 2 the app could not be asked"
    verb = _verb(verbs, "replay", replay.replay, "put dead letters of a running app back on their queue", codes)
    verb.add_argument("id", nargs="?", metavar="ID", help="one dead letter; without it, all that match")
    verb.add_argument("--kind", help="only of this kind of job")
    verb.add_argument("--fingerprint", help="only with this fingerprint")
    _add_since(verb)
    verb.add_argument("--dry-run", action="store_true", help="say what would happen, send nothing")
    verb.add_argument("--yes", action="store_true", help="replay however many match, without asking first")
    verb.add_argument(
        "--wait",
        type=float,
        default=30.0,
        metavar="SECONDS",
        help="how long to look what becomes of them (default: 30)",
    )
    verb.add_argument("--json", action="store_true", help="for other programs")
    verb.add_argument("--payload", type=Path, metavar="FILE", help="replay ID with the payload in FILE (JSON)")
    verb.add_argument(
        "--effect",
        action="append",
        metavar="NAME=done|not_done",
        help="how an effect of ID ended that asks about it; NAME=done:JSON gives its result; may be repeated",
    )


def _add_timers(verbs: Any) -> None:
    text = "show the timers of a running app, one's occurrences, or run one by hand"
    verb = _verb(verbs, "timers", timers.timers, text, "0, 1 if a timer is unhealthy, 2 if it could not be asked")
    verb.add_argument("name", nargs="?", metavar="NAME", help="the occurrences of this timer")
    verb.add_argument("--run", action="store_true", help="run NAME now")
    verb.add_argument("--scheduled-for", metavar="TIME", help="with --run: make up the occurrence of this moment")
    _add_list(verb, 30)


def _add_drain(verbs: Any) -> None:
    text = "let no further attempt start in a running app, and wait until none runs"
    verb = _verb(verbs, "drain", drain.drain, text, "0, 1 if something may still run, 2 if it could not be asked")
    verb.add_argument("--resume", action="store_true", help="let go on what a drain has paused")
    verb.add_argument("--timeout", type=float, default=600.0, metavar="SECONDS", help="default: 600")
    verb.add_argument(
        "--quiet", type=float, default=30.0, metavar="SECONDS", help="how long nothing must have run (default: 30)"
    )
    verb.add_argument("--interval", type=float, default=2.0, metavar="SECONDS", help="between two looks (default: 2)")


def _add_since(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--since", metavar="TIME", help="only since this moment, such as 2026-03-16T09:00:00Z")


def _add_list(verb: argparse.ArgumentParser, limit: int = 50) -> None:
    verb.add_argument("--limit", type=int, default=limit, metavar="N", help="at most so many (default: %(default)s)")
    verb.add_argument("--json", action="store_true", help="for other programs")
