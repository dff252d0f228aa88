"""Run one command that cannot outlive whoever started it: ``python guard.py COMMAND...``.

The guard's standard input is a pipe from its parent. When the parent dies, however it dies, the pipe ends, and the
guard stops the command with everything the command started: first SIGTERM, then SIGKILL. A parent that wants the
command gone at once, as if power had failed, writes ``KILL``. Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

KILL = b"K"
"""What a parent writes to have the command killed at once."""
GRACE_SECONDS = 5.0
_PR_SET_PDEATHSIG = 1


def guarded(command: Sequence[str | Path], **options: Any) -> subprocess.Popen[bytes]:
    """Start a command under a guard; it is stopped when this process ends or closes the `stdin` of what is returned.

    Args:
        command: the program and its arguments.
        options: of `subprocess.Popen`; not `stdin`, which is the guard's pipe. Do not use `communicate`: it closes it.
    """
    arguments = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), *(str(part) for part in command)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, start_new_session=True, **options)


def main(command: list[str]) -> int:
    """Run the command to its end, or the parent's; return its exit code (128 + signal, as a shell does)."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the parent decides, through the pipe
        signal.signal(ignored, signal.SIG_IGN)
    try:
        child = _start(command)
    except OSError as error:
        print(f"cannot start {command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    threading.Thread(target=_watch, args=(child,), daemon=True).start()
    code = child.wait()
    _signal(child, kill=True)  # what it left behind in its group
    return code if code >= 0 else 128 - code


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    if sys.platform == "win32":
        return subprocess.Popen(command, stdin=subprocess.DEVNULL)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_prepare)  # noqa: PLW1509 (no thread runs yet)


def _prepare() -> None:
    """In the child, before the command: undo the ignored signals, and die with the guard even if that is SIGKILLed."""
    for restored in (signal.SIGINT, signal.SIGTERM):
        signal.signal(restored, signal.SIG_DFL)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _watch(child: subprocess.Popen[bytes]) -> None:
    if os.read(sys.stdin.fileno(), 1) == KILL:
        _signal(child, kill=True)
        return
    _signal(child, kill=False)
    try:
        child.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        _signal(child, kill=True)


def _signal(child: subprocess.Popen[bytes], *, kill: bool) -> None:
    if sys.platform == "win32":
        subprocess.run(["taskkill", "/T", "/F", "/PID", str(child.pid)], check=False, capture_output=True)
        return
    try:
        os.killpg(child.pid, signal.SIGKILL if kill else signal.SIGTERM)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        return


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
