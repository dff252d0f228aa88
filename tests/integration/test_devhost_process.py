"""devhost as a process of its own: what it prints, its exit codes, signals, and what a crash leaves behind."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import httpx
import pytest
from azure.storage.queue.aio import QueueClient

from support.azurite import AzuriteProcess
from support.devhost_process import DevhostProcess, devhost_process

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


class Bench:
    def __init__(self, app_dir: Path, connection: str, queue: QueueClient) -> None:
        self.app_dir = app_dir
        self.queue = queue
        values = {"AzureWebJobsStorage": connection, "QUEUE": queue.queue_name, "A": "file", "B": "file"}
        (app_dir / "local.settings.json").write_text(json.dumps({"Values": values}))
        (app_dir / "host.json").write_text(json.dumps({"extensions": {"queues": {"maxPollingInterval": "00:00:00.2"}}}))
        (app_dir / "function_app.py").write_text(APP)

    def run(self, *arguments: str, **environ: str) -> AbstractAsyncContextManager[DevhostProcess]:
        return devhost_process(self.app_dir, *arguments, **environ)

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


async def test_an_exception_at_import_gives_an_app_without_functions_that_says_it_runs(bench: Bench) -> None:
    (bench.app_dir / "function_app.py").write_text("import no_such_module_anywhere")
    async with bench.run() as devhost, httpx.AsyncClient() as client:
        url = await devhost.url()
        assert (await client.get(f"{url}/api/env/A")).status_code == 404
        assert (await client.get(f"{url}/admin/host/status")).json()["state"] == "Running"
        await bench.send(0)
        devhost.process.send_signal(signal.SIGTERM)
        assert await devhost.ended() == 0
    assert "0 functions loaded" in devhost.output
    assert "ModuleNotFoundError: No module named 'no_such_module_anywhere'" in devhost.output
    assert 'function_app.py", line 1' in devhost.output
    assert await bench.depth() == 1


async def test_a_function_whose_setting_is_missing_is_left_out(bench: Bench) -> None:
    settings = json.loads((bench.app_dir / "local.settings.json").read_text())
    del settings["Values"]["QUEUE"]
    (bench.app_dir / "local.settings.json").write_text(json.dumps(settings))
    async with bench.run() as devhost, httpx.AsyncClient() as client:
        assert (await client.get(f"{await devhost.url()}/api/env/A")).status_code == 200
    assert "function work is in error, and left out: %QUEUE% does not resolve" in devhost.output
    assert "work: queueTrigger" not in devhost.output


async def test_an_app_that_asks_for_what_devhost_cannot_do_is_exit_code_1(bench: Bench) -> None:
    (bench.app_dir / "function_app.py").write_text(APP.replace("env/{name}", "env/{name:datetime}"))
    async with bench.run() as devhost:
        assert await devhost.ended() == 1
    assert "cannot run this app: function env: the constraint datetime" in devhost.output
    assert "Traceback" not in devhost.output


@pytest.mark.parametrize("how", ["await asyncio.sleep(60)", "time.sleep(60)"])
async def test_a_function_that_overruns_costs_the_worker_its_life(bench: Bench, how: str) -> None:
    """The app begins anew, on the same port, whether or not the function blocks the loop."""
    (bench.app_dir / "host.json").write_text(json.dumps({"functionTimeout": "00:00:02"}))
    hangs = f"""
@app.route(route="overruns")
async def overruns(req: func.HttpRequest) -> str:
    {how}
"""
    (bench.app_dir / "function_app.py").write_text(f"{APP}\nprint('imported', flush=True)\n{hangs}")
    async with bench.run() as devhost, httpx.AsyncClient(timeout=30) as client:
        url = await devhost.url()
        with suppress(httpx.HTTPError):
            assert (await client.get(f"{url}/api/overruns")).status_code == 500
        await devhost.until(lambda output: output.count("Listening on") == 2)
        assert devhost.output.count("imported") == 2
        assert "its worker is dead; starting it again, as the platform does" in devhost.output
        assert (await client.get(f"{url}/api/env/A")).status_code == 200


async def test_storage_that_refuses_ends_the_host_and_it_is_started_again(
    bench: Bench, azurite: AzuriteProcess
) -> None:
    """Its key is wrong: each start is the last one's."""
    wrong = azurite.connection_string.replace("AccountKey=Eby8", "AccountKey=Abc8")
    async with bench.run(AzureWebJobsStorage=wrong) as devhost:
        await devhost.until(lambda output: output.count("starting it again, as the platform does") == 2)
    assert "storage does not answer (HttpResponseError AuthorizationFailure)" in devhost.output
    assert "Listening" not in devhost.output


async def test_a_port_that_is_taken_is_exit_code_1(bench: Bench) -> None:
    async with bench.run() as first:
        port = (await first.url()).rsplit(":", 1)[1]
        async with bench.run("--port", port) as second:
            assert await second.ended() == 1
    assert "cannot listen" in second.output
