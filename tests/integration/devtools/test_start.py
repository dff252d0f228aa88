"""`dev.py start` with the real app, Azurite and host: it serves, stops in order, and leaves nothing behind when killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient

from devtools.environment import NODE_MODULES, ROOT, TroubleError
from devtools.services import app, free_ports, is_free
from support.azurite import AzuriteProcess


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A running `start` and its port."""
    port = free_ports(1)[0]
    env = {name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobsStorage")}
    command = [sys.executable, "-m", "devtools.start", "--port", str(port), "--data", str(tmp_path / "data")]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            _await(lambda: _serves(port) or process.poll() is not None)
            yield process, port
        finally:
            process.kill()


def test_it_serves_the_app_and_stops_on_ctrl_c(started: tuple[subprocess.Popen[bytes], int], tmp_path: Path) -> None:
    process, port = started
    assert _serves(port)
    below = _below(process.pid)
    assert any("azurite" in line for line in below.values())
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    assert not _alive(below)
    assert (tmp_path / "data/azurite/__azurite_db_queue__.json").exists()


def test_killed_it_leaves_nothing_behind(started: tuple[subprocess.Popen[bytes], int]) -> None:
    process, port = started
    below = _below(process.pid)
    assert len(below) == 4  # two guards, and the two that they guard
    process.kill()
    process.wait()
    _await(lambda: not _alive(below), within=60)
    assert is_free(port)


@pytest.mark.slow
def test_with_reload_the_app_is_started_again_once_its_code_has_changed(tmp_path: Path) -> None:
    """On a copy of the app; one that cannot start does not end it either."""
    copy = tmp_path / "app"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "node_modules", ".nightshift", "__pycache__", "tests", "docs", ".mypy_cache"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    port = free_ports(1)[0]
    env = {name: value for name, value in os.environ.items() if not name.startswith("AzureWebJobsStorage")}
    env |= {"NIGHTSHIFT_NODE_MODULES": str(NODE_MODULES), "PYTHONPATH": str(copy)}
    command = [
        sys.executable,
        "-m",
        "devtools.start",
        "--port",
        str(port),
        "--data",
        str(tmp_path / "data"),
        "--reload",
    ]
    with subprocess.Popen(command, cwd=copy, env=env, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            _line(process.stdout, "Ctrl-C stops it")
            said = copy / "shared/api/greeting.py"
            text = said.read_text()
            said.write_text(text.replace('"name": "Nightshift"', '"name": "Changed"'))
            assert "shared/api/greeting.py" in _line(process.stdout, "changed:")
            _line(process.stdout, "ready:")
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=30) as response:
                assert json.load(response)["name"] == "Changed"
            said.write_text("this is no Python")
            _line(process.stdout, "waiting for the next change")
            said.write_text(text)
            _line(process.stdout, "ready:")
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _line(lines: Iterable[str], wanted: str) -> str:
    return next(line for line in lines if wanted in line)


def test_under_func_the_queues_are_there_before_the_host(azurite: AzuriteProcess, tmp_path: Path, unique: str) -> None:
    """And what runs is `func` itself, in the same process: who stops it stops its group, workers and all."""
    func = tmp_path / "func"
    func.write_text(f"#!{sys.executable}\nimport os, sys\nprint(os.getpid(), *sys.argv[1:])\n")
    func.chmod(0o755)
    env = {**os.environ, "AzureWebJobsStorage": azurite.connection_string, "TASTE_JOB_QUEUE_NAME": unique}
    command = [sys.executable, "-m", "devtools.func", str(func), "7071"]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True) as process:
        told, _ = process.communicate(timeout=60)
    assert told.split() == [str(process.pid), "start", "--port", "7071"]
    with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        made = {queue.name for queue in service.list_queues()}
    assert {unique, f"{unique}-poison"} <= made


def test_an_app_that_says_that_it_cannot_start_is_quoted() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(503)
            self.send_header("Content-Type", "application/problem+json")
            self.end_headers()
            self.wfile.write(b'{"title": "Not started", "detail": "JOBS_LEASE_SECONDS must be a number"}')

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = app({}, server.server_port)
        with pytest.raises(TroubleError, match="cannot start: JOBS_LEASE_SECONDS must be a number"):
            service.answers()
        server.shutdown()


def _serves(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def _below(pid: int) -> dict[int, str]:
    """Every process below one, with its command line."""
    rows = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    table = [(int(row.split()[0]), int(row.split()[1]), row.split(None, 2)[2]) for row in rows.splitlines()]
    found = {pid: ""}
    while more := {one: args for one, parent, args in table if parent in found and one not in found}:
        found |= more
    return {one: args for one, args in found.items() if one != pid and not args.startswith("ps ")}


def _alive(pids: dict[int, str]) -> bool:
    command = ["ps", "-o", "stat=", "-p", ",".join(map(str, pids))]
    states = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return any(not state.startswith("Z") for state in states)


def _await(condition: object, within: float = 60) -> None:
    assert callable(condition)
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
