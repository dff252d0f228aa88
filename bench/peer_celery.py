"""Runs in the peer's own environment: Celery jobs that do nothing, through queues and blobs of Azure Storage.

Usage: ``peer_celery.py CONNECTION_STRING POOL WIDTH JOBS``; prints jobs per second.
"""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from celery import Celery

_SUBMITTERS = 16
_WARM_UP = 20


def make_app(connection: str) -> Celery:
    """A Celery app on the emulated account, with what its documentation recommends for short tasks."""
    parts = dict(part.split("=", 1) for part in connection.strip(";").split(";"))
    broker = f"azurestoragequeues://:{parts['AccountKey']}@{parts['QueueEndpoint']}"
    app = Celery("peer", broker=broker, backend=f"azureblockblob://{connection}")
    app.conf.update(
        broker_transport_options={"polling_interval": 0.1, "queue_name_prefix": "peer-"},
        worker_prefetch_multiplier=4,
        task_acks_late=True,
        azureblockblob_container_name="peer",
        worker_enable_remote_control=False,
        worker_send_task_events=False,
    )
    app.task(name="nothing")(nothing)
    return app


def nothing(number: int) -> dict[str, int]:
    """Do nothing."""
    return {"number": number}


def main() -> None:
    """Print the rate."""
    connection, pool, width, jobs = sys.argv[1:]
    app = make_app(connection)
    command = [sys.executable, __file__, "worker", connection, pool, width]
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _run(app, _WARM_UP)
        print(_run(app, int(jobs)))
    finally:
        worker.terminate()
        worker.wait()


def _run(app: Celery, jobs: int) -> float:
    started = time.perf_counter()
    with ThreadPoolExecutor(_SUBMITTERS) as pool:
        results = list(pool.map(lambda number: app.send_task("nothing", (number,)), range(jobs)))
    for result in results:
        result.get(timeout=300, interval=0.05)
    return jobs / (time.perf_counter() - started)


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        make_app(sys.argv[2]).worker_main(["worker", "--pool", sys.argv[3], "-c", sys.argv[4], "--loglevel", "ERROR"])
    else:
        main()
