"""Nothing that dev.py starts outlives it: real processes, really killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.environment import ROOT
from devtools.guard import GRACE_SECONDS, KILL, guarded

STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(f"{os.getppid()} {os.getpid()} {below.pid}")
time.sleep(600)
"""
PARENT = """
import sys, time
from devtools.guard import guarded
guarded([sys.executable, *sys.argv[1:]])
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def gone(pids: list[int], within: float) -> bool:
    deadline = time.monotonic() + within
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def pids_in(file: Path) -> list[int]:
    deadline = time.monotonic() + 120
    while len(words := file.read_text().split() if file.exists() else []) < 3:
        assert time.monotonic() < deadline, "the process did not come up"
        time.sleep(0.05)
    return [int(word) for word in words]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    """A parent, and the pids of guard, child and grandchild below it."""
    file = tmp_path / "pids"
    command = [sys.executable, "-c", PARENT, "-c", STUBBORN, str(file)]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as parent:
        try:
            yield parent, pids_in(file)
        finally:
            parent.kill()


def test_a_killed_parent_leaves_nothing_behind(family: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    parent, pids = family
    assert all(map(alive, pids))
    parent.kill()
    assert gone(pids, within=10)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_killed_guard_takes_its_child_along(family: tuple[subprocess.Popen[bytes], list[int]]) -> None:
    _, (guard, child, grandchild) = family
    os.kill(guard, signal.SIGKILL)
    assert gone([guard, child], within=60)
    os.kill(grandchild, signal.SIGKILL)  # beyond what the kernel ends by itself


def test_kill_is_at_once_and_for_all(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    with guarded([sys.executable, "-c", STUBBORN, file]) as process:
        pids = pids_in(file)
        started = time.monotonic()
        assert process.stdin
        process.stdin.write(KILL)
        process.stdin.flush()
        assert process.wait(60) == 128 + signal.SIGKILL
    assert time.monotonic() - started < GRACE_SECONDS
    assert gone(pids, within=60)


def test_a_closed_pipe_ends_it_in_good_order(tmp_path: Path) -> None:
    file = tmp_path / "said"
    polite = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1], 'a').write(' bye'), sys.exit(3)))\n"
        "open(sys.argv[1], 'w').write('a b c')\ntime.sleep(600)"
    )
    with guarded([sys.executable, "-c", polite, file]) as process:
        while not file.exists() or file.read_text() != "a b c":
            time.sleep(0.05)
        assert process.stdin
        process.stdin.close()
        assert process.wait(60) == 3
    assert file.read_text() == "a b c bye"


@pytest.mark.parametrize(
    ("code", "expected"), [("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_the_exit_code_is_the_commands_own(code: str, expected: int) -> None:
    with guarded([sys.executable, "-c", code]) as process:
        assert process.wait(20) == expected


def test_a_command_that_is_not_there_is_127(capfd: pytest.CaptureFixture[str]) -> None:
    with guarded(["no-such-command"]) as process:
        assert process.wait(20) == 127
    assert "cannot start no-such-command" in capfd.readouterr().err
