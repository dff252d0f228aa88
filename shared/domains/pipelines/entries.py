"""The executors of a file: each against its type in the catalogue, and its settings against the model of that."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.checked import Checked, meant
from shared.domains.pipelines.content import NAMES
from shared.domains.pipelines.definition import Node
from shared.domains.pipelines.environment import allowed, names_in, resolved
from shared.domains.pipelines.executing import Executor, ExecutorSettings, NamesPipeline, Step
from shared.domains.pipelines.marked import Marked, Path, Place, Problem, dotted
from shared.domains.pipelines.settings import PipelineSettings
from shared.expressions import ExpressionError, parse
from shared.settings import Settings

_COMMON = tuple(ExecutorSettings.model_fields)
_KEYS = ("id", "type", "name", "description", "settings", "connectors", *_COMMON)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_FIELDS = (
    "text",
    "title",
    "url",
    "pages",
    "chunks",
    "tables",
    "language",
    "content_type",
    "size",
    "author",
    "row_number",
)
"""Fields that items have as a rule, beside those that settings name."""
_CONNECTED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "blob_storage": {"account_name": ("blob_storage_account", "storage_account_name")},
    "document_intelligence": {"endpoint": ("doc_intelligence_endpoint",)},
    "ai_inference": {"endpoint": ("endpoint",)},
    "ai_search": {"endpoint": ("ai_search_endpoint", "ai_search_account"), "index_name": ("ai_search_index",)},
}
"""Which settings of an executor a connector's stand for, by its type: the first that the executor has."""
_UNKNOWN = {
    "knowledge_graph": "knowledge graphs need Cosmos DB for Gremlin, which this app does not speak",
}
_SECRET = re.compile(r"key|secret|password|token")
_PUBLIC = re.compile(r"keys?_|_keys?_|key_field|keep|keyword|token_|tokens|output_key")


