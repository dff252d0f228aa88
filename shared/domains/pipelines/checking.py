"""From the text of a file to pipelines that can run, or to everything that is wrong with it, each with its line and column.

Taken are all forms of the original: `pipeline`, `pipelines` and `subworkflows` (also called `workflows`), or one pipeline at the top of the
file. What a file *lacks* is no error: a setting that is not set, a service that is not there. It is told, and the pipeline runs once it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from shared.domains.pipelines.checked import Checked, meant
from shared.domains.pipelines.definition import Edge, Pipeline
from shared.domains.pipelines.entries import Entries
from shared.domains.pipelines.marked import Marked, Path, Place, Problem, YamlError, dotted, read
from shared.settings import Settings

_PIPELINE_KEYS = ("name", "description", "executors", "execution_sequence", "edges", "workflow")
_FILE_KEYS = ("pipeline", "pipelines", "subworkflows", "workflows", "connectors", *_PIPELINE_KEYS)
_EDGE_KEYS = ("from", "to", "condition", "type", "wait_strategy", "description")
_EDGE_TYPES = ("sequential", "parallel", "join", "conditional")


def check(text: str, settings: Settings, name: str = "pipeline") -> Checked:
    """Check a file.

    Args:
        text: its text.
        settings: the app's, which say what is lacking.
        name: what a pipeline is called whose file does not say.
    """
    checked = Checked()
    try:
        marked = read(text)
    except YamlError as error:
        checked.errors.append(error.problem)
        return checked
    _Checker(marked, settings, checked, name).file()
    checked.errors.sort(key=lambda problem: problem.place)
    if checked.errors:
        checked.pipelines, checked.main = {}, []
    return checked


class _Checker:
    """Walks through one file."""

    def __init__(self, marked: Marked, settings: Settings, checked: Checked, name: str) -> None:
        self._marked = marked
        self._settings = settings
        self._checked = checked
        self._name = name
        self._whole: Mapping[str, Any] = marked.value if isinstance(marked.value, dict) else {}

    def file(self) -> None:
        if not self._whole:
            self._error(
                self._marked.at(), (), "a file of pipelines is expected: `pipeline:`, `pipelines:` or `executors:`"
            )
            return
        self._known((), self._whole, _FILE_KEYS)
        places = list(self._places())
        if not places and not self._checked.errors:
            self._error(
                self._marked.at(),
                (),
                "there is no pipeline in it: `pipeline:`, `pipelines:` or `executors:` is missing",
            )
        named = {path: self._named(path, value) for path, value in places}
        entries = Entries(self._marked, self._settings, set(named.values()), self._connectors(), self._checked)
        for path, value in places:
            self._pipeline(path, value, named[path], entries)
        self._circles(named)

    def _places(self) -> Iterable[tuple[Path, Mapping[str, Any]]]:
        """Each pipeline of the file with its path."""
        if "executors" in self._whole:
            yield (), self._whole
        if (value := self._mapping(("pipeline",), self._whole.get("pipeline"))) is not None:
            yield ("pipeline",), value
        for key in ("pipelines", "workflows", "subworkflows"):
            for index, each in enumerate(self._list((key,), self._whole.get(key))):
                if (value := self._mapping((key, index), each)) is not None:
                    yield (key, index), value

    def _named(self, path: Path, value: Mapping[str, Any]) -> str:
        name = value.get("name")
        if name is None and path in ((), ("pipeline",)):
            return self._name
        if not isinstance(name, str) or not name.strip() or len(name) > 200:
            self._error(self._marked.at(*path, "name"), (*path, "name"), "a name of up to 200 characters is expected")
            return f"{self._name}-{len(self._checked.main)}"
        return name

    def _connectors(self) -> dict[str, Mapping[str, Any]]:
        found = {}
        for index, each in enumerate(self._list(("connectors",), self._whole.get("connectors"))):
            path = ("connectors", index)
            if (value := self._mapping(path, each)) is not None:
                self._known(path, value, ("name", "type", "settings", "description"))
                found[str(value.get("name"))] = value
        return found

    def _pipeline(self, path: Path, value: Mapping[str, Any], name: str, entries: Entries) -> None:
        if path:
            self._known(path, value, _PIPELINE_KEYS)
        if name in self._checked.pipelines:
            self._error(self._marked.at(*path, "name"), (*path, "name"), f"there are two pipelines {name!r}")
            return
        listed = self._list((*path, "executors"), value.get("executors"))
        nodes = entries.nodes(path, listed)
        if not listed and isinstance(value.get("executors", []), list):
            self._error(self._marked.key(*path, "executors"), (*path, "executors"), "at least one executor is expected")
        known = {str(each.get("id")): None for each in listed if isinstance(each, dict)}
        edges, any_of = self._edges(path, value, list(known), entries)
        nodes = [node.model_copy(update={"wait": "any"}) if node.id in any_of else node for node in nodes]
        described = value.get("description")
        made = Pipeline(
            name=name, description=described if isinstance(described, str) else "",
            nodes=tuple(nodes), edges=tuple(dict.fromkeys(edges)),
        )  # fmt: skip
        self._connected(path, made, value)
        self._checked.pipelines[name] = made
        if path[:1] != ("subworkflows",):
            self._checked.main.append(name)

    def _edges(
        self, path: Path, value: Mapping[str, Any], known: list[str], entries: Entries
    ) -> tuple[list[Edge], set[str]]:
        sequence = self._sequence(path, value, known)
        if "edges" not in value:
            chain = known if sequence is None else sequence
            return [Edge(source=a, target=b) for a, b in pairwise(chain)], set()
        found: list[Edge] = []
        any_of: set[str] = set()
        for index, each in enumerate(self._list((*path, "edges"), value["edges"])):
            place = (*path, "edges", index)
            if (edge := self._mapping(place, each)) is not None:
                made = self._edge(place, edge, known, entries)
                found += made
                if edge.get("wait_strategy") == "any":
                    any_of |= {one.target for one in made}
        return found, any_of

    def _sequence(self, path: Path, value: Mapping[str, Any], known: list[str]) -> list[str] | None:
        """The executors in the order of `execution_sequence`, or of the steps of `workflow`; None where it is not given."""
        if "execution_sequence" in value:
            way: Path = (*path, "execution_sequence")
            listed = self._list(way, value["execution_sequence"])
            if not listed:
                self._error(self._marked.at(*way), way, "at least one executor is expected")
            found = [self._id((*way, index), each, known) for index, each in enumerate(listed)]
            for index, each in enumerate(found):
                if each is not None and each in found[:index]:
                    self._error(self._marked.at(*way, index), (*way, index), f"{each!r} is in the sequence already")
            return [each for each in found if each is not None]
        workflow = self._mapping((*path, "workflow"), value.get("workflow"))
        if workflow is None:
            return None
        self._known((*path, "workflow"), workflow, ("steps",))
        way = (*path, "workflow", "steps")
        steps = []
        for index, each in enumerate(self._list(way, workflow.get("steps"))):
            if (step := self._mapping((*way, index), each)) is not None:
                self._known((*way, index), step, ("executor", "description"))
                steps.append(self._id((*way, index, "executor"), step.get("executor"), known))
        return [each for each in steps if each is not None]

    def _edge(self, path: Path, edge: Mapping[str, Any], known: list[str], entries: Entries) -> list[Edge]:
        self._known(path, edge, _EDGE_KEYS)
        self._choice(path, edge, "type", _EDGE_TYPES)
        self._choice(path, edge, "wait_strategy", ("all", "any"))
        for key in ("from", "to"):
            if key not in edge:
                self._error(self._marked.at(*path), (*path, key), "is missing")
        sources = [self._id(way, each, known) for way, each in self._ends((*path, "from"), edge.get("from"))]
        condition = entries.condition((*path, "condition"), edge.get("condition"))
        made = []
        for way, each in self._ends((*path, "to"), edge.get("to")):
            target, own = each, condition
            if isinstance(each, dict):
                self._known(way, each, ("target", "condition", "description"))
                target, way = each.get("target"), (*way, "target")  # noqa: PLW2901 - the same place, more exactly
                own = entries.condition((*way[:-1], "condition"), each.get("condition")) or condition
            if found := self._id(way, target, known):
                made += [Edge(source=source, target=found, condition=own) for source in sources if source]
        return made

    def _ends(self, path: Path, value: Any) -> list[tuple[Path, Any]]:
        if isinstance(value, list):
            return [((*path, index), each) for index, each in enumerate(value)]
        return [] if value is None else [(path, value)]

    def _id(self, path: Path, value: Any, known: list[str]) -> str | None:
        """The id of one of the executors."""
        if isinstance(value, str) and value in known:
            return value
        self._error(self._marked.at(*path), path, f"no executor {value!r} here{meant(value, known)}")
        return None

    def _connected(self, path: Path, made: Pipeline, value: Mapping[str, Any]) -> None:
        way: Path = (*path, "edges" if "edges" in value else "execution_sequence")
        try:
            made.order()
        except CycleError as error:
            if not any(problem.path.startswith(dotted(way)) for problem in self._checked.errors):
                circle = error.args[1]
                closing = self._closing(way, value, set(pairwise(circle)))
                self._error(self._marked.key(*closing), closing, f"runs in a circle: {' -> '.join(circle)}")
            return
        if len(made.nodes) > 1:
            used = {edge.source for edge in made.edges} | {edge.target for edge in made.edges}
            for index, node in enumerate(made.nodes):
                if node.id not in used:
                    at = self._marked.at(*path, "executors", index)
                    self._warn(at, (*path, "executors", index), f"{node.id!r} is in no edge: it runs by itself")

    def _closing(self, way: Path, value: Mapping[str, Any], pairs: set[tuple[str, str]]) -> Path:
        """The last edge in the file that is part of a circle; where there are no edges, the sequence."""
        listed = list(enumerate(value.get("edges") or []))
        for index, each in reversed(listed):
            if isinstance(each, dict) and (str(each.get("from")), str(each.get("to"))) in pairs:
                return (*way, index)
        return way

    def _circles(self, named: Mapping[Path, str]) -> None:
        """Pipelines that use each other without end."""
        graph = {name: set(each.uses) for name, each in self._checked.pipelines.items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            path = next(path for path, name in named.items() if name in error.args[1])
            self._error(
                self._marked.key(*path), path, f"pipelines use each other in a circle: {' -> '.join(error.args[1])}"
            )

    # --- small duties --------------------------------------------------------------------------------------------

    def _mapping(self, path: Path, value: Any) -> Mapping[str, Any] | None:
        if isinstance(value, dict) or (value is None and path not in self._marked.values):
            return value
        self._error(self._marked.at(*path), path, "keys with values are expected")
        return None

    def _list(self, path: Path, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        if path in self._marked.values:
            self._error(self._marked.at(*path), path, "a list is expected")
        return []

    def _choice(self, path: Path, value: Mapping[str, Any], key: str, choices: tuple[str, ...]) -> None:
        given = value.get(key)
        if given is not None and given not in choices:
            words = f"one of {', '.join(choices)} is expected{meant(given, choices)}"
            self._error(self._marked.at(*path, key), (*path, key), words)

    def _known(self, path: Path, value: Mapping[str, Any], keys: tuple[str, ...]) -> None:
        for key in value:
            if key not in keys:
                self._error(self._marked.key(*path, key), (*path, key), f"unknown key{meant(key, keys)}")

    def _error(self, place: Place, path: Path, message: str) -> None:
        self._checked.errors.append(Problem(place, dotted(path), message))

    def _warn(self, place: Place, path: Path, message: str) -> None:
        self._checked.warnings.append(Problem(place, dotted(path), message))
