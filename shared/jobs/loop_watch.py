"""Watching the event loop from a thread: a handler that blocks it takes its neighbours' time, and not their leases.

While the loop turns, each attempt renews its own lease. While it stands still nobody could: the neighbours' leases would
end, other workers would take their jobs, and run them a second time at once. So this thread renews them, by storage
clients of its own, for as long as each attempt may take. It also names who blocks the loop, and writes it down where a
handler blocks the loop beyond its own time: that nothing can end but the end of the process.

A thread needs the interpreter's lock. What holds that, too (a regular expression at work), stops this as well: what strangers
wrote is parsed in the sandbox.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from types import FrameType

from shared.jobs.context import JobContext
from shared.jobs.errors import JobsError
from shared.jobs.events import Event, Overran, Progressed
from shared.jobs.failures import place_of
from shared.jobs.log import LOG, about
from shared.jobs.model import Frame
from shared.jobs.observe import Observer
from shared.jobs.store import StatusStore
from shared.ports import Clock, OwnBlobs

_TURN = 0.5
"""Seconds between two signs of life of the loop."""
NOTICEABLE = 2.0
"""Seconds for which the loop must stand still to be told of."""
_OVERTIME = 10.0
"""Seconds by which a blocking attempt is past its time before that is written down; its neighbours are kept no longer, either."""


class LoopWatch:
    """Watches one event loop while attempts run on it."""

    def __init__(
        self, open_blobs: Callable[[], OwnBlobs], clock: Clock, lease_seconds: float, observer: Observer
    ) -> None:
        self._open = open_blobs
        self._clock = clock
        self._lease = lease_seconds
        self._lease_delta = timedelta(seconds=lease_seconds)
        self._observer = observer
        self._attempts: set[JobContext] = set()
        self._busy = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next_turn: asyncio.TimerHandle | None = None
        self._loop_thread = 0
        self._turned = 0.0
        self._told = False

    def enter(self, attempt: JobContext) -> None:
        """An attempt begins, on the running loop."""
        self._attempts.add(attempt)
        if len(self._attempts) > 1:
            return
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        self._turn()
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)
            self._thread.start()
        self._busy.set()

    def leave(self, attempt: JobContext) -> None:
        """An attempt has ended."""
        self._attempts.discard(attempt)
        if not self._attempts:
            self._note_turn()
            self._busy.clear()
            if self._next_turn:  # else each job that comes to an idle loop would leave one more running
                self._next_turn.cancel()

    def _turn(self) -> None:
        self._note_turn()
        if self._attempts and self._loop:
            self._next_turn = self._loop.call_later(_TURN, self._turn)

    def _note_turn(self) -> None:
        now, self._told = time.monotonic(), False
        still, self._turned = now - self._turned - _TURN if self._busy.is_set() else 0.0, now
        if still > NOTICEABLE:
            LOG.warning("the event loop turns again: stood still for %.1f s", still)
            self._observer.happened("loop_blocked")
            self._observer.happened("loop_blocked_seconds", round(still))

    def _watch(self) -> None:
        while True:
            self._busy.wait()
            time.sleep(min(_TURN, self._lease / 6))
            still = time.monotonic() - self._turned - _TURN
            if self._busy.is_set() and still > min(NOTICEABLE, self._lease / 6):
                blocker = self._blocker()
                self._tell(blocker, still)
                self._keep(blocker)

    def _blocker(self) -> JobContext | None:
        """The attempt whose handler is at work; None where that is a task which the handler has started."""
        task = asyncio.current_task(self._loop)
        return next((each for each in tuple(self._attempts) if task is not None and each.handler is task), None)

    def _tell(self, blocker: JobContext | None, still: float) -> None:
        if self._told or still < NOTICEABLE:
            return
        self._told = True
        who = about(blocker.job) if blocker else "job=?"
        LOG.error("the event loop is blocked: %s at=%s", who, self._place())

    def _place(self) -> Frame | None:
        return place_of(_stack(sys._current_frames().get(self._loop_thread)))  # noqa: SLF001 - the documented way to another thread's stack

    def _keep(self, blocker: JobContext | None) -> None:
        now = time.monotonic()
        events = [(each, event) for each in tuple(self._attempts) if (event := self._due(each, blocker, now))]
        if events:
            try:
                asyncio.run(self._write(events))
            except Exception as error:  # noqa: BLE001 - the watch goes on
                LOG.warning("leases not renewed beside the loop: cause=%s", type(error).__name__)

    def _due(self, attempt: JobContext, blocker: JobContext | None, now: float) -> Event | None:
        """What is to be written of an attempt that cannot do so itself."""
        moment = self._clock.now()
        if now > attempt.ends_at + _OVERTIME:
            overran = attempt is blocker and not attempt.overran
            attempt.overran |= overran
            return Overran(moment, attempt.fence) if overran else None
        if (attempt.kept_until - moment).total_seconds() > self._lease / 2:
            return None
        attempt.kept_until = moment + self._lease_delta
        return Progressed(moment, attempt.fence, attempt.kept_until)

    async def _write(self, events: Iterable[tuple[JobContext, Event]]) -> None:
        blobs = self._open()
        status = StatusStore(blobs, self._clock)
        try:
            for attempt, event in events:
                with suppress(JobsError):
                    await status.change(attempt.current, event)
        finally:
            await blobs.close()


def _stack(frame: FrameType | None) -> Iterable[tuple[str, int, str]]:
    """A thread's stack, outermost first."""
    stack = []
    while frame is not None:
        stack.append((frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
        frame = frame.f_back
    return reversed(stack)