class Entries:
    """Checks the executors of one file's pipelines."""

    def __init__(
        self,
        marked: Marked,
        settings: Settings,
        pipelines: set[str],
        connectors: Mapping[str, Mapping[str, Any]],
        checked: Checked,
    ) -> None:
        self._marked = marked
        self._settings = settings
        self._pipelines = pipelines
        self._connectors = connectors
        self._checked = checked
        self._environment = allowed(settings.of(PipelineSettings).environment)
        self._fields = {*_FIELDS, *_words(marked.value)}

    def nodes(self, path: Path, listed: list[Any]) -> list[Node]:
        """The executors of one pipeline."""
        found: list[Node] = []
        for index, each in enumerate(listed):
            place = (*path, "executors", index)
            if not isinstance(each, dict):
                self._error(place, "keys with values are expected: `id`, `type`")
            elif (node := self._node(place, each)) is not None:
                if any(node.id == other.id for other in found):
                    self._error((*place, "id"), f"there are two executors {node.id!r}")
                found.append(node)
        return found

    def condition(self, path: Path, text: Any) -> str | None:
        """A condition, as it is written; None where there is none."""
        if text is None:
            return None
        if not isinstance(text, str):
            self._error(path, "a condition is a text")
            return None
        try:
            parse(text, {*NAMES, *self._fields})
        except ExpressionError as error:
            words = error.message
            if words.startswith("unknown name") and "did you mean" not in words:
                words = words.partition(";")[0] + "; a field that no executor here makes is written data['name']"
            place = self._marked.at(*path)
            if path not in self._marked.blocks:
                place = Place(place.line, place.column + error.offset + (path in self._marked.quoted))
            self._checked.errors.append(Problem(place, dotted(path), words))
            return None
        return text.strip() or None

    def _node(self, path: Path, value: Mapping[str, Any]) -> Node | None:
        for key in value:
            if key not in _KEYS:
                self._error((*path, key), f"unknown key{meant(key, _KEYS)}", key=True)
        name, type_ = value.get("id"), value.get("type")
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self._error((*path, "id"), "an id is expected: letters, digits, `_`, `.` and `-`, up to 64")
            name = None
        executor, given = self._executor((*path, "type"), type_)
        settings = self._given(path, value, given, executor)
        if name is None or settings is None:
            return None
        uses = self._settle(path, executor, settings, value) if executor else ()
        described = value.get("description")
        return Node(
            id=name, type=executor.name if executor else str(type_), settings=settings, uses=uses,
            description=described if isinstance(described, str) else "",
        )  # fmt: skip

    def _executor(self, path: Path, name: Any) -> tuple[Executor[Any] | None, Mapping[str, Any]]:
        """The executor of a type, and the settings that the type stands for: that of a subworkflow is its name."""
        known = executors()
        if isinstance(name, str) and name in known:
            return known[name], {}
        why = next((words for start, words in _UNKNOWN.items() if str(name).startswith(start)), None)
        if not why and isinstance(name, str) and name in self._pipelines:
            return known["subpipeline"], {"pipeline": name}
        if name is None:
            self._error(path, "`type` is missing: the name of an executor")
            return None, {}
        if why:
            self._lack(path, f"{name}: {why}")
        else:
            self._error(path, f"no executor is called {name!r}{meant(name, {*known, *self._pipelines})}")
        return None, {}

    def _given(
        self,
        path: Path,
        value: Mapping[str, Any],
        of_type: Mapping[str, Any],
        executor: Executor[Any] | None,
    ) -> dict[str, Any] | None:
        """All that is set for an executor: by its settings, beside them, and by its connectors."""
        written = value.get("settings")
        if written is not None and not isinstance(written, dict):
            self._error((*path, "settings"), "keys with values are expected")
            return None
        beside = {key: value[key] for key in _COMMON if key in value}
        for key in beside:
            if written and key in written:
                self._error((*path, key), f"{key!r} is among the settings already", key=True)
        connected = self._connected(path, value, executor)
        return {**connected, **of_type, **beside, **(written or {})}

    def _connected(self, path: Path, value: Mapping[str, Any], executor: Executor[Any] | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        names = value.get("connectors") or []
        for index, name in enumerate(names if isinstance(names, list) else [names]):
            connector = self._connectors.get(str(name))
            if connector is None:
                self._error((*path, "connectors", index), f"no connector is called {name!r}")
            elif executor is not None:
                fields = _CONNECTED.get(str(connector.get("type")), {})
                for key, setting in dict(connector.get("settings") or {}).items():
                    known = [each for each in fields.get(key, (key,)) if each in executor.settings.model_fields]
                    found |= {known[0]: setting} if known else {}
        return found

    def _settle(
        self, path: Path, executor: Executor[Any], settings: Mapping[str, Any], value: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """See that the settings fit the model of the executor, and that what they need is there; the pipelines that they name."""
        unset = self._environment_of(path, settings, value)
        self.condition(self._way(path, value, ("condition",)), settings.get("condition"))
        for key, each in settings.items():
            if isinstance(each, str) and each and _SECRET.search(key) and not _PUBLIC.search(key) and "${" not in each:
                self._warning(
                    self._way(path, value, (key,)),
                    "a secret is better written ${NAME}, and set for the app",
                )
        try:
            model = executor.settings.model_validate(resolved(dict(settings)))
        except ValidationError as error:
            for one in error.errors(include_url=False, include_input=False):
                self._unfit(path, executor, settings, value, one, unset)
            return tuple(name for name in self._pipelines if name in _texts(settings))
        used = tuple(dict.fromkeys(pipelines_of(model)))
        for name in used:
            if name not in self._pipelines:
                way = next((k for k, v in settings.items() if v == name), "")
                words = f"no pipeline {name!r} in this file{meant(name, self._pipelines)}"
                self._error(self._way(path, value, (way,) if way else ()), words)
        for at, name, given in unset:
            if resolved(given) is None:
                self._warning(at, f"the setting {name} is not set; {executor.name} does without it")
            else:
                self._lack(at, f"the setting {name} is not set")
        for words in executor.needs(model, self._settings):
            self._lack((*path, "type"), f"{executor.name}: {words}")
        return used

    def _environment_of(
        self, path: Path, settings: Mapping[str, Any], value: Mapping[str, Any]
    ) -> list[tuple[Path, str, Any]]:
        """The settings of the app that are named and not set: where, which, and in what. Those that may not be named are errors."""
        unset = []
        for key, each in settings.items():
            for name in names_in(each):
                way = self._way(path, value, (key,))
                if name not in self._environment:
                    words = f"${{{name}}} may not be read by pipelines{meant(name, self._environment)} (PIPELINE_ENVIRONMENT adds names)"
                    self._error(way, words)
                elif not os.environ.get(name):
                    unset.append((way, name, each))
        return unset

    def _unfit(
        self,
        path: Path,
        executor: Executor[Any],
        settings: Mapping[str, Any],
        value: Mapping[str, Any],
        error: Any,
        unset: list[tuple[Path, str, Any]],
    ) -> None:
        location = tuple(error["loc"])
        if unset and (not location or any(names_in(settings.get(location[0])))):
            for at, name, _ in unset:  # what is not set yet cannot be judged
                self._lack(at, f"the setting {name} is not set")
            return
        way = self._way(path, value, location)
        if error["type"] == "extra_forbidden":
            known = {*executor.settings.model_fields, *executor.settings.ignored} if len(location) == 1 else ()
            self._error(way, f"{executor.name} has no such setting{meant(location[-1], known)}", key=True)
        elif error["type"] == "missing":
            held = (*path, "settings") if (*path, "settings") in self._marked.values else path
            if len(location) > 1:  # of a part of a setting, the part
                held = self._way(path, value, location[:-1])
            self._error(
                held,
                f"{executor.name} needs the setting {'.'.join(map(str, location))!r}",
                key=True,
            )
        elif location[:1] != ("condition",):
            self._error(way, str(error["msg"]).removeprefix("Value error, "))

    def _way(self, path: Path, value: Mapping[str, Any], location: tuple[Any, ...]) -> Path:
        """Where a setting stands in the file. Of a location, what names no key (an alternative of a type) is left out."""
        written = value.get("settings")
        within = isinstance(written, dict) and (not location or location[0] in written)
        way: Path = (*path, "settings") if within or (location and location[0] not in value) else path
        if way not in self._marked.values:
            way = path
        for each in location:
            if (*way, each) in self._marked.values:
                way = (*way, each)
        return way

    def _error(self, path: Path, message: str, *, key: bool = False) -> None:
        place = self._marked.key(*path) if key else self._marked.at(*path)
        self._checked.errors.append(Problem(place, dotted(path), message))

    def _lack(self, path: Path, message: str) -> None:
        self._checked.lacks.append(Problem(self._marked.at(*path), dotted(path), message))

    def _warning(self, path: Path, message: str) -> None:
        self._checked.warnings.append(Problem(self._marked.at(*path), dotted(path), message))


def pipelines_in(type: str, settings: Mapping[str, Any]) -> list[str]:
    """The pipelines that an executor's settings name."""
    try:
        return list(pipelines_of(executors()[type].settings.model_validate(resolved(dict(settings)))))
    except (KeyError, ValidationError):
        return []


def pipelines_of(model: BaseModel) -> Iterator[str]:
    """The pipelines that a model's values name, at any depth; those of steps in a chain too."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, str) and (
            any(isinstance(each, NamesPipeline) for each in info.metadata) or _marks(info.annotation)
        ):
            yield value
        for each in value if isinstance(value, list | tuple) else [value]:
            if isinstance(each, Step):
                yield from pipelines_in(each.type, each.settings)
            elif isinstance(each, BaseModel):
                yield from pipelines_of(each)


def _texts(value: Any) -> set[str]:
    """All texts in a value, at any depth."""
    if isinstance(value, dict | list):
        return set().union(*map(_texts, value.values() if isinstance(value, dict) else value))
    return {value} if isinstance(value, str) else set()


def _marks(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return any(isinstance(each, NamesPipeline) for each in annotation.__metadata__)
    return any(_marks(each) for each in get_args(annotation))


def _words(value: Any, key: str = "") -> Iterator[str]:
    """The fields of items that a file's settings name: what stands under a key that speaks of fields, up to the first dot."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _words(each, str(name))
            if isinstance(each, str) and key in ("mappings", "combine_fields"):
                yield str(name).partition(".")[0]
    elif isinstance(value, list):
        for each in value:
            yield from _words(each, key)
    elif isinstance(value, str) and (
        "field" in key or key.startswith("output") or key in ("mappings", "combine_fields")
    ):
        yield value.partition(".")[0]
