"""YAML as plain values, with the line and column of each: PyYAML's `compose`, which keeps them, and YAML 1.2's idea of what a word is.

In YAML 1.1, which PyYAML otherwise reads, `on:` is the key `true`, `no` is false and `12:30` is 750. Here `true` and `false` are the only
booleans, and all such words are text. What a setting takes for a boolean its model decides (`yes` is one there).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import yaml

LARGEST = 48 * 1024
"""Characters of a file."""
_MOST_VALUES = 20_000
_MOST_DEEP = 50
_JOINED = frozenset({"pipelines", "subworkflows", "workflows", "connectors"})
"""Lists of a file that may be given in parts, as the original's samples do: the parts are joined."""
_TAGS = frozenset({"map", "seq", "str", "int", "float", "bool", "null", "timestamp", "value"})
"""What PyYAML takes plain values for; an explicit one among them says nothing else."""
_INT = re.compile(r"[-+]?\d+|0x[0-9a-fA-F]+|0o[0-7]+")
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?")
_WORDS: Mapping[str, bool | None] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
}  # fmt: skip

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """Where something is in a file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with a file, and where."""

    place: Place
    path: str
    """Of what: `pipelines.0.executors.2.settings.max_pages`; empty for the file."""
    message: str

    def line(self, file: str) -> str:
        """As compilers write it: `file:line:column path: message`."""
        about = f"{self.path}: " if self.path else ""
        return f"{file}:{self.place.line}:{self.place.column} {about}{self.message}"


class YamlError(ValueError):
    """A file is no YAML, or none that can be taken."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(frozen=True)
class Marked:
    """A file's values, and where they are."""

    value: Any
    keys: Mapping[Path, Place] = field(default_factory=dict)
    """Where the key of each value begins, or the value itself in a list."""
    values: Mapping[Path, Place] = field(default_factory=dict)
    """Where each value begins."""
    quoted: frozenset[Path] = frozenset()
    """Values that stand in quotes, one character before their text."""
    blocks: frozenset[Path] = frozenset()
    """Values whose text begins in another line than they do."""

    def key(self, *path: str | int) -> Place:
        """Where a key is; of what is missing, where that is in which it would be."""
        return self._found(self.keys, path)

    def at(self, *path: str | int) -> Place:
        """Where a value is; of what is missing, where that is in which it would be."""
        return self._found(self.values, path)

    def _found(self, places: Mapping[Path, Place], path: Path) -> Place:
        if path in places:
            return places[path]
        while path not in self.values:
            path = path[:-1]
        return self.keys.get(path, self.values[path])


def read(text: str) -> Marked:
    """Read a file.

    Raises:
        YamlError: it is no YAML; or has two keys of one name, more than one document, a tag, a merge key, or values without an end.
    """
    if len(text) > LARGEST:
        raise YamlError(Problem(Place(1, 1), "", f"larger than {LARGEST // 1024} KiB"))
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise YamlError(_syntax(error)) from None
    except RecursionError:
        raise YamlError(Problem(Place(1, 1), "", f"nested more than {_MOST_DEEP} deep")) from None
    reader = _Reader()
    value = None if node is None else reader.value(node, ())
    places = reader.values or {(): Place(1, 1)}
    return Marked(value, reader.keys, places, frozenset(reader.quoted), frozenset(reader.blocks))


class _Reader:
    """Makes values of nodes. An alias stands for what its anchor does, as often as it is used: so values are counted."""

    def __init__(self) -> None:
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self.quoted: set[Path] = set()
        self.blocks: set[Path] = set()

    def value(self, node: Any, path: Path) -> Any:
        place = _place(node.start_mark)
        if len(self.values) >= _MOST_VALUES:
            raise YamlError(
                Problem(place, "", f"more than {_MOST_VALUES:,} values; aliases count as what they stand for")
            )
        if len(path) > _MOST_DEEP:
            raise YamlError(Problem(place, "", f"nested more than {_MOST_DEEP} deep"))
        self.values[path] = place
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
            raise YamlError(Problem(place, dotted(path), f"tags such as {node.tag!r} are not taken"))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(each, (*path, index)) for index, each in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: Any, path: Path) -> Any:
        if node.style in ("'", '"'):
            self.quoted.add(path)
        elif node.style in ("|", ">"):
            self.blocks.add(path)
        else:
            return _plain(str(node.value))
        return str(node.value)

    def _item(self, node: Any, path: Path) -> Any:
        self.keys[path] = _place(node.start_mark)
        return self.value(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key, place = self._key(key_node, path), _place(key_node.start_mark)
            if key in found:
                self._again(found, key, place, value_node, path)
                continue
            self.keys[(*path, key)] = place
            found[key] = self.value(value_node, (*path, key))
        return found

    def _key(self, node: Any, path: Path) -> str:
        place = _place(node.start_mark)
        if not isinstance(node, yaml.ScalarNode):
            raise YamlError(Problem(place, dotted(path), "a key has to be a word or a text"))
        if node.tag == "tag:yaml.org,2002:merge":
            raise YamlError(Problem(place, dotted(path), "merge keys (`<<`) are not taken: write the values out"))
        return str(node.value)

    def _again(self, found: dict[str, Any], key: str, place: Place, node: Any, path: Path) -> None:
        known = found[key]
        if path or key not in _JOINED or not isinstance(known, list) or not isinstance(node, yaml.SequenceNode):
            first = self.keys[(*path, key)]
            raise YamlError(Problem(place, dotted((*path, key)), f"this key is there already, in line {first.line}"))
        for each in node.value:
            known.append(self._item(each, (key, len(known))))


def dotted(path: Path) -> str:
    """A path as messages name it."""
    return ".".join(map(str, path))


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0x", "0o") else int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _syntax(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    words = getattr(error, "problem", None) or getattr(error, "reason", None) or "no YAML"
    if mark is None:  # a character that no YAML holds
        return Problem(Place(1, 1), "", f"no YAML: {words}")
    return Problem(_place(mark), "", f"no YAML: {words}")
