"""``python -m devtools.func FUNC PORT``: make the app's queues, then become Azure Functions Core Tools.

The real host polls a queue that is missing, and warns of each poll; it makes none.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from devtools.environment import ROOT, say


def main(func: str, port: str) -> int:
    """Make the queues as far as storage lets us; what keeps the app from being read is for the host to tell."""
    environ = dict(os.environ)
    try:
        asyncio.run(make_queues(ROOT))
    except Exception as error:  # noqa: BLE001 - whatever the app raises when it is imported
        say(f"  the queues could not be made: {type(error).__name__}")
    command = [func, "start", "--port", port]
    if os.name != "nt":
        os.execve(func, command, environ)
    return subprocess.call(command, env=environ)


async def make_queues(app_dir: Path) -> None:
    """Make each queue that the app listens to, and its poison queue."""
    from azure.core.exceptions import ResourceExistsError

    from devhost.config import load_settings
    from devhost.index import QUEUE, index, load_app
    from devhost.queues import poison_name
    from devhost.storage import Storage

    settings = load_settings(app_dir, os.environ)
    os.environ.update(settings)
    storage = Storage(settings)
    try:
        for function in index(load_app(app_dir), settings):
            if function.kind != QUEUE:
                continue
            name, service = str(function.trigger["queueName"]), storage.queues(str(function.trigger["connection"]))
            for queue in filter(None, (name, poison_name(name))):
                try:
                    await service.create_queue(queue)
                except ResourceExistsError:
                    continue
    finally:
        await storage.close()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
