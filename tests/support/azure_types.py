"""Resources against Azure's published types (Azure/bicep-types-az): what is missing, unknown, read-only or out of bounds.

A file of types holds one version of a namespace. Where it is an older one than a resource asks for, the newest at hand is taken.
Expressions (`[reference(...)]`) are known in Azure only, and pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

REQUIRED, READ_ONLY = 1, 2
_OWN = frozenset({"id", "type", "apiVersion", "scope", "dependsOn"})
"""Properties of a resource that are not its body's."""

Finding = tuple[str, str]
"""Where, and what is wrong there."""


class Types:
    """The types in a folder, each file one version of a namespace."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(folder.glob("*@*.json"), key=lambda path: path.stem.partition("@")[2], reverse=True)
        self._read: dict[Path, list[dict[str, Any]]] = {}

    def check(self, resource: dict[str, Any]) -> list[Finding]:
        """All findings in a resource, its path being its type and the properties down to there."""
        kind = resource["type"]
        found = self._find(kind, resource["apiVersion"])
        if found is None:
            return [(kind, "no such type")]
        entries, body = found
        checked = {name: value for name, value in resource.items() if name not in _OWN}
        checked["name"] = (
            str(resource["name"]) if _expression(resource["name"]) else resource["name"].rsplit("/", 1)[-1]
        )
        return list(_Check(entries).value(checked, body, kind))

    def _find(self, kind: str, version: str) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
        """The entries of the file that has the type, of this version or else the newest, and the type's body."""
        namespace = kind.partition("/")[0].lower()
        files = [path for path in self._files if path.stem.partition("@")[0] == namespace]
        for path in sorted(files, key=lambda path: path.stem.partition("@")[2] != version):
            entries = self._read.setdefault(path, json.loads(path.read_text("utf-8")))
            for entry in entries:
                if entry["$type"] == "ResourceType" and entry["name"].partition("@")[0].lower() == kind.lower():
                    return entries, entry["body"]
        return None


class _Check:
    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._entries = entries

    def _at(self, reference: dict[str, Any]) -> dict[str, Any]:
        return self._entries[int(reference["$ref"][2:])]

    def value(self, value: Any, reference: dict[str, Any], path: str) -> Iterator[Finding]:
        """The findings in a value that is to be of the type referred to."""
        kind = self._at(reference)
        if value is None or _expression(value) or kind["$type"] == "AnyType":
            return  # Resource Manager leaves out what is null
        check = {
            "ObjectType": self._object,
            "DiscriminatedObjectType": self._discriminated,
            "ArrayType": self._array,
            "UnionType": self._union,
        }.get(kind["$type"], _simple)
        yield from check(value, kind, path)

    def _object(self, value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
        if not isinstance(value, dict):
            yield path, f"not an object: {value!r}"
            return
        yield from self._properties(value, kind["properties"], kind.get("additionalProperties"), path)

    def _properties(
        self, value: dict[str, Any], known: dict[str, Any], others: dict[str, Any] | None, path: str
    ) -> Iterator[Finding]:
        for name, one in known.items():
            if (
                one["flags"] & REQUIRED
                and not one["flags"] & READ_ONLY
                and value.get(name) is None
                and name not in _OWN
            ):
                yield f"{path}.{name}", "is required"
        for name, each in value.items():
            if name in known:
                if known[name]["flags"] & READ_ONLY:
                    yield f"{path}.{name}", "is read-only"
                yield from self.value(each, known[name]["type"], f"{path}.{name}")
            elif others is not None:
                yield from self.value(each, others, f"{path}.{name}")
            else:
                yield f"{path}.{name}", "is unknown"

    def _discriminated(self, value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
        chosen = value.get(kind["discriminator"]) if isinstance(value, dict) else None
        if chosen not in kind["elements"]:
            yield f"{path}.{kind['discriminator']}", f"not one of {sorted(kind['elements'])}: {chosen!r}"
            return
        own = self._at(kind["elements"][chosen])
        known = {**kind["baseProperties"], **own["properties"]}
        yield from self._properties(value, known, own.get("additionalProperties"), path)

    def _array(self, value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
        if not isinstance(value, list):
            yield path, f"not a list: {value!r}"
            return
        for index, each in enumerate(value):
            yield from self.value(each, kind["itemType"], f"{path}[{index}]")

    def _union(self, value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
        elements = [self._at(each) for each in kind["elements"]]
        literals = [each["value"] for each in elements if each["$type"] == "StringLiteralType"]
        if value in literals:
            return
        if any(each["$type"] == "StringType" for each in elements) and isinstance(value, str):
            yield path, f"not among the listed values {literals}: {value!r}"
        elif all(list(self.value(value, each, path)) for each in kind["elements"]):
            yield path, f"not one of {literals or [each['$type'] for each in elements]}: {value!r}"


def _simple(value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
    match kind["$type"]:
        case "StringLiteralType" if value != kind["value"]:
            yield path, f"not {kind['value']!r}: {value!r}"
        case "StringType":
            yield from _string(value, kind, path)
        case "IntegerType":
            yield from _integer(value, kind, path)
        case "BooleanType" if not isinstance(value, bool):
            yield path, f"not a boolean: {value!r}"
        case _:
            return


def _string(value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
    if not isinstance(value, str):
        yield path, f"not a text: {value!r}"
        return
    if not kind.get("minLength", 0) <= len(value) <= kind.get("maxLength", len(value)):
        yield path, f"{len(value)} characters are not {kind.get('minLength', 0)} to {kind.get('maxLength', 'any')}"
    pattern = kind.get("pattern")
    if pattern and not re.search(pattern, value):
        yield path, f"does not match {pattern}: {value!r}"


def _integer(value: Any, kind: dict[str, Any], path: str) -> Iterator[Finding]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield path, f"not a number: {value!r}"
    elif not kind.get("minValue", value) <= value <= kind.get("maxValue", value):
        yield path, f"{value} is not {kind.get('minValue', 'any')} to {kind.get('maxValue', 'any')}"


def _expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[[")


def literals(resources: Iterable[dict[str, Any]], write: Any) -> str:
    """A Bicep file of these resources as they were evaluated, for the compiler to check each value by its own types.

    Args:
        resources: as `bicep snapshot` evaluates them.
        write: writes a value as Bicep does.
    """
    lines = []
    for index, each in enumerate(resources):
        body = {name: value for name, value in each.items() if name not in _OWN}
        if _expression(each["name"]) or each["type"].startswith("Microsoft.Insights/diagnosticSettings"):
            body["name"] = "/".join(f"name{index}" for _ in each["type"].split("/")[1:])
        lines.append(f"resource r{index} '{each['type']}@{each['apiVersion']}' = {write(body)}\n")
    text = "\n".join(lines)
    return re.sub(r"'(\[(?:[^'\\\n]|\\.)*\])'", r"any('\1')", text)
