"""Bicep, as far as this repository uses it: the syntax from tree-sitter, and the declarations of a file.

No compiler can be had everywhere, so ``support.bicep_check`` looks for what one would refuse. It knows no more of the
language than ``infra`` needs; what it does not know (lambdas, imports, types of one's own) it reports, rather than pass.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))
_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}
TYPES = {"string", "int", "bool", "object", "array"}


@dataclass(frozen=True)
class Declaration:
    """One named thing of a file."""

    kind: str
    """`param`, `var`, `resource`, `module` or `output`."""
    name: str
    node: Node
    decorators: frozenset[str] = frozenset()
    children: tuple[Declaration, ...] = ()
    """Nested resources."""

    @property
    def type(self) -> str:
        """The type of a parameter or output; empty where it has none."""
        found = next((child for child in self.node.named_children if child.type == "type"), None)
        return text(found) if found else ""

    @property
    def target(self) -> str:
        """The type with its version of a resource, the path of a module."""
        return literal(self.node.named_children[1]) or ""

    @property
    def existing(self) -> bool:
        """Whether a resource is only referred to."""
        return any(child.type == "existing" for child in self.node.children)

    @property
    def value(self) -> Node | None:
        """The expression: a default, a value, or the body with its loop and condition."""
        last = self.node.named_children[-1]
        return None if last.type in ("identifier", "type") else last

    @property
    def conditions(self) -> tuple[str, ...]:
        """Under what a resource or module is made at all."""
        return tuple(
            text(node.named_children[0].named_children[0])
            for node in wrappers(self.value)
            if node.type == "if_statement"
        )

    @property
    def body(self) -> Node | None:
        """The object within loop and condition."""
        found = list(wrappers(self.value))
        return found[-1] if found and found[-1].type == "object" else None


@dataclass(frozen=True)
class Template:
    """One file: its syntax, and what it declares."""

    path: str
    root: Node
    scope: str
    declared: tuple[Declaration, ...] = field(default=())

    def of(self, kind: str) -> dict[str, Declaration]:
        """The declarations of a kind by name."""
        return {each.name: each for each in self.declared if each.kind == kind}

    def resources(self) -> Iterator[tuple[str, Declaration]]:
        """Every resource, nested ones too, with its full type and version."""
        for each in self.declared:
            if each.kind == "resource":
                yield from _with_nested(each.target, each)


def read(folder: Path) -> dict[str, Template]:
    """The files of a folder by their path in it."""
    paths = sorted(folder.rglob("*.bicep"))
    return {
        each: parse(each, (folder / each).read_text("utf-8")) for each in (str(p.relative_to(folder)) for p in paths)
    }


def parse(path: str, source: str) -> Template:
    """Read one file."""
    root = _PARSER.parse(source.encode()).root_node
    scope = next((literal(node.named_children[0]) for node in root.named_children if "scope" in node.type), None)
    return Template(path, root, scope or "resourceGroup", tuple(_declarations(root.named_children)))


def _declarations(nodes: list[Node]) -> Iterator[Declaration]:
    decorators: set[str] = set()
    for node in nodes:
        if node.type == "decorators":
            decorators |= {text(one.named_children[0].named_children[0]) for one in node.named_children}
        elif node.type in _KINDS:
            name, kind = text(node.named_children[0]), _KINDS[node.type]
            nested = tuple(_declarations(_nested(node))) if kind == "resource" else ()
            yield Declaration(kind, name, node, frozenset(decorators), nested)
            decorators = set()


def _nested(resource: Node) -> list[Node]:
    """The declarations in a resource's body: the grammar takes each for a property, with decorators before it."""
    body = next((node for node in wrappers(resource.named_children[-1]) if node.type == "object"), None)
    found: list[Node] = []
    for child in body.named_children if body else ():
        if child.type == "decorators":
            found.append(child)
        elif child.type == "object_property" and child.named_children[0].type == "resource_declaration":
            found.append(child.named_children[0])
    return found


def _with_nested(target: str, resource: Declaration) -> Iterator[tuple[str, Declaration]]:
    yield target, resource
    kind, _, version = target.partition("@")
    for child in resource.children:
        yield from _with_nested(f"{kind}/{child.target}@{version}", child)


def wrappers(node: Node | None) -> Iterator[Node]:
    """An expression, and what is in it as long as it is a loop or a condition around something."""
    while node is not None:
        yield node
        node = node.named_children[-1] if node.type in ("for_statement", "if_statement") else None


def properties(node: Node | None) -> dict[str, Node]:
    """The properties of an object by name."""
    found = {}
    for child in node.named_children if node is not None and node.type == "object" else ():
        if child.type == "object_property" and len(child.named_children) == 2:
            key, value = child.named_children
            found[literal(key) or text(key)] = value
    return found


def walk(node: Node) -> Iterator[Node]:
    """A node and all below it."""
    yield node
    for child in node.children:
        yield from walk(child)


def text(node: Node) -> str:
    """The source of a node."""
    return node.text.decode() if node.text else ""


def literal(node: Node) -> str | None:
    """The value of a string without interpolation."""
    if node.type != "string" or any(child.type == "interpolation" for child in node.named_children):
        return None
    return "".join(text(child) for child in node.named_children)


def load_json(folder: Path) -> Mapping[str, Any]:
    """Each JSON file of a folder by name."""
    return {path.name: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
