"""Starting the jobs of a run: under ids that are derived from the run and the part, so that started twice is once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from shared.jobs.children import Children, each
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.log import LOG
from shared.jobs.model import Job
from shared.jobs.ticket import Options, Ticket
from shared.ports import StorageError
from shared.workflows.advance import Ended, Happening
from shared.workflows.finding import Finder, Payload
from shared.workflows.graph import Graph
from shared.workflows.helpers import TIMER
from shared.workflows.record import Part, Record


class Starter:
    """Starts and stops the jobs of runs."""

    def __init__(self, children: Children, finder: Callable[[Graph], Finder]) -> None:
        self._children = children
        self._finder = finder

    async def start(
        self, graph: Graph, record: Record, parts: Iterable[Part], payloads: dict[Part, Payload]
    ) -> list[Happening]:
        """Start the jobs of parts that the record names; one that was started already stays as it is.

        Args:
            graph: the run's graph.
            record: the run.
            parts: which of it.
            payloads: the payloads of those of which they are known already.

        Returns:
            What became of those that cannot be started.

        Raises:
            StorageError: not all were started; the same again is safe.
        """
        finder, lost = self._finder(graph), list[Happening]()

        async def one(part: Part) -> None:
            try:
                await self._one(finder, graph, record, part, payloads.get(part))
            except StorageError:
                raise
            except Exception as error:  # noqa: BLE001 - the workflow's own code may raise whatever it likes
                if await self._children.deps.status.read(record.child_id(part)):
                    return  # it was started before the code changed, or is being replayed
                LOG.warning("job not started: run=%s part=%s error=%s", record.run_id, part.key, type(error).__name__)
                lost.append(Ended(self._children.deps.clock.now(), part, error=f"{type(error).__name__}: {error}"))

        await each(parts, one)
        return lost

    async def stop(self, run: Job, graph: Graph, record: Record) -> None:
        """Cancel everything that is under way; what was about to be started is started first, so that nobody can later."""
        finder = self._finder(graph)

        async def one(part: Part) -> None:
            async def start() -> Ticket:
                ticket = await self._one(finder, graph, record, part, None)
                if ticket is None:
                    raise InvalidTransitionError("nothing is under way")
                return ticket

            await self._children.stop(run, part.key, start)

        await each(record.under_way(), one)

    async def _one(
        self, finder: Finder, graph: Graph, record: Record, part: Part, payload: Payload | None
    ) -> Ticket | None:
        node, at = graph.by_name[part.step], record.steps[part.step].started_at or record.created_at
        options: Options = {
            "job_id": record.child_id(part),
            "parent_id": record.run_id,
            "parent_kind": record.workflow,
            "child_key": part.key,
            "trace": record.trace,
        }
        if part.timer:
            seconds = node.wait.timeout_seconds if node.wait else node.sleep_seconds
            if seconds is None:
                return None
            options["not_before"] = at + timedelta(seconds=seconds)
            return await self._children.start_one(TIMER.name, {}, **options)
        options["priority"] = node.priority or record.priority
        if node.delay_seconds:
            options["not_before"] = at + timedelta(seconds=node.delay_seconds)
        if node.policy:
            options["overrides"] = node.policy
        payload = await finder.payload(record, part) if payload is None else payload
        return await self._children.start_one(str(node.kind), payload, **options)
