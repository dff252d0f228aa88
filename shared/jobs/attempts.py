"""Attempts: a claimed job's handler is called once, and what came of it is written."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from shared.jobs.backoff import delay
from shared.jobs.callbacks import Callbacks
from shared.jobs.children import Children
from shared.jobs.context import JobContext
from shared.jobs.dead_letters.recorder import Recorder
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.decide import MOST_OVERRUNS
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import (
    FinalError,
    HandOver,
    InvalidTransitionError,
    JobsError,
    RetryLater,
    Snooze,
    Suspend,
    UncertainError,
    UnreadableError,
)
from shared.jobs.events import (
    Cancelled,
    Completed,
    Decided,
    Event,
    HandedOver,
    LetDown,
    Released,
    Retried,
    Snoozed,
    Suspended,
)
from shared.jobs.failures import failure_of, is_outage, leaves_of, name_of
from shared.jobs.handler import Raised, Returned, call
from shared.jobs.kinds import Kind, Policy
from shared.jobs.loop_watch import LoopWatch
from shared.jobs.model import Failure, Job, Status
from shared.jobs.neighbours import Neighbours
from shared.ports import StorageError
from shared.storage import Versioned

_TO_LET_GO = 2.0
"""Seconds that an attempt has to let go of its job once the host ends its invocation: the host waits for one to three."""
_OUTAGES = 20
"""So often in a row storage may let attempts down before that counts as a failure: more than half an hour, by the delays."""
_OUTAGE_BASE, _OUTAGE_CAP = 5.0, 300.0


_TRIES_TO_ABORT = 3


class Attempts:
    """Runs handlers and writes their outcomes. Each method returns a word or two on what became of the attempt."""

    def __init__(self, deps: Dependencies, recorder: Recorder, callbacks: Callbacks, children: Children) -> None:
        self._deps = deps
        self._recorder = recorder
        self._callbacks = callbacks
        self._children = children
        self.neighbours = Neighbours(deps.clock.now)
        """The attempts of this process."""
        self._watch = deps.open_blobs and LoopWatch(
            deps.open_blobs, deps.clock, deps.timing.lease.total_seconds(), deps.observer
        )

    async def run(self, kind: Kind[Any], current: Versioned[Job]) -> str:
        """Run the handler of a job that is claimed, and write what came of it.

        Where the host ends the invocation, the handler is stopped, and the job let go of before this raises.

        Raises:
            StorageError: what came of it could not be written.
        """
        context = JobContext(self._deps, current, self._children)
        assert isinstance(kind.policy, Policy)  # noqa: S101 - settled by the registry
        policy = self._deps.kinds.policy_of(current.value) if current.value.overrides else kind.policy
        work = asyncio.Task(self._run(kind, policy, context))
        work.add_done_callback(lambda _: self._left(context, current.value.job_id))
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            context.drain()
            await asyncio.wait({work}, timeout=_TO_LET_GO)
            work.cancel()
            raise
        return work.result()

    def _left(self, context: JobContext, job_id: str) -> None:
        self.neighbours.running.discard(context)
        self.neighbours.suspects.discard(job_id)

    async def _run(self, kind: Kind[Any], policy: Policy, context: JobContext) -> str:
        try:
            await self.neighbours.enter(context)
            job = context.job
            if job.cancel_requested:  # under a worker that vanished
                return await self._cancelled(context)
            if job.decided and job.error:
                return await self._give_up(kind, Reason(job.decided), job.error, context)
            outcome = await call(kind, context, policy.timeout_seconds, self._watch)
            if isinstance(outcome, Returned):
                return await self._completed(outcome, context)
            return await self._raised(outcome, kind, policy, context)
        except InvalidTransitionError as error:  # of this job: a handler's are in the outcome
            context.log.warning("outcome dropped, %s:", error)
            return "superseded"
        except StorageError:
            await self._release(context)
            raise

    async def _completed(self, outcome: Returned, context: JobContext) -> str:
        current = await context.settle(Completed(self._deps.clock.now(), context.fence, outcome.results))
        await self._callbacks.finish(current)
        context.log.info("job completed:")
        return "completed"

    async def _raised(self, outcome: Raised, kind: Kind[Any], policy: Policy, context: JobContext) -> str:
        """Decide what it means; of exceptions about jobs, only what this attempt's own context raised is about this one."""
        error, now = outcome.error, self._deps.clock.now()
        leaves = leaves_of(error)
        stops = [leaf for leaf in leaves if context.owns(leaf)]
        if any(isinstance(stop, InvalidTransitionError) for stop in stops):
            context.log.warning("attempt ended, a later one holds the job:")
            return "superseded"
        if stops:
            return await self._cancelled(context)
        match leaves:
            case [Snooze() as snooze]:
                due_at = now + timedelta(seconds=snooze.seconds)
                said = f"snoozes for {snooze.seconds:.1f} s"
                return await self._waits(Snoozed(now, context.fence, due_at, str(snooze)), "snoozed", said, context)
            case [Suspend() as suspend]:
                event, said = Suspended(now, context.fence, str(suspend)), "waits for the jobs that it is made of"
                return await self._waits(event, "suspended", said, context)
            case [HandOver() as over]:
                said = "goes on in the next attempt"
                return await self._waits(HandedOver(now, context.fence, over.state), "handed over", said, context)
        if context.ended_by_host:
            said = "let go of, the host ends the invocation"
            return await self._waits(Released(now, context.fence, now), "released", said, context)
        failure = failure_of(error, context.attempt, now)
        if all(map(is_outage, leaves)) and context.job.outages < _OUTAGES:
            return await self._let_down(failure, context)
        return await self._failed(leaves, failure, kind, policy, context)

    async def _waits(self, event: Event, word: str, said: str, context: JobContext) -> str:
        """Write that the job waits for its next attempt, and send the message that starts it."""
        current = await context.settle(event)
        if current.value.status is not Status.QUEUED:
            await self._callbacks.finish(current)
            return "cancelled"
        if not current.value.suspended_at:
            await self._deps.send(current)
        await self._deps.project(current.value)
        context.log.info("job %s:", said)
        return word

    async def _let_down(self, failure: Failure, context: JobContext) -> str:
        now = self._deps.clock.now()
        least = (
            min(_OUTAGE_CAP, _OUTAGE_BASE * 2.0**context.job.outages) / 2
        )  # or chance could spend them all in a minute
        seconds = delay(
            context.job.outages + 1, base=_OUTAGE_BASE, cap=_OUTAGE_CAP, at_least=least, jitter=_OUTAGE_BASE
        )
        event = LetDown(now, context.fence, failure, now + timedelta(seconds=seconds))
        return await self._waits(event, "storage failed", f"tries again in {seconds:.1f} s, storage failed", context)

    async def _cancelled(self, context: JobContext) -> str:
        await self._children.cancel(context.job)
        current = await context.settle(Cancelled(self._deps.clock.now(), context.fence))
        await self._callbacks.finish(current)
        context.log.info("job cancelled:")
        return "cancelled"

    async def _failed(
        self, leaves: list[BaseException], failure: Failure, kind: Kind[Any], policy: Policy, context: JobContext
    ) -> str:
        final = any(isinstance(leaf, (FinalError, UnreadableError, *policy.final)) for leaf in leaves)
        if context.overran:
            await context.confirm()
            final |= context.job.overruns >= MOST_OVERRUNS
        if not (final or context.last_attempt):
            return await self._retry(leaves, failure, policy, context)
        reason = _reason(leaves, final=final)
        # First, so that no handler runs any more, whatever befalls the rest: a job that completed after its dead letter was kept would
        # leave one that is not true. Who was superseded leaves none, either.
        await context.settle(Decided(self._deps.clock.now(), context.fence, failure, reason.value))
        if context.job.cancel_requested:
            return await self._cancelled(context)  # it was to stop, and has; its children are to stop too
        return await self._give_up(kind, reason, failure, context)

    async def _give_up(self, kind: Kind[Any], reason: Reason, failure: Failure, context: JobContext) -> str:
        """Bring about what was decided; where storage keeps it from that, the next attempt does."""
        if kind.on_abort and not await self._abort(kind, failure, context):
            now = self._deps.clock.now()
            return await self._waits(Released(now, context.fence, now), "released", "goes on to give up", context)
        await self._recorder.give_up(context.current, reason, failure, context.fence)
        return "gave up"

    async def _abort(self, kind: Kind[Any], failure: Failure, context: JobContext) -> bool:
        """Tell the kind that its job gives up.

        Returns:
            Whether the job can give up; False where the host ends the invocation.
        """

        async def told(payload: Any, context: JobContext) -> None:
            assert kind.on_abort  # noqa: S101 - asked above
            await kind.on_abort(payload, context, failure)

        for tried in range(1, _TRIES_TO_ABORT + 1):
            outcome = await call(kind, context, context.timeout_seconds, self._watch, told)
            if isinstance(outcome, Returned):
                return True
            if context.ended_by_host:
                return False
            if isinstance(outcome.error, StorageError):  # an outage: another attempt does it
                raise outcome.error
            await context.confirm()
            context.log.error("on_abort failed, try %d of %d: error=%s", tried, _TRIES_TO_ABORT, name_of(outcome.error))
            await self._deps.clock.sleep(tried)
        return True

    async def _retry(self, leaves: list[BaseException], failure: Failure, policy: Policy, context: JobContext) -> str:
        now = self._deps.clock.now()
        seconds = delay(
            context.job.failures + 1,
            base=policy.base_backoff_seconds,
            least=policy.min_backoff_seconds,
            cap=policy.max_backoff_seconds,
            jitter=policy.jitter_seconds,
            at_least=max((leaf.seconds for leaf in leaves if isinstance(leaf, RetryLater)), default=0.0),
        )
        context.log.warning("attempt failed, next in %.1f s: error=%s", seconds, failure.told)
        due_at, outage = now + timedelta(seconds=seconds), all(map(is_outage, leaves))
        event = Retried(now, context.fence, failure, due_at, outage)
        return await self._waits(event, "retrying", f"tries again in {seconds:.1f} s", context)

    async def _release(self, context: JobContext) -> None:
        """Let go of a job whose attempt storage kept from its end: to wait out the lease would count as a stall."""
        now = self._deps.clock.now()
        with suppress(StorageError, JobsError):
            await context.settle(Released(now, context.fence, now + self._deps.timing.put_back))


def _reason(leaves: list[BaseException], *, final: bool) -> Reason:
    if any(isinstance(leaf, UncertainError) for leaf in leaves):
        return Reason.UNCERTAIN
    return Reason.FINAL if final else Reason.EXHAUSTED
