"""``python -m support.bridge``: the app under devhost, but for its queues, which Microsoft's own listener reads.

The listener runs in this process's group and POSTs each message here; the function's outcome is the answer. Where the
listener ends, since storage answered what it does not survive, everything is started again, as the platform does.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from azure.storage.queue import QueueMessage

from devhost import Host, config
from devhost.console import start_logging
from devhost.index import QUEUE, Function
from devhost.messages import argument_of

MOST_QUEUES = 16


class NoListener:
    """Stands where devhost's own listener would."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self) -> None:
        """Nothing to listen to."""

    def stop(self) -> None:
        """Nothing to stop."""

    def wake(self) -> None:
        """Nobody to wake."""


class BridgedHost(Host):
    """A host whose queue functions are called from outside."""

    def _queue_listener(self, function: Function) -> Any:
        return NoListener(str(function.trigger["queueName"]))

    @property
    def queues(self) -> dict[str, Function]:
        """The queue functions by their queues."""
        return {str(each.trigger["queueName"]): each for each in self.functions if each.kind == QUEUE}

    async def deliver(self, request: web.Request) -> web.Response:
        """Run a function on a message; the status says how that ended."""
        content = await request.json()
        function = self.queues[content["queue"]]
        body = base64.b64decode(content["body"])
        argument = argument_of(function, body, _message(content["trigger_metadata"]))
        outcome = await self._invoker.invoke(function, argument)
        return web.Response(status=200 if outcome.succeeded else 500)


def _message(metadata: dict[str, Any]) -> QueueMessage:
    message = QueueMessage(content="")
    message.id, message.pop_receipt = metadata["Id"], metadata["PopReceipt"]
    message.dequeue_count = int(metadata["DequeueCount"])
    message.inserted_on = datetime.fromisoformat(metadata["InsertionTime"])
    message.expires_on = datetime.fromisoformat(metadata["ExpirationTime"])
    message.next_visible_on = datetime.fromisoformat(metadata["NextVisibleTime"])
    return message


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--listener", type=Path, required=True)
    options = parser.parse_args()
    settings = config.load_settings(options.app, os.environ)
    start_logging(config.load_config(options.app, settings).log_level)
    host = BridgedHost(options.app, settings, port=options.port)
    await host.start()
    process = await _listener(host, options, await _receiver(host))
    await asyncio.wait(
        [asyncio.create_task(process.wait()), asyncio.create_task(host.failed.wait())],
        return_when=asyncio.FIRST_COMPLETED,
    )
    print("bridge: the host ends here; starting it again, as the platform does", flush=True)
    if process.returncode is None:
        process.kill()
    os.execv(sys.executable, sys.orig_argv)


async def _receiver(host: BridgedHost) -> str:
    app = web.Application(client_max_size=2**20)
    app.router.add_post("/deliver/{queue}", host.deliver)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}/deliver"


async def _listener(host: BridgedHost, options: argparse.Namespace, url: str) -> asyncio.subprocess.Process:
    names = [f"{name}:binary" for name in host.queues]
    assert len(names) <= MOST_QUEUES, f"one listener takes {MOST_QUEUES} queues, and the app has {len(names)}"
    return await asyncio.create_subprocess_exec(
        *(options.listener, "--queues", ",".join(names), "--url", url),
        *("--connection", host.settings["AzureWebJobsStorage"], "--host-json", _host_json(host)),
        *("--host-id", host.id.lower()[:32].strip("-")),
    )


def _host_json(host: BridgedHost) -> str:
    """The queue settings as the app's settings override them, in a file."""
    given = host.config.queues
    queues = {
        "batchSize": given.batch_size,
        "newBatchThreshold": given.new_batch_threshold,
        "maxPollingInterval": str(given.max_polling_interval),
        "visibilityTimeout": str(given.visibility_timeout),
        "maxDequeueCount": given.max_dequeue_count,
        "messageEncoding": given.message_encoding,
    }
    path = Path(tempfile.gettempdir()) / f"{host.id}-{host.port}-host.json"
    path.write_text(json.dumps({"version": "2.0", "extensions": {"queues": queues}}))
    return str(path)


if __name__ == "__main__":
    asyncio.run(main())
