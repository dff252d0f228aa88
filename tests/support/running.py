"""The real app under devhost, as a process that tests kill.

With NIGHTSHIFT_LISTENER, the path of Microsoft's `queue-listener`, that one reads its queues (`support.bridge`).
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from devtools.guard import KILL, guarded
from support.node import free_ports

ACCEPTED, CONFLICT = 202, 409
REPOSITORY = Path(__file__).parents[2]
LISTENER = os.environ.get("NIGHTSHIFT_LISTENER", "")


class RunningApp:
    """The app, started and killed as often as a test likes, always on the same port; it never outlives the test."""

    def __init__(self, connection: str, folder: Path, *, app: Path = REPOSITORY, **environ: str) -> None:
        self._app = app
        (self.port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = folder / "devhost.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AZURE", "COSMOS", "TASTE"))},
            "AzureWebJobsStorage": connection,
            "NIGHTSHIFT_SQLITE_PATH": str(folder / "nightshift.db"),
            "JOBS_LEASE_SECONDS": "3",
            "JOBS_SWEEP_SCHEDULE": "*/2 * * * * *",
            "JOBS_SWEEP_GRACE_SECONDS": "2",
            "DEVHOST_MESSAGE_LEASE_SECONDS": "5",
            "DEVHOST_TIMER_LOCK_SECONDS": "15",
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]),
            **environ,
        }

    async def start(self) -> None:
        """Start, and wait until it answers."""
        module = ("support.bridge", "--listener", LISTENER) if LISTENER else ("devhost",)
        command = (sys.executable, "-m", *module, "--app", str(self._app), "--port", str(self.port))
        with self._log.open("ab") as log:
            self._process = guarded(command, cwd=REPOSITORY, env=self._environ, stdout=log, stderr=subprocess.STDOUT)
        async with asyncio.timeout(180), httpx.AsyncClient(timeout=30) as client:
            while not await _answers(client, f"{self.url}/api/health"):
                assert self._process.poll() is None, self.output()[-4000:]
                await asyncio.sleep(0.1)

    async def keep(self) -> None:
        """Start it again whenever it ends by itself, as the platform does; cancel this before it is killed."""
        while True:
            assert self._process is not None
            assert self._process.stdin is not None
            await asyncio.to_thread(self._process.wait)
            self._process.stdin.close()
            await self.start()

    async def kill(self) -> None:
        """SIGKILL."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.write(KILL)
        self._process.stdin.close()
        await asyncio.to_thread(self._process.wait)
        self._process = None

    async def stand_still(self, seconds: float) -> None:
        """SIGSTOP, and SIGCONT after a while: the process finds that time has passed, and its leases with it."""
        assert self._process is not None
        find = ("pgrep", "-P", str(self._process.pid))  # the guard's only child leads the group
        group = int(await asyncio.to_thread(subprocess.check_output, find))
        os.killpg(group, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.killpg(group, signal.SIGCONT)

    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(errors="replace")


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.HTTPError:
        return False


async def insist(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> httpx.Response:
    """Ask until the app answers with something other than an error of its own, as a client is told to do.

    Less and less often: hundreds that ask all the time would leave a busy machine no time to answer.
    """
    pause = 0.2
    while True:
        try:
            response = await client.request(method, url, **options)
        except httpx.HTTPError:
            response = None
        if response is not None and response.status_code < 500:
            return response
        await asyncio.sleep(pause)
        pause = min(2 * pause, 3.0)


async def ask(client: httpx.AsyncClient, kind: str, payload: Mapping[str, Any], key: str) -> str:
    """Ask for one job, however often the app dies meanwhile; its ticket."""
    body, headers = {"payload": payload}, {"Idempotency-Key": key}
    while True:
        answer = await insist(client, "POST", f"/api/jobs/{kind}", json=body, headers=headers)
        if answer.status_code == CONFLICT:  # who took the first request with this key was killed, or stands still
            await asyncio.sleep(1)
            continue
        assert answer.status_code == ACCEPTED, answer.text
        return str(answer.json()["job_id"])
