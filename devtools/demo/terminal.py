"""What the demo shows: chapters, expectations, jobs in progress, profiles."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence

from devtools.demo.client import FINAL, Json

_WIDTH = 20
_COLOURS = {"completed": "32", "running": "36", "queued": "33", "failed": "31", "kept": "32", "BROKEN": "31"}
_LIVE = sys.stdout.isatty()
_COLOURED = _LIVE and not os.environ.get("NO_COLOR")


def say(text: str = "") -> None:
    """Print a line at once."""
    print(text, flush=True)


def paint(text: str, word: str) -> str:
    """Colour a text by what it says, where the terminal can and may show colour."""
    return f"\033[{_COLOURS[word]}m{text}\033[0m" if _COLOURED and word in _COLOURS else text


class Story:
    """The run as it is told, and what did not go as it should."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._started = time.monotonic()

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        head = f"{time.monotonic() - self._started:3.0f} s  {title}"
        say(f"\n{head}\n{'-' * len(head)}")

    def expect(self, what: str, *, held: bool) -> None:
        """State an expectation and whether it held."""
        mark = "kept" if held else "BROKEN"
        say(f"  [{paint(mark, mark)}] {what}")
        if not held:
            self.broken.append(what)


class Board:
    """The jobs of one run: drawn in place on a terminal, one line for each change elsewhere."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._shown: dict[str, str] = {}

    def show(self, found: Sequence[Json]) -> None:
        """Show the jobs as they are now."""
        lines = {job["job_id"]: f"  {self._names[job['job_id']]:24} {_line(job)}" for job in found}
        if lines == self._shown:
            return
        if _LIVE:
            up = f"\033[{len(self._shown)}A" if self._shown else ""
            say(up + "\n".join(f"\033[2K{line}" for line in lines.values()))
        else:
            for job_id, line in lines.items():
                if self._shown.get(job_id) != line:
                    say(line)
        self._shown = lines


def _line(job: Json) -> str:
    status = job["status"]
    attempt = f"attempt {job['attempt']}" if job.get("attempt") else ""
    reason = f"{job['error']['type']}" if job.get("error") and status != "completed" else _step(job)
    return f"{_bar(job)} {paint(f'{status:9}', status)} {attempt:10} {reason}".rstrip()


def _bar(job: Json) -> str:
    progress = job.get("progress") or {"completed": 0, "total": 1}
    share = 1.0 if job["status"] == "completed" else progress["completed"] / max(progress["total"], 1)
    filled = round(share * _WIDTH)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"


def _step(job: Json) -> str:
    return "" if job["status"] in FINAL else str((job.get("progress") or {}).get("step", ""))


def show_profile(user_id: str, profile: Json) -> None:
    """Print the head of each facet of a profile as a small bar chart."""
    evidence = profile.get("evidence") or {}
    say(f"  {user_id}: " + (", ".join(f"{name} {value}" for name, value in evidence.items()) or "no evidence"))
    for facet, values in profile.get("facets", {}).items():
        shown = [f"{each['value']} {'*' * max(1, round(10 * each['weight']))}" for each in values[:3]]
        if any(each["n_up"] for each in values):  # else it is what everybody likes
            say(f"    {facet:10} " + "   ".join(shown))
