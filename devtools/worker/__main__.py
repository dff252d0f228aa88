"""The supervisor of `dev.py worker`: keeps its processes alive, serves health, and ends them gracefully."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from devtools.environment import say
from shared import declarations
from shared.monitor.workers import ROLES, Role
from shared.settings import Settings, SettingsError

_STOP_SECONDS = 30.0
"""How long processes have to end, before they are killed."""
_FASTEST, _SLOWEST = 1.0, 30.0
"""How long it waits before a process that died is started again: longer each time that it does not live for a minute."""


@dataclass
class Child:
    """One process, through all its lives."""

    role: Role
    number: int
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    restarts: int = 0
    wait: float = _FASTEST
    due: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None


@dataclass
class WorkerEngine:
    """The processes of one supervisor."""

    settings: Settings
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    started_at: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        """As many as the settings say."""
        counts = {"processing": self.settings.processing_workers, "source": self.settings.source_workers}
        self.children = [Child(role, number) for role in ROLES for number in range(counts[role])]
        self.instance = f"{platform.node()}-{os.getpid()}"

    def get_status(self) -> dict[str, Any]:
        """The status, in the form that ContentFlow's worker gave it."""
        return {
            "running": not self.stopping.is_set(),
            **{f"{role}_workers": self._of(role) for role in ROLES},
        }

    def run(self) -> None:
        """Keep the processes alive until it is told to stop; then end them."""
        while not self.stopping.is_set():
            for child in self.children:
                if not child.alive:
                    self._start(child)
            self.stopping.wait(0.2)
        self._end()

    def _of(self, role: Role) -> dict[str, Any]:
        workers = [
            {"id": child.number, "pid": child.process.pid if child.process else None, "alive": child.alive}
            for child in self.children
            if child.role == role
        ]
        return {"configured": len(workers), "active": sum(bool(each["alive"]) for each in workers), "workers": workers}

    def _start(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is not None and not child.due:
            child.wait = _FASTEST if now - child.started > 60 else min(child.wait * 2, _SLOWEST)
            child.due = now + child.wait
            child.restarts += 1
            say(
                f"  {child.role} worker {child.number} ended with exit code {child.process.returncode}: again in {child.wait:g} s"
            )
        if now < child.due:
            return
        command = [sys.executable, "-m", "devtools.worker.process", child.role, str(child.number), self.instance]
        child.process, child.started, child.due = subprocess.Popen(command), now, 0.0

    def _end(self) -> None:
        alive = [child.process for child in self.children if child.process and child.alive]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for process in alive:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def serve(engine: WorkerEngine) -> ThreadingHTTPServer:
    """Serve health, status and metrics; the server runs in a thread of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answers = {"/health": _health, "/status": _status, "/metrics": _metrics}
            answer = answers.get(self.path.partition("?")[0].rstrip("/"))
            body, sort = answer(engine) if answer else (b'{"detail": "not found"}', "application/json")
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", sort)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: who asks for health asks often."""

    server = ThreadingHTTPServer((engine.settings.worker_host, engine.settings.worker_port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def _health(engine: WorkerEngine) -> tuple[bytes, str]:
    whole = all(child.alive for child in engine.children)
    content = {
        "status": "healthy" if whole else "degraded",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "worker_name": engine.settings.worker_name,
    }
    return json.dumps(content).encode(), "application/json"


def _status(engine: WorkerEngine) -> tuple[bytes, str]:
    return json.dumps({**engine.get_status(), "worker_name": engine.settings.worker_name}).encode(), "application/json"


def _metrics(engine: WorkerEngine) -> tuple[bytes, str]:
    content = {
        "worker_name": engine.settings.worker_name,
        "uptime_seconds": round(time.time() - engine.started_at, 1),
        "restarts": sum(child.restarts for child in engine.children),
        **{f"{role}_workers_active": engine.get_status()[f"{role}_workers"]["active"] for role in ROLES},
    }
    return json.dumps(content).encode(), "application/json"


def main() -> int:
    """Run until SIGINT or SIGTERM."""
    try:
        settings = declarations.settings()
    except SettingsError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    engine = WorkerEngine(settings)
    if not engine.children:
        print("dev.py: NUM_PROCESSING_WORKERS and NUM_SOURCE_WORKERS are both 0", file=sys.stderr)
        return 2
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: engine.stopping.set())
    server = serve(engine) if settings.worker_api else None
    where = f", health at http://{settings.worker_host}:{server.server_port}/health" if server else ""
    say(
        f"  {settings.worker_name}: {settings.processing_workers} processing and {settings.source_workers} source workers{where}"
    )
    try:
        engine.run()
    finally:
        if server:
            server.shutdown()
    say("  stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
