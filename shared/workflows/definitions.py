"""The definitions that runs are pinned to: each graph is kept once, in a blob that is named by its hash."""

from __future__ import annotations

from contextlib import suppress

from shared.jobs.kinds import Registry
from shared.ports import AlreadyExistsError, BlobStore
from shared.workflows.errors import DefinitionGoneError
from shared.workflows.graph import CODE, Graph
from shared.workflows.kind import Code, Workflow
from shared.workflows.record import Record, State

_REMEMBERED = 200


class Definitions:
    """Keeps graphs, and finds them again."""

    def __init__(self, blobs: BlobStore, kinds: Registry) -> None:
        self._blobs = blobs
        self._kinds = kinds
        self._kept: dict[str, Graph] = {}

    async def keep(self, graph: Graph) -> str:
        """Keep a graph and return its hash. No storage call where this process knows that it is kept."""
        digest = graph.hash
        if digest not in self._kept:
            with suppress(AlreadyExistsError):
                await self._blobs.create(name_of(digest), graph.to_json())
            self._remember(digest, graph)
        return digest

    async def graph(self, digest: str) -> Graph:
        """The graph of a hash.

        Raises:
            DefinitionGoneError: it is not kept.
        """
        if digest not in self._kept:
            blob = await self._blobs.read(name_of(digest))
            if blob is None:
                raise DefinitionGoneError(f"the definition {digest[:16]} is gone")
            self._remember(digest, Graph.model_validate_json(blob.data))
        return self._kept[digest]

    def code(self, workflow: str, graph: Graph, step: str) -> Code:
        """The functions of a step: those of the version that the graph is of.

        Raises:
            DefinitionGoneError: this code does not have them.
        """
        node = graph.by_name[step]
        if not _needs_code(graph, step):
            return Code()
        kind = self._kinds[workflow]
        found = kind.of_version(graph.version) if isinstance(kind, Workflow) else None
        code = found.code.get(step) if found else None
        if code is None or (node.payload == CODE and code.payload is None):
            raise DefinitionGoneError(
                f"the run was begun on version {graph.version} of {workflow}, whose step {step!r} this code does not have"
            )
        return code

    def _remember(self, digest: str, graph: Graph) -> None:
        for old in list(self._kept)[: max(0, len(self._kept) - _REMEMBERED + 1)]:
            del self._kept[old]
        self._kept[digest] = graph


def _needs_code(graph: Graph, step: str) -> bool:
    node = graph.by_name[step]
    conditions = node.when.walk() if node.when else ()
    return (
        node.payload == CODE
        or bool(node.each and node.each.items == CODE)
        or any(each.op == "code" for each in conditions)
    )


def unlike(record: Record, old: Graph, new: Graph) -> list[str]:
    """The steps that a run has completed, and that are not the same in a newer graph."""
    done = [name for name, step in record.steps.items() if step.state is State.COMPLETED]
    return [name for name in done if name not in new.by_name or new.by_name[name] != old.by_name[name]]


def name_of(digest: str) -> str:
    """The name of a definition's blob."""
    return f"workflows/{digest}.json"
