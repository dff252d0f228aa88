"""Conducting runs: what happened is put into a run's record, and what follows from it is started.

A run is a job whose record of steps is a blob of its own, written under its ETag. The record names a job before that is started, under an
id that is derived from the run and the step: started twice, it is one job. A job that ended stays watched until its run was told, and
its run is told once the record has it *and* what follows was started. So no crash between any two storage calls loses a step, and none
makes one run twice; whoever finds that the record knew already starts again what is under way.

The worker that ended a job tells the run, there and then: nobody polls, and the run's own job is not claimed while its steps work. What
happens to one run at the same time in one process becomes one write.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from shared.jobs.children import Children, each
from shared.jobs.errors import InvalidTransitionError, JobNotFoundError
from shared.jobs.log import LOG
from shared.jobs.model import Entry, Job, Status
from shared.jobs.tracing import traceparent
from shared.ports import AlreadyExistsError, PreconditionError, StorageError
from shared.storage import Versioned
from shared.workflows.advance import (
    Began,
    Begun,
    Came,
    CancelAsked,
    CouldNot,
    Ended,
    Happening,
    Revived,
    Skipped,
    TakenUp,
    advance,
    new_steps,
    worded,
)
from shared.workflows.definitions import Definitions, unlike
from shared.workflows.errors import DefinitionChangedError
from shared.workflows.finding import Finder, Payload
from shared.workflows.graph import Condition, Graph, Node
from shared.workflows.helpers import EVENT_KIND, GraphRun
from shared.workflows.keeping import Keeper, fingerprint
from shared.workflows.kind import Workflow
from shared.workflows.record import EVENT, Kept, Outcome, Part, Record, Ref, State, StepState, event_id, name_of
from shared.workflows.starting import Starter

_TRIES = 12
_REMEMBERED = 100  # runs whose record a process remembers, so that it need not read what it wrote itself


@dataclass
class _News:
    """Something that happened to a run, until it is in its record."""

    happening: Happening
    settled: bool = False
    error: BaseException | None = None


class _Inbox:
    """What happened to one run and is not in its record yet."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.waiting: list[_News] = []
        self.idle: list[str] = []
        """Timers that nobody waits for any more, since the event has come."""


