"""`dev.py jobs`: the list. `dev.py job`: one, once or watched until it has ended."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TextIO

from devtools.operator.api import Api, NoAnswerError, Reply, segment
from devtools.operator.screen import show
from devtools.operator.text import ago, as_json, bar, clock, error_of, plain, span, where_of

_CODES = {"completed": 0, "failed": 1, "cancelled": 3}
NOT_ENDED = 4
_PATIENCE = 10
"""So many answers in a row may fail to come while a job is watched."""


def list_jobs(args: argparse.Namespace) -> int:
    """Print jobs, newest first."""
    wanted = {"kind": args.kind, "status": args.status, "since": args.since, "until": args.until}
    found = list(Api.of(args).items("jobs", wanted, args.limit))
    if args.json:
        print(as_json(found))
        return 0
    heads = ("JOB", "KIND", "STATUS", "ATTEMPT", "SUBMITTED", "TOOK", "SAYS")
    show(
        heads,
        ((j["job_id"], j["kind"], j["status"], j["attempt"], ago(j["created_at"]), _took(j), says(j)) for j in found),
    )
    return 0


def one_job(args: argparse.Namespace) -> int:
    """Print one job; with `--watch` go on until it has ended. The exit code tells the outcome."""
    api = Api.of(args)
    if args.watch:
        job = Watch(api, args.id, sys.stdout, args.interval).until_ended()
    else:
        job = api.get(f"jobs/{segment(args.id)}").content
    if args.json:
        if "results_excerpt" in job:
            job = api.get(f"jobs/{segment(args.id)}", {"results": "whole"}).content
        print(as_json(job))
    else:
        _print_whole(api, job, printed=args.watch)
    return _CODES.get(job["status"], NOT_ENDED)


def _print_whole(api: Api, job: dict[str, Any], *, printed: bool) -> None:
    facts = {
        "job": job["job_id"], "kind": job["kind"], "status": job["status"], "attempts": job["attempt"],
        "submitted": clock(job["created_at"]), "took": _took(job), "progress": _progress(job),
        "dead letter": job.get("dead_letter_id"), "replays": job.get("replays"), "part of": job.get("parent_id"), "error": error_of(job),
    }  # fmt: skip
    print("\n".join(f"{name:12} {plain(value)}" for name, value in facts.items() if value not in (None, "")))
    for line in where_of(job):
        print(f"{'':12} {line}")
    if "results" in job:
        print(f"{'results':12} {as_json(job['results'])}")
    if excerpt := job.get("results_excerpt"):
        print(f"{'results':12} {excerpt['bytes']} bytes, the whole of which --json prints; they begin:")
        print(plain(excerpt["start"]))
    if not printed:
        for entry in api.get(f"jobs/{segment(job['job_id'])}/history").content["items"]:
            print(entry_line(entry))
    if job["status"] not in _CODES:
        why = api.get(f"jobs/{segment(job['job_id'])}/explain").content["summary"]
        print(f"{'why':12} {why}")


def entry_line(entry: dict[str, Any]) -> str:
    """One line of a job's history."""
    detail = f"  {plain(entry['detail'])}" if entry.get("detail") else ""
    return f"  {clock(entry['at'])}  {entry['event']} (attempt {entry['attempt']}){detail}"


class Watch:
    """Follows a job: its history as it grows, and on a terminal a line with a bar that moves."""

    def __init__(
        self, api: Api, job_id: str, out: TextIO, interval: float, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._api = api
        self._path = f"jobs/{segment(job_id)}"
        self._out = out
        self._moving = out.isatty()
        self._interval = interval
        self._sleep = sleep
        self._printed = 0
        self._said = ""
        self._silent = 0

    def until_ended(self) -> dict[str, Any]:
        """Look again and again; return the job once it has ended."""
        version = ""
        while True:
            reply = self._poll()
            if reply is not None:
                job = reply.content
                if job["updated_at"] != version:
                    version = job["updated_at"]
                    self._tell_history()
                self._show(job, reply.retry_after)
                if job["status"] in _CODES:
                    self._clear()
                    return job
            self._sleep(self._interval)

    def _poll(self) -> Reply | None:
        """Ask; now and then no answer is no reason to stop."""
        try:
            reply = self._api.get(self._path)
        except NoAnswerError:
            self._silent += 1
            if self._silent > _PATIENCE:
                raise
            return None
        self._silent = 0
        return reply

    def _tell_history(self) -> None:
        """Print what has happened since the last look."""
        try:
            entries = self._api.get(f"{self._path}/history").content["items"]
        except NoAnswerError:
            return
        for entry in entries[self._printed :]:
            self._clear()
            print(entry_line(entry), file=self._out, flush=True)
        self._printed = len(entries)

    def _show(self, job: dict[str, Any], eta: int | None) -> None:
        line = "  ".join(filter(None, (job["status"], _progress(job), f"about {span(eta)} to go" if eta else "")))
        if self._moving:
            self._out.write(f"\r\x1b[2K{line}")
            self._out.flush()
        elif (said := f"{job['status']}  {_progress(job)}".rstrip()) != self._said:
            self._said = said
            print(line, file=self._out, flush=True)

    def _clear(self) -> None:
        if self._moving:
            self._out.write("\r\x1b[2K")
            self._out.flush()


def _progress(job: dict[str, Any]) -> str:
    """How far it is; of one that waits for another attempt, what the last one met, and when the next is due."""
    if job["status"] == "queued" and job["attempt"]:
        due = datetime.fromisoformat(job["next_attempt_at"]) if job.get("next_attempt_at") else None
        seconds = (due - datetime.now(UTC)).total_seconds() if due else 0
        soon = f"retry in {span(seconds)}" if seconds > 0 else "retry due"
        return f"{soon}: {error_of(job)}" if job.get("error") else soon
    progress = job.get("progress")
    return f"{bar(progress['completed'], progress['total'])}  {plain(progress['step'])}" if progress else ""


def _took(job: dict[str, Any]) -> str:
    if not (job.get("started_at") and job.get("finished_at")):
        return ""
    return span(
        (datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["started_at"])).total_seconds()
    )


def says(job: dict[str, Any]) -> str:
    """What is to be said of a job in a list."""
    return error_of(job) if job["status"] == "failed" else _progress(job)
