"""devhost as a process of its own: what it prints, its exit codes, signals, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.queue.aio import QueueClient

from support.azurite import AzuriteProcess

REPOSITORY = Path(__file__).parents[2]
APP = """
import asyncio, logging, os, time
import azure.functions as func

app = func.FunctionApp()

@app.route(route="env/{name}", methods=["GET"])
async def env(req: func.HttpRequest) -> func.HttpResponse:
    logging.info("asked for a setting")
    return func.HttpResponse(os.environ.get(req.route_params["name"], "") + " in " + os.path.basename(os.getcwd()))

@app.route(route="hang")
def hang(req: func.HttpRequest) -> str:
    print("hanging", flush=True)
    time.sleep(60)
    return ""

@app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage) -> None:
    print(f"run {message.dequeue_count} of {message.get_body().decode()}", flush=True)
    await asyncio.sleep(float(message.get_body()))

@app.timer_trigger("timer", schedule="0 0 3 1 1 *")
def nightly(timer: func.TimerRequest) -> None:
    pass
"""


class DevhostProcess:
    """A running devhost and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output = ""
        self._reading = asyncio.create_task(self._read())

    async def until(self, check: Callable[[str], Any], seconds: float = 20.0) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := check(self.output)):
            assert time.monotonic() < deadline, self.output
            await asyncio.sleep(0.02)
        return found

    async def url(self) -> str:
        found = await self.until(lambda output: re.search(r"Listening on (http://\S+)", output))
        return str(found[1])

    async def ended(self, seconds: float = 15.0) -> int:
        async with asyncio.timeout(seconds):
            await self._reading
            return await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.output += line.decode()


class Bench:
    def __init__(self, app_dir: Path, connection: str, queue: QueueClient) -> None:
        self.app_dir = app_dir
        self.queue = queue
        values = {"AzureWebJobsStorage": connection, "QUEUE": queue.queue_name, "A": "file", "B": "file"}
        (app_dir / "local.settings.json").write_text(json.dumps({"Values": values}))
        (app_dir / "host.json").write_text(json.dumps({"extensions": {"queues": {"maxPollingInterval": "00:00:00.2"}}}))
        (app_dir / "function_app.py").write_text(APP)

    @asynccontextmanager
    async def run(self, *arguments: str, **environ: str) -> AsyncIterator[DevhostProcess]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "devhost", "--app", str(self.app_dir), "--port", "0", *arguments),
            cwd=REPOSITORY,
            env={**os.environ, **environ},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        devhost = DevhostProcess(process)
        try:
            yield devhost
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await devhost.ended()

    async def send(self, seconds: float) -> None:
        await self.queue.send_message(base64.b64encode(str(seconds).encode()).decode())

    async def depth(self) -> int:
        return (await self.queue.get_queue_properties()).approximate_message_count or 0


@pytest.fixture
async def bench(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Bench]:
    async with QueueClient.from_connection_string(azurite.connection_string, unique) as queue:
        await queue.create_queue()
        yield Bench(tmp_path, azurite.connection_string, queue)


async def test_it_lists_its_functions_and_logs_a_line_for_each_invocation(bench: Bench) -> None:
    async with bench.run(B="environment") as devhost, httpx.AsyncClient() as client:
        url = await devhost.url()
        assert (await client.get(f"{url}/api/env/A")).text == f"file in {bench.app_dir.name}"
        assert (await client.get(f"{url}/api/env/B")).text == f"environment in {bench.app_dir.name}"
        await bench.send(0)
        await devhost.until(lambda output: "work  " in output)
        devhost.process.send_signal(signal.SIGTERM)
        assert await devhost.ended() == 0
    assert f"env: [GET] {url}/api/env/{{name}}" in devhost.output
    assert f"work: queueTrigger {bench.queue.queue_name}" in devhost.output
    assert "nightly: timerTrigger 0 0 3 1 1 *" in devhost.output
    assert "not for production; function keys are not enforced" in devhost.output
    lines = re.findall(
        r"^[\d:.]{12}  INFO     (env|work)  [0-9a-f-]{36}  \d+ ms  succeeded$", devhost.output, re.MULTILINE
    )
    assert sorted(lines) == ["env", "env", "work"]
    assert devhost.output.count("asked for a setting") == 2


async def test_sigterm_waits_for_what_runs(bench: Bench) -> None:
    await bench.send(1.5)
    async with bench.run() as devhost:
        await devhost.until(lambda output: "run 1" in output)
        devhost.process.send_signal(signal.SIGTERM)
        assert await devhost.ended() == 0
    assert "succeeded" in devhost.output
    assert await bench.depth() == 0


async def test_a_second_signal_ends_it_at_once(bench: Bench) -> None:
    await bench.send(60)
    async with bench.run() as devhost:
        await devhost.until(lambda output: "run 1" in output)
        devhost.process.send_signal(signal.SIGINT)
        await asyncio.sleep(0.3)
        devhost.process.send_signal(signal.SIGINT)
        assert await devhost.ended(3) == 1
    assert await bench.depth() == 1


async def test_the_grace_bounds_the_wait_even_for_a_thread(bench: Bench) -> None:
    async with bench.run("--grace", "0.5") as devhost, httpx.AsyncClient() as client:
        request = asyncio.create_task(client.get(f"{await devhost.url()}/api/hang"))
        await devhost.until(lambda output: "hanging" in output)
        devhost.process.send_signal(signal.SIGTERM)
        assert await devhost.ended(8) == 0
        with suppress(httpx.HTTPError):
            await request


async def test_a_crash_hides_the_message_for_the_rest_of_its_lease(bench: Bench) -> None:
    await bench.send(30)
    async with bench.run(DEVHOST_MESSAGE_LEASE_SECONDS="3") as devhost:
        await devhost.until(lambda output: "run 1" in output)
        devhost.process.kill()
        await devhost.ended()
    killed = time.monotonic()
    async with bench.run(DEVHOST_MESSAGE_LEASE_SECONDS="3") as devhost:
        await devhost.until(lambda output: "run 2" in output)
    assert time.monotonic() - killed > 1


async def test_an_exception_at_import_means_no_function_and_exit_code_1(bench: Bench) -> None:
    (bench.app_dir / "function_app.py").write_text("import no_such_module_anywhere")
    async with bench.run() as devhost:
        assert await devhost.ended() == 1
    assert "no function can be offered: function_app.py could not be imported: ModuleNotFoundError" in devhost.output
    assert 'function_app.py", line 1' in devhost.output


async def test_a_missing_setting_is_exit_code_1(bench: Bench) -> None:
    (bench.app_dir / "local.settings.json").unlink()
    async with bench.run() as devhost:
        assert await devhost.ended() == 1
    assert "function work: %QUEUE% does not resolve" in devhost.output
    assert "Traceback" not in devhost.output


async def test_a_port_that_is_taken_is_exit_code_1(bench: Bench) -> None:
    async with bench.run() as first:
        port = (await first.url()).rsplit(":", 1)[1]
        async with bench.run("--port", port) as second:
            assert await second.ended() == 1
    assert "cannot listen" in second.output