class Conductor:
    """Takes the runs of all workflows further."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._deps = children.deps
        self._keeper = Keeper(self._deps.blobs)
        self._definitions = Definitions(self._deps.blobs, self._deps.kinds)
        self._starter = Starter(children, self._finder)
        self._inboxes: dict[str, _Inbox] = {}
        self._known: dict[str, Versioned[Record]] = {}

    # --- what happens to a run -----------------------------------------------------------------------------------

    async def child_changed(self, child: Job) -> None:
        """Tell a run that one of its jobs has ended, or lives again."""
        run_id, key, now = str(child.parent_id), str(child.child_key), self._deps.clock.now()
        if key.startswith(EVENT):
            name = key.removeprefix(EVENT)
            content = await self._keeper.keep(run_id, f"event-{name}", child.results)
            return await self._tell(run_id, Came(now, name, content))
        part = Part.of(key)
        if not child.status.final:
            return await self._tell(run_id, Revived(now, part, child.replays))
        if part.timer and await self._came_in_time(run_id, part.step):
            return None
        if child.status is Status.COMPLETED:
            what = f"result-{part.step}" + ("" if part.index is None else f"-{part.index}")
            kept = None if child.results is None else await self._keeper.keep(run_id, what, child.results)
            return await self._tell(run_id, Ended(now, part, child.replays, kept))
        error, how = _why(child)
        return await self._tell(run_id, Ended(now, part, child.replays, None, error, how, child.job_id))

    async def _came_in_time(self, run_id: str, step: str) -> bool:
        """Whether the event that a wait is for came after all: taken in by a worker that could not tell the run any more."""
        current = await self._read(run_id)
        if current is None:
            return False
        wait = (await self._definitions.graph(current.value.definition)).by_name[step].wait
        if wait is None or wait.event in current.value.events:
            return False
        event = await self._deps.status.read(event_id(current.value.created_at, run_id, wait.event))
        if event is None:
            return False
        await self.child_changed(event.value)
        return True

    async def come(self, run: Job, name: str, content: Any) -> tuple[Job, bool]:
        """Take in an event: a job that is completed from its first moment, and stays watched until the run knows of it.

        Returns:
            That job, and True; where the event had come before, the one of the first, and False.

        Raises:
            InvalidTransitionError: the run has ended.
            StorageError: the event may have been taken in or not; the same again is safe.
        """
        if run.status in (Status.COMPLETED, Status.CANCELLED):
            raise InvalidTransitionError(f"the run is {run.status}: nothing waits for an event any more")
        now = self._deps.clock.now()
        job = Job(
            job_id=event_id(run.created_at, run.job_id, name), kind=EVENT_KIND.name, status=Status.COMPLETED, version=1,
            created_at=now, updated_at=now, due_at=now, watch_at=now, results=content, payload={"event": name},
            parent_id=run.job_id, parent_kind=run.kind, child_key=EVENT + name, trace=traceparent(run),
            history=(Entry(at=now, event="recorded", attempt=0),),
        )  # fmt: skip
        current, first = await self._deps.status.create(job)
        await self._children.finish(current)
        return current.value, first

    async def cancel(self, parent: Job) -> None:
        """Stop a run: nothing of it begins any more, and what is under way is cancelled."""
        current = await self._read(parent.job_id)
        if current is None:
            return
        await self._tell(parent.job_id, CancelAsked(self._deps.clock.now()))
        await self._starter.stop(parent, await self._definitions.graph(current.value.definition), current.value)

    async def renew(self, run: Job) -> None:
        """Have a run that failed go on with the definition that the code has now.

        What it completed stays; everything else is decided anew.

        Raises:
            DefinitionChangedError: something that it completed is not the same there.
            InvalidTransitionError: it has not failed.
        """
        current, kind = await self._read(run.job_id), self._deps.kinds[run.kind]
        if current is None or run.status is not Status.FAILED or not isinstance(kind, Workflow) or not kind.graph.nodes:
            raise InvalidTransitionError(
                "only a run that failed, of a workflow in code, goes on with a newer definition"
            )
        record = current.value
        old, new = await self._definitions.graph(record.definition), kind.graph
        await self._definitions.keep(new)
        changed = unlike(record, old, new)
        if changed:
            raise DefinitionChangedError(f"these steps have completed, and are not the same: {', '.join(changed)}")
        kept = {name: step for name, step in record.steps.items() if step.state is State.COMPLETED}
        steps = {node.name: kept.get(node.name) or StepState(life=record.renewals + 1) for node in new.nodes}
        changes = {"definition": new.hash, "version": new.version, "steps": steps, "outcome": None}
        record = record.model_copy(update={**changes, "renewals": record.renewals + 1})
        self._known.pop(run.job_id, None)
        await self._deps.blobs.replace(name_of(run.job_id), record.to_json(), current.etag)
        await self._children.wake(run.job_id, "newer definition", revive=True)

    async def take_up(self, run: Job, payload: Any) -> Record:
        """Begin a run, or go on with it; an attempt of the run's own job does so."""
        current = await self._read(run.job_id)
        if current is None:
            return (await self._begin(run)).value
        record = current.value
        if record.fingerprint != fingerprint(payload):
            return await self._begin_anew(run, current)
        if run.replays > record.replays:
            return await self._tried_again(run, record)
        if record.outcome is None:
            await self._again(await self._definitions.graph(record.definition), record)
        return record

    # --- the record ----------------------------------------------------------------------------------------------

    async def _tell(self, run_id: str, happening: Happening) -> None:
        """Have it in the record, and what follows started. What waits for the same run is done with it."""
        inbox, news = self._inboxes.setdefault(run_id, _Inbox()), _News(happening)
        inbox.waiting.append(news)
        try:
            async with inbox.lock:
                if news.settled:
                    return
                if news.error:
                    raise StorageError(f"not told: {type(news.error).__name__}") from news.error
                batch, inbox.waiting = inbox.waiting, []
                try:
                    await self._apply(run_id, [one.happening for one in batch])
                except BaseException as error:
                    for one in batch:
                        one.error = error
                    raise
                for one in batch:
                    one.settled = True
                idle, inbox.idle = inbox.idle, []
            for job_id in idle:  # not within the lock: it tells the run that it ended
                await self._children.call_off(job_id)
        finally:
            if not inbox.waiting and not inbox.lock.locked():
                self._inboxes.pop(run_id, None)

    async def _apply(self, run_id: str, happenings: list[Happening]) -> None:
        """Write what happened, again on what others wrote meanwhile, until it holds; then start what follows."""
        known = self._known.pop(run_id, None)
        for tried in range(_TRIES):
            current = known or await self._read(run_id) or await self._begin_for(run_id)
            if current is None:
                return None  # the run is gone, and nobody has to know
            graph = await self._definitions.graph(current.value.definition)
            record, repeated = current.value, False
            for happening in happenings:
                before, record = record, advance(graph, record, happening)
                repeated |= record is before
            if repeated and known:
                known = None  # what others wrote may say more
                continue
            if record is current.value:
                return await self._again(graph, record)
            record, payloads = await self._resolved(graph, record)
            known = None
            try:
                etag = await self._deps.blobs.replace(name_of(run_id), record.to_json(), current.etag)
            except PreconditionError:
                await self._deps.clock.sleep(random.uniform(0, 0.02 * 2 ** min(tried, 6)))  # noqa: S311 - no secret
                continue
            self._remember(Versioned(record, etag))
            if repeated:  # who told it first may have died before what followed was started
                await self._start(graph, record, record.under_way(), payloads)
            return await self._follow(graph, current.value, record, payloads)
        raise StorageError(f"the record of run {run_id} is changed by others without end")

    async def _read(self, run_id: str) -> Versioned[Record] | None:
        blob = await self._deps.blobs.read(name_of(run_id))
        return Versioned(Record.model_validate_json(blob.data), blob.etag) if blob else None

    def _remember(self, current: Versioned[Record]) -> None:
        for old in list(self._known)[: max(0, len(self._known) - _REMEMBERED + 1)]:
            del self._known[old]
        self._known[current.value.run_id] = current

    def _finder(self, graph: Graph) -> Finder:
        return Finder(self._deps, self._keeper, self._definitions, graph)

    # --- what follows --------------------------------------------------------------------------------------------

    async def _resolved(self, graph: Graph, record: Record) -> tuple[Record, dict[Part, Payload]]:
        """Find out what the ready steps are to do, until none is ready any more."""
        finder = self._finder(graph)
        payloads: dict[Part, Payload] = {}
        while ready := [name for name, step in record.steps.items() if step.state is State.READY]:
            for name in ready:
                record = advance(graph, record, await self._found(finder, record, graph.by_name[name], payloads))
        for name, step in record.steps.items():
            if step.items and (items := await self._keeper.paged(record.run_id, name, step.items)) is not step.items:
                record = record.with_step(name, step.model_copy(update={"items": items}))
        return record, payloads

    async def _found(self, finder: Finder, record: Record, node: Node, payloads: dict[Part, Payload]) -> Happening:
        now = self._deps.clock.now()
        try:
            if not await finder.condition(record, node):
                condition = worded(node.when or Condition(op="always"))
                return Skipped(now, node.name, f"its condition does not hold: {condition}")
            if node.sort == "each":
                return Began(now, node.name, await finder.items(record, node))
            if node.sort == "job":
                part = Part(node.name)
                payloads[part] = await finder.payload(record, part)
            return Began(now, node.name)
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001 - the workflow's own code may raise whatever it likes
            LOG.warning("step cannot begin: run=%s step=%s error=%s", record.run_id, node.name, type(error).__name__)
            return CouldNot(now, node.name, f"{type(error).__name__}: {error}")

    async def _follow(self, graph: Graph, before: Record, record: Record, payloads: dict[Part, Payload]) -> None:
        """Start what the record names that it did not name before, and wake the run's job where it has to know."""
        known = set(before.under_way()) if before.life == record.life else set()
        begun = {part for part in known if before.steps[part.step].life != record.steps[part.step].life}
        await self._start(graph, record, (part for part in record.under_way() if part not in known - begun), payloads)
        if inbox := self._inboxes.get(record.run_id):
            waits = (part for part in known if part.timer and graph.by_name[part.step].wait)
            done = (part for part in waits if record.steps[part.step].state is State.COMPLETED)
            inbox.idle += [before.child_id(part) for part in done]
        if record.outcome is not before.outcome:
            await self._wake(record, "a step lives again" if record.outcome is None else "its steps have ended")

    async def _again(self, graph: Graph, record: Record) -> None:
        """Start whatever is under way: who wrote that it is may have died before it could."""
        await self._start(graph, record, record.under_way(), {})
        if record.outcome is not None:
            await self._wake(record, "its steps have ended")

    async def _wake(self, record: Record, why: str) -> None:
        await self._children.wake(record.run_id, f"step: {why}", revive=record.outcome is not Outcome.FAILED)

    async def _start(self, graph: Graph, record: Record, parts: Iterable[Part], payloads: dict[Part, Payload]) -> None:
        lost = await self._starter.start(graph, record, parts, payloads)
        if lost:
            await self._apply(record.run_id, lost)

    # --- beginning, and going on after a failure -----------------------------------------------------------------

    async def _begin_for(self, run_id: str) -> Versioned[Record] | None:
        """Begin a run that something happens to before its own first attempt; None where there is none to begin."""
        run = await self._deps.status.read(run_id)
        return None if run is None or run.value.status.final else await self._begin(run.value)

    async def _begin(self, run: Job) -> Versioned[Record]:
        """Write the first record of a run, and start its first steps; where there is a record, that one stands."""
        graph, record = await self._first(run)
        record, payloads = await self._resolved(graph, advance(graph, record, Begun(self._deps.clock.now())))
        try:
            etag = await self._deps.blobs.create(name_of(run.job_id), record.to_json())
        except AlreadyExistsError:
            current = await self._read(run.job_id)
            if current is None:
                raise JobNotFoundError(f"the record of run {run.job_id} is gone") from None
            await self._again(await self._definitions.graph(current.value.definition), current.value)
            return current
        self._remember(Versioned(record, etag))
        await self._start(graph, record, record.under_way(), payloads)
        return self._known.get(run.job_id) or Versioned(record, etag)

    async def _first(self, run: Job) -> tuple[Graph, Record]:
        payload = await self._deps.payload(run)
        kind = self._deps.kinds[run.kind]
        assert isinstance(kind, Workflow)  # noqa: S101 - only workflows are conducted
        given: Any = payload
        if not kind.graph.nodes:
            asked = GraphRun.model_validate(payload)
            graph, given = await self._definitions.graph(asked.definition), asked.input
        else:
            graph = kind.graph
            await self._definitions.keep(graph)
        usual = self._deps.kinds.policy(run.kind).priority
        kept = await self._keeper.keep(run.job_id, "payload", given)
        if run.payload_blob and kept.ref and kind.graph.nodes:
            kept = Kept(ref=Ref(blob=run.payload_blob, sha256=kept.ref.sha256, bytes=kept.ref.bytes))
        return graph, Record(
            run_id=run.job_id, workflow=run.kind, definition=graph.hash, version=graph.version, created_at=run.created_at,
            priority=None if run.priority is usual else run.priority, trace=traceparent(run), payload=kept,
            fingerprint=fingerprint(payload), replays=run.replays, steps=new_steps(node.name for node in graph.nodes),
        )  # fmt: skip

    async def _begin_anew(self, run: Job, current: Versioned[Record]) -> Record:
        """Another payload, another run: what the old one has under way is stopped first."""
        old = current.value
        await self._tell(run.job_id, CancelAsked(self._deps.clock.now()))
        await self._starter.stop(run, await self._definitions.graph(old.definition), old)
        latest = await self._read(run.job_id) or current
        graph, record = await self._first(run)
        record = record.model_copy(update={"life": old.life + 1, "events": old.events})
        record, payloads = await self._resolved(graph, advance(graph, record, Begun(self._deps.clock.now())))
        self._known.pop(run.job_id, None)
        etag = await self._deps.blobs.replace(name_of(run.job_id), record.to_json(), latest.etag)
        self._remember(Versioned(record, etag))
        await self._start(graph, record, record.under_way(), payloads)
        return record

    async def _tried_again(self, run: Job, record: Record) -> Record:
        """The run's own job was replayed: so are the jobs of it that failed, unless one of these is what was replayed."""
        asked = next((entry.detail or "" for entry in reversed(run.history) if entry.event == "replayed"), "")
        if record.outcome is Outcome.FAILED and not asked.startswith("step: "):
            await each(list(record.failed_parts()), lambda part: self._replay(record, part))
        await self._tell(run.job_id, TakenUp(self._deps.clock.now(), run.replays))
        latest = await self._read(run.job_id)
        return latest.value if latest else record

    async def _replay(self, record: Record, part: Part) -> None:
        child = await self._deps.status.read(record.child_id(part))
        if child and child.value.dead_letter_id and child.value.status is Status.FAILED and self._children.replay:
            await self._children.replay(child.value.dead_letter_id, by="its run")


def _why(child: Job) -> tuple[str, Any]:
    if child.status is Status.CANCELLED:
        return "its job was cancelled", "cancelled"
    return (f"{child.error.type}: {child.error.message}" if child.error else "failed"), "failed"
