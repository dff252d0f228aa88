"""The parent's side of a sandbox: warm children, each killed and replaced where it exceeds what it may use."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from shared.sandbox.child import READY
from shared.sandbox.limits import Failure, Limits, Why
from shared.sandbox.wire import pack, read_answer

P = ParamSpec("P")
T = TypeVar("T")

LOG = logging.getLogger("nightshift.sandbox")
_ROOT = Path(__file__).resolve().parents[2]
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "TMPDIR")
"""What a child needs to find its interpreter. Everything else may be a secret."""
_PATIENCE = 12
"""Seconds of waiting for each second of CPU time that a call may take: other processes want the processor too."""
_LONGEST_START = 60.0
_WHY: dict[int, Why] = {signal.SIGXCPU: Why.TIME, signal.SIGABRT: Why.MEMORY}
"""What it says how a child ended. Libraries in C++ and Rust that get no more memory abort."""
_LARGEST_ANSWER = 64 * 2**20
_MOST_CALLS = 2000
"""Calls after which a child is replaced: what its libraries never give back does not add up."""


class SandboxError(RuntimeError):
    """The sandbox's child process does not start."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a sandbox has done."""

    calls: int = 0
    started: int = 0
    """Children."""
    killed: int = 0
    """Children that exceeded their limits, or crashed."""


class Sandbox:
    """Runs functions in child processes. Children start when they are needed, and wait for the next call after one."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._threads: ThreadPoolExecutor | None = None
        self.figures = Figures()

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | Failure:
        """Call a function in a child process; what it raises, or exceeds, is a value.

        Args:
            function: a function of a module of this app, which the child imports by its name.
            args: plain values, as the result must be one.
            kwargs: the same.

        Raises:
            SandboxError: no child can be started.
        """
        call = _Call(self, pack((function, args, kwargs)))
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._executor(), call.made)
        except asyncio.CancelledError:
            call.stop()
            raise
        if isinstance(answer, Failure) and answer.why is not Why.RAISED:
            LOG.warning("sandbox: function=%s ended=%s", getattr(function, "__name__", "?"), answer.why.value)
        return answer  # type: ignore[no-any-return]

    def peak_memory(self) -> int:
        """Bytes of memory that a child which waits now held at worst. None is larger than its limit."""
        with self._lock:
            return max((child.peak_memory() for child in self._idle), default=0)

    def close(self) -> None:
        """End the children; a later call starts new ones."""
        with self._lock:
            threads, self._threads = self._threads, None
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()
        if threads:
            threads.shutdown(wait=False, cancel_futures=True)

    def take(self) -> _Child:
        """A child that waits, or a new one."""
        with self._lock:
            child = self._idle.pop() if self._idle else None
            self.figures = replace(self.figures, calls=self.figures.calls + 1)
        if child and child.alive:
            return child
        started = _Child(self._limits)
        with self._lock:
            self.figures = replace(self.figures, started=self.figures.started + 1)
        return started

    def give(self, child: _Child, *, sound: bool) -> None:
        """Take a child back after a call; one that is not sound is ended."""
        with self._lock:
            if sound and child.calls < _MOST_CALLS and self._threads is not None:
                self._idle.append(child)
                return
            self.figures = replace(self.figures, killed=self.figures.killed + (not sound))
        child.end()

    def _executor(self) -> ThreadPoolExecutor:
        """Threads of the sandbox's own: each waits for one child, and nothing else ever waits for them."""
        with self._lock:
            if self._threads is None:
                self._threads = ThreadPoolExecutor(self._limits.processes, thread_name_prefix="sandbox")
            return self._threads


class _Call:
    """One call, made in a thread; it can be stopped from another."""

    def __init__(self, pool: Sandbox, data: bytes) -> None:
        self._pool = pool
        self._data = data
        self._lock = threading.Lock()
        self._child: _Child | None = None
        self._stopped = False

    def made(self) -> Any:
        """Call, and wait for the answer."""
        child = self._pool.take()
        with self._lock:
            self._child = child
        answer: Any = Failure(Why.DIED)
        try:
            if not self._stopped:
                answer = child.ask(self._data)
        finally:
            with self._lock:
                self._child = None
            sound = not self._stopped and not (isinstance(answer, Failure) and answer.why is not Why.RAISED)
            self._pool.give(child, sound=sound)
        return answer

    def stop(self) -> None:
        """Nobody waits for the answer any longer."""
        with self._lock:
            self._stopped = True
            if self._child:
                self._child.kill()


class _Child:
    """One child process."""

    def __init__(self, limits: Limits) -> None:
        self._patience = limits.seconds * _PATIENCE
        self.calls = 0
        self._connection, theirs = Pipe()
        with theirs:
            arguments = [str(each) for each in (theirs.fileno(), limits.memory, limits.seconds)]
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                [sys.executable, "-m", "shared.sandbox.child", *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=_ROOT,
                env=_environment(),
            )
        if self._reply(_LONGEST_START) != READY:
            self.end()
            raise SandboxError(f"{SandboxError.__doc__} (exit code {self._process.returncode})")

    @property
    def alive(self) -> bool:
        """Whether it waits for calls."""
        return self._process.poll() is None

    def peak_memory(self) -> int:
        """Bytes that it held at worst; nothing where the system does not tell."""
        try:
            status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        except OSError:
            return 0
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) * 1024 if found else 0

    def ask(self, data: bytes) -> Any:
        """Hand it a call, and wait for the answer."""
        self.calls += 1
        with suppress(OSError):
            self._connection.send_bytes(data)
        reply = self._reply(self._patience)
        return self._ending() if reply is None else read_answer(reply)

    def kill(self) -> None:
        """End it at once; whoever waits for its answer sees the end of the connection."""
        self._process.kill()

    def end(self) -> None:
        """End it, and leave nothing of it."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _reply(self, seconds: float) -> bytes | None:
        """What it sends; None where it sends nothing in time, or ends."""
        with suppress(OSError, EOFError):
            if self._connection.poll(seconds):
                return self._connection.recv_bytes(_LARGEST_ANSWER)
        return None

    def _ending(self) -> Failure:
        """How a process ended that was asked and did not answer."""
        with suppress(subprocess.TimeoutExpired):
            ended = self._process.wait(1)
            return Failure(_WHY.get(-ended, Why.DIED), detail=f"exit code {ended}")
        return Failure(Why.TIME)


def _environment() -> dict[str, str]:
    given = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **given,
        "PYTHONPATH": os.pathsep.join(str(Path(each).resolve()) for each in sys.path),
        "PYTHONUTF8": "1",
        "MALLOC_ARENA_MAX": "2",  # of address space, of which there is a limit, each thread would reserve 64 MiB
    }
