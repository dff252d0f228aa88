"""What tests start must not outlive them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from support.cosmos import CosmosProcess
from support.node import answers

TESTS = Path(__file__).parents[1]

STARTER = """
import time
from support.cosmos import CosmosProcess
server = CosmosProcess()
server.start()
print(server.ports[0], flush=True)
time.sleep(60)
"""


def test_a_server_ends_with_a_test_run_that_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", STARTER], cwd=TESTS, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        port = int(starter.stdout.readline())
        assert answers(port)
        starter.kill()
    deadline = time.monotonic() + 60
    while answers(port):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_is_stopped_and_started_again_on_its_port() -> None:
    server = CosmosProcess()
    for _ in range(2):
        server.start()
        assert answers(server.ports[0])
        server.stop()
        assert not answers(server.ports[0])
    server.stop()
