"""The processes that the app needs on one machine: Azurite and a Functions host. Each ends with whoever started it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from devtools.environment import NODE_MODULES, ROOT, TroubleError
from devtools.guard import KILL, guarded

_AZURITE = NODE_MODULES / "azurite/dist/src/azurite.js"
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's published account key: the same on every machine, and no secret."""
_HOST = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that are free now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((_HOST, 0))
        return [one.getsockname()[1] for one in sockets]


def is_free(port: int) -> bool:
    """Whether nothing listens on this port of the loopback interface."""
    with socket.socket() as one:
        one.settimeout(1)
        return one.connect_ex((_HOST, port)) != 0


@dataclass
class Service:
    """One process that others talk to. As a context manager it runs from entry to exit."""

    name: str
    address: str
    """What a client needs to find it: a connection string or a URL."""
    command: Sequence[str | Path]
    answers: Callable[[], bool]
    """Whether it is ready for work."""
    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    log: Path | None = None
    """File for what it prints; None for the terminal."""
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.stop()

    def start(self, timeout: float = 60) -> None:
        """Start, and wait until it answers; TroubleError where it ends, stays silent, or is stopped meanwhile by another thread."""
        with self._output() as output:
            self._process = started = guarded(self.command, cwd=ROOT, env=self.env, stdout=output, stderr=output)
        deadline = time.monotonic() + timeout
        try:
            while not self.answers():
                if self._process is not started:
                    raise TroubleError(f"{self.name} was stopped")
                self._check(deadline)
                time.sleep(0.05)
        except BaseException:
            self.stop()
            raise

    @property
    def ended(self) -> bool:
        """Whether it was started, and has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def wait(self) -> int:
        """Wait for it to end by itself; return its exit code."""
        return self._process.wait() if self._process else 0

    def stop(self) -> None:
        """End it in good order, or after a few seconds by force. Safe to call twice."""
        if self._process and self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once with everything it started, as a crash would."""
        if self._process and self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(KILL)
                self._process.stdin.flush()
            self._process.wait()
        self.stop()

    def _output(self) -> contextlib.AbstractContextManager[IO[bytes] | None]:
        return self.log.open("ab") if self.log else contextlib.nullcontext()

    def _check(self, deadline: float) -> None:
        if self._process and self._process.poll() is not None:
            raise TroubleError(f"{self.name} ended with exit code {self._process.returncode}{self._tail()}")
        if time.monotonic() > deadline:
            raise TroubleError(f"{self.name} does not answer{self._tail()}")

    def _tail(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:] if self.log else []
        return "".join(f"\n  {line}" for line in lines)


def azurite(folder: Path) -> Service:
    """The emulated storage account on free ports, its data in a folder; its address is a connection string."""
    if not _AZURITE.exists():
        raise TroubleError("Azurite is not installed: run `python dev.py setup`")
    folder.mkdir(parents=True, exist_ok=True)
    ports = dict(zip(("blob", "queue", "table"), free_ports(3), strict=True))
    command: list[str | Path] = ["node", _AZURITE, "--silent", "--disableTelemetry", "--skipApiVersionCheck"]
    for service, port in ports.items():
        command += [f"--{service}Host", _HOST, f"--{service}Port", str(port)]
    return Service(
        name="Azurite",
        address=_connection_string(ports),
        command=[*command, "--location", folder],
        answers=lambda: not any(is_free(port) for port in ports.values()),
        log=folder.with_suffix(".log"),
    )


def _connection_string(ports: Mapping[str, int]) -> str:
    endpoints = {f"{name.title()}Endpoint": f"http://{_HOST}:{port}/{_ACCOUNT}" for name, port in ports.items()}
    parts = {"DefaultEndpointsProtocol": "http", "AccountName": _ACCOUNT, "AccountKey": _KEY, **endpoints}
    return ";".join(f"{name}={value}" for name, value in parts.items())


def app(settings: Mapping[str, str], port: int, log: Path | None = None) -> Service:
    """The app under a Functions host, `func` where it works, else devhost; its address is a URL.

    Args:
        settings: app settings, over those of the environment and of `local.settings.json`.
        port: of the loopback interface.
        log: a file for what the host prints; None for the terminal.
    """
    func = find_func()
    own = [sys.executable, "-m", "devhost", "--port", str(port), "--app", str(ROOT), "--grace", "3"]
    url = f"http://{_HOST}:{port}"
    return Service(
        name="func" if func else "devhost",
        address=url,
        command=[sys.executable, "-m", "devtools.func", func, str(port)] if func else own,
        answers=lambda: _has_functions(url),
        env={"FUNCTIONS_WORKER_RUNTIME": "python", **os.environ, **settings},
        log=log,
    )


def _has_functions(url: str) -> bool:
    """A host listens before it has loaded the functions; until then it knows no route.

    Raises:
        TroubleError: where the app itself says that it cannot start, with what it says.
    """
    try:
        with urllib.request.urlopen(f"{url}/api/health", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        if error.code == 503 and error.headers.get_content_type() == "application/problem+json":
            raise TroubleError(f"the app cannot start: {_detail(error.read())}") from None
        return error.code not in (404, 500, 502, 503)
    except OSError:
        return False


def _detail(problem: bytes) -> str:
    try:
        content = json.loads(problem)
        return str(content.get("detail") or content.get("title"))
    except (ValueError, AttributeError):
        return "it does not say why"


def find_func() -> str | None:
    """The command of Azure Functions Core Tools, on the path or from npm, if it runs."""
    for found in (shutil.which("func"), shutil.which("func", path=str(NODE_MODULES / ".bin"))):
        if found and _runs(found):
            return found
    return None


def _runs(func: str) -> bool:
    try:
        return subprocess.run([func, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
