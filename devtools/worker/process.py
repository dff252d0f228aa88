"""One process of `dev.py worker`: takes messages from its queues and runs what they are about, until it is told to stop.

A processing worker reads the general queues of high and normal priority, the queues of kinds that have their own, and that of tasks. A
source worker reads the queue of low priority, in which crawls travel, and looks after every job as the app's timers do under Functions.
Where there are workers of one role only they do both.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from contextlib import suppress
from datetime import timedelta

from shared import declarations
from shared.app import App
from shared.bootstrap import build
from shared.domains.pipelines.intake import take_in
from shared.domains.pipelines.kinds import WatchVaults, watch_vaults
from shared.domains.pipelines.settings import PipelineSettings
from shared.jobs.envelope import Delivery
from shared.jobs.ids import derived_id
from shared.monitor.workers import BEAT, Heartbeats, Role, Worker
from shared.ports import ReceivedMessage, StorageError
from shared.settings import Settings

_MOST_DELIVERIES = 5
"""As in host.json: after so many a message is set aside."""
_SWEEP_SECONDS = 300
_LONGEST_STOP = 25.0
"""Seconds that jobs have to end once the process is told to stop; their leases take care of the others."""


def queues_of(role: Role, settings: Settings, *, alone: bool) -> list[str]:
    """The queues that a worker reads, most urgent first. `alone`: there are no workers of the other role."""
    own = {queue for section in (settings, *settings.sections) for queue in section.queues()}
    low = settings.queue_low
    first = [settings.queue_high, settings.queue_normal]
    processing = [*first, *sorted(own - {*first, low} | {queue for _, queue in settings.kind_queues})]
    if alone:
        return [*processing, low]
    return [low] if role == "source" else processing


class Process:
    """Reads queues."""

    def __init__(self, app: App, worker: Worker, queues: list[str], *, housekeeping: bool) -> None:
        self._app = app
        self._worker = worker
        self._queues = queues
        self._housekeeping = housekeeping
        self._stopping = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Take no more messages."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until it is stopped, then let what runs come to an end."""
        helpers = [asyncio.create_task(self._beat())]
        if self._housekeeping:
            helpers.append(asyncio.create_task(self._look_after()))
        while not self._stopping.is_set():
            if not await self._take():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._app.settings.queue_poll_seconds)
        if self._running:
            await asyncio.wait(self._running, timeout=_LONGEST_STOP)
        for each in helpers:
            each.cancel()
        await asyncio.gather(*helpers, return_exceptions=True)

    async def _take(self) -> int:
        """Take messages while there is room; how many there were."""
        taken = 0
        hide = timedelta(seconds=self._app.settings.queue_visibility_seconds)
        for queue in self._queues:
            room = self._app.settings.queue_messages - len(self._running)
            if room <= 0:
                await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
                return 1
            try:
                messages = await self._app.queues.receive(queue, room, hide)
            except StorageError as error:
                print(f"queue {queue} does not answer: {type(error).__name__}", file=sys.stderr, flush=True)
                continue
            for message in messages:
                task = asyncio.create_task(self._work(queue, message))
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            taken += len(messages)
        return taken

    async def _work(self, queue: str, message: ReceivedMessage) -> None:
        """Run a message and delete it; where that fails it comes back once it is visible again, and is set aside at last."""
        app = self._app
        delivery = Delivery(
            queue, message.message_id, message.text.encode(), message.inserted_at, message.dequeue_count
        )
        try:
            if message.dequeue_count > _MOST_DELIVERIES:
                poison = Delivery(f"{queue}-poison", message.message_id, delivery.body, message.inserted_at)
                await app.engine.record_or_put_back(poison)
            elif queue == app.settings.of(PipelineSettings).task_queue:
                await take_in(app, delivery)
            else:
                await app.engine.process_or_put_back(delivery)
            await app.queues.delete(queue, message)
        except Exception as error:  # noqa: BLE001 - the message stays, whatever it is
            print(f"message left on {queue}: {type(error).__name__}", file=sys.stderr, flush=True)

    async def _beat(self) -> None:
        hearts = Heartbeats(self._app.documents, self._app.clock)
        while True:
            with suppress(StorageError):
                await hearts.beat(self._worker)
            await asyncio.sleep(BEAT)

    async def _look_after(self) -> None:
        """What timers do under Functions: find what fell between two writes, and see that vaults are looked at."""
        while True:
            try:
                await self._app.engine.sweep()
                slot = int(self._app.clock.now().timestamp()) // _SWEEP_SECONDS
                job_id = derived_id(self._app.clock.now().replace(second=0, microsecond=0), f"watch-vaults\n{slot}")
                await self._app.submit(watch_vaults, WatchVaults(), job_id=job_id)
            except StorageError as error:
                print(f"not looked after: {type(error).__name__}", file=sys.stderr, flush=True)
            await asyncio.sleep(_SWEEP_SECONDS)


async def _main(role: Role, number: int, instance: str) -> None:
    settings = declarations.settings()
    app = build(settings)
    alone = 0 in (settings.processing_workers, settings.source_workers)
    worker = Worker(role, number, instance, os.getpid())
    process = Process(
        app, worker, queues_of(role, settings, alone=alone), housekeeping=number == 0 and (alone or role == "source")
    )
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, process.stop)
    try:
        await process.run()
    finally:
        await app.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("processing", "source"))
    parser.add_argument("number", type=int)
    parser.add_argument("instance")
    given = parser.parse_args()
    asyncio.run(_main(given.role, given.number, given.instance))
