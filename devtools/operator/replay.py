"""`dev.py replay`: put dead letters back: looked at first, asked about, each one once, and followed until it is known what came of it."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from devtools.operator.api import Api, NoAnswerError, RefusedError, segment
from devtools.operator.text import as_json, plain, span

_DONE = ("replayed", "would_replay")
_AT_ONCE = 50
"""Jobs that one request asks for."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
"""Seconds between two looks at what became of the jobs."""


def replay(args: argparse.Namespace) -> int:
    """Replay one dead letter, or all that match. Exit code 1: some were refused, or have failed again."""
    if (args.payload or args.effect) and not args.id:
        raise RefusedError(f"--{'payload' if args.payload else 'effect'} goes with the ID of one dead letter")
    if args.id and (args.kind or args.fingerprint or args.since):
        raise RefusedError("give either the ID of one dead letter or what they have in common, not both")
    api = Api.of(args)
    results = _one(api, args) if args.id else _many(api, args)
    if results is None:
        return 1
    refused = [result for result in results if result["outcome"] not in _DONE]
    if not args.json:
        _report(results, refused, dry_run=args.dry_run, each=bool(args.id))
    replayed = {result["job_id"]: result["dead_letter_id"] for result in results if result["outcome"] == "replayed"}
    after = None
    if replayed and args.wait > 0:
        after = Aftermath(api, replayed).watched(args.wait)
        if not args.json:
            print(after.words)
    if args.json:
        print(as_json({"results": results, "after": after.counts if after else None}))
    return 1 if refused or (after and after.failed) else 0


def _one(api: Api, args: argparse.Namespace) -> list[dict[str, Any]]:
    body: dict[str, Any] = {"dry_run": args.dry_run}
    if args.payload:
        body["payload"] = _payload(args)
    if args.effect:
        body["effects"] = dict(map(_answered, args.effect))
    return [api.post(f"dead-letters/{segment(args.id)}/replay", body).content]


def _many(api: Api, args: argparse.Namespace) -> list[dict[str, Any]] | None:
    """Replay those of this moment that match, if whoever asks says yes to their number; None: they did not."""
    wanted = {name: getattr(args, name) for name in ("kind", "fingerprint", "since") if getattr(args, name)}
    pages = list(_pages(api, {"filter": wanted, "dry_run": True}))
    looked = [result for page in pages for result in page["results"]]
    count = sum(result["outcome"] in _DONE for result in looked)
    if args.dry_run or not count:
        return looked
    if not (args.yes or _agreed(count, len(looked) - count)):
        return None
    snapshot = {**wanted, "until": pages[0]["until"]}
    return [result for page in _pages(api, {"filter": snapshot, "dry_run": False}) for result in page["results"]]


def _pages(api: Api, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Answers to a request for many, from the newest to the oldest: going on from the cursor meets none twice."""
    while True:
        page = api.post("dead-letters/replay", body).content
        yield page
        if page.get("cursor") is None:
            return
        body = {**body, "filter": {**body["filter"], "until": page["until"]}, "cursor": page["cursor"]}


def _agreed(count: int, refused: int) -> bool:
    """Ask, on a terminal; elsewhere nobody would answer."""
    letters = "1 dead letter" if count == 1 else f"{count} dead letters"
    if not sys.stdin.isatty():
        raise RefusedError(f"{letters} would be replayed: say --yes (there is no terminal to ask on)")
    others = f" ({refused} cannot be: see --dry-run)" if refused else ""
    print(f"replay {letters}{others}? [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() in ("y", "yes"):
        return True
    print("nothing was replayed")
    return False


def _answered(text: str) -> tuple[str, dict[str, Any]]:
    """What `NAME=done`, `NAME=done:JSON` or `NAME=not_done` says of an effect; the name may hold `=` itself."""
    name, _, said = text.rpartition("=") if "=done:" not in text else text.partition("=done:")
    if "=done:" in text:
        try:
            return name, {"outcome": "done", "result": json.loads(said)}
        except ValueError as error:
            raise RefusedError(f"--effect {name}: the result is not JSON ({error})") from None
    if not name or said not in ("done", "not_done"):
        raise RefusedError(f"--effect {text}: say NAME=done, NAME=done:JSON or NAME=not_done")
    return name, {"outcome": said}


def _payload(args: argparse.Namespace) -> Any:
    try:
        return json.loads(args.payload.read_bytes())
    except OSError as error:
        raise RefusedError(f"{args.payload}: {error.strerror}") from None
    except ValueError as error:
        raise RefusedError(f"{args.payload}: not JSON ({error})") from None


def _report(results: list[dict[str, Any]], refused: list[dict[str, Any]], *, dry_run: bool, each: bool) -> None:
    for result in results if each else refused:
        details = (result.get("job_id") and f"job {result['job_id']}", result.get("detail"))
        words = [result["dead_letter_id"], result["outcome"].replace("_", " "), *map(plain, filter(None, details))]
        print("  ".join(words))
    verb = "would be replayed" if dry_run else "replayed"
    print(f"{len(results) - len(refused)} {verb}, {len(refused)} refused", flush=True)


class Aftermath:
    """What becomes of jobs that were replayed."""

    def __init__(self, api: Api, replayed: dict[str, str], sleep: Callable[[float], None] = time.sleep) -> None:
        """Take the jobs that were replayed, each with the dead letter that it had."""
        self._api = api
        self._letters = replayed
        self._going = set(replayed)
        self._sleep = sleep
        self._seconds = 0.0
        self.completed = self.failed = self.cancelled = 0

    @property
    def counts(self) -> dict[str, int]:
        """For other programs."""
        ended = {"completed": self.completed, "failed_again": self.failed, "cancelled": self.cancelled}
        return {**ended, "not_ended": len(self._going)}

    @property
    def words(self) -> str:
        """How it went, in a line; the figures that are not zero."""
        said = (f"{count} {name.replace('_', ' ')}" for name, count in self.counts.items() if count)
        hint = "; they have new dead letters: dev.py dead-letters" if self.failed else ""
        return f"after {span(self._seconds)}: {', '.join(said)}{hint}"

    def watched(self, seconds: float) -> Aftermath:
        """Look until all have ended, or for so long."""
        began, pause = time.monotonic(), _FIRST_PAUSE
        while True:
            self._look()
            self._seconds = time.monotonic() - began
            if not self._going or self._seconds >= seconds:
                return self
            self._sleep(min(pause, max(0.0, seconds - self._seconds)))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def _look(self) -> None:
        try:
            for job in self._jobs(sorted(self._going)):
                self._count(job)
        except NoAnswerError:
            return  # it is asked again, as long as there is time

    def _jobs(self, ids: list[str]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(ids), _AT_ONCE):
            yield from self._api.get("jobs", {"ids": ",".join(ids[start : start + _AT_ONCE])}).content["items"]

    def _count(self, job: dict[str, Any]) -> None:
        job_id, status = job["job_id"], job["status"]
        if status == "failed" and job.get("dead_letter_id") == self._letters[job_id]:
            return  # the index does not show the replay yet
        self.completed += status == "completed"
        self.failed += status == "failed"
        self.cancelled += status == "cancelled"
        if status in ("completed", "failed", "cancelled"):
            self._going.discard(job_id)
