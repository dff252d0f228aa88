"""What a Bicep compiler would refuse, and some of what its linter would, over the files of one folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from tree_sitter import Node

from support.bicep import TYPES, Declaration, Template, literal, properties, text, walk, wrappers

FUNCTIONS = {
    "concat": (1, 99), "empty": (1, 1), "environment": (0, 0), "guid": (1, 99), "int": (1, 1), "items": (1, 1),
    "last": (1, 1), "loadJsonContent": (1, 3), "loadTextContent": (1, 2), "replace": (3, 3), "resourceGroup": (0, 0),
    "split": (2, 2), "string": (1, 1), "subscription": (0, 0), "subscriptionResourceId": (2, 99), "take": (2, 2),
    "tenant": (0, 0), "toLower": (1, 1), "union": (2, 99), "uniqueString": (1, 99),
}  # fmt: skip
"""The functions in use: how many arguments each takes, at least and at most."""
DECORATORS = {
    "description",
    "allowed",
    "minLength",
    "maxLength",
    "minValue",
    "maxValue",
    "secure",
    "metadata",
    "batchSize",
}
_RESOURCE = re.compile(r"[A-Z]\w+(\.\w+)+(/\w+)+@\d{4}-\d\d-\d\d(-preview)?")
_UNKNOWN = {
    "lambda_expression",
    "type_declaration",
    "user_defined_function",
    "import_statement",
    "import_functionality",
}
_LITERALS = {"string": "string", "number": "int", "boolean": "bool", "object": "object", "array": "array"}


def check(files: Mapping[str, Template], contents: frozenset[str] = frozenset()) -> list[str]:
    """Every fault as `file:line: what`, given the paths of other files in the folder that may be loaded."""
    return [fault for template in files.values() for fault in _Check(template, files, contents).faults()]


class _Check:
    def __init__(self, template: Template, files: Mapping[str, Template], contents: frozenset[str]) -> None:
        self._here = template
        self._files = files
        self._contents = contents
        self._used: set[str] = set()
        self._modules = template.of("module")
        self._scope = {each.name: each for each in template.declared if each.kind != "output"}

    def faults(self) -> list[str]:
        found = list(self._syntax())
        if not found:  # what a broken tree says is not worth hearing
            found = [*self._names(), *self._module_calls(), *self._resources(), *self._secrets(), *self._unused()]
        return sorted(f"{self._here.path}:{node.start_point[0] + 1}: {what}" for node, what in found)

    def _syntax(self) -> Iterator[tuple[Node, str]]:
        for node in walk(self._here.root):
            if node.is_error or node.is_missing:
                yield node, f"syntax: {text(node)[:40]!r}"
            elif node.type in _UNKNOWN:
                yield node, f"these checks do not know {node.type}"

    # --- names ---

    def _names(self) -> Iterator[tuple[Node, str]]:
        names = [(each.kind == "output", each.name) for each in self._here.declared]
        for each in self._here.declared:
            if names.count((each.kind == "output", each.name)) > 1:
                yield each.node, f"declared twice: {each.name}"
            if each.type and each.type not in TYPES:
                yield each.node, f"unknown type: {each.type}"
        yield from self._below(self._here.root, frozenset(self._scope))

    def _below(self, node: Node, scope: frozenset[str]) -> Iterator[tuple[Node, str]]:
        """The names used in a node, given those that can be seen there."""
        match node.type:
            case "decorator":
                name = text(node.named_children[0].named_children[0])
                if name not in DECORATORS:
                    yield node, f"unknown decorator: {name}"
                return
            case "identifier":
                self._used.add(text(node))
                if text(node) not in scope:
                    yield node, f"unknown name: {text(node)}"
                return
            case "call_expression":
                yield from self._call(node)
            case "resource_expression":
                yield from self._nested_name(node)
            case "object":
                scope |= {each.name for each in _children_of(node, self._here)}
        for child in _expressions(node):
            yield from self._below(child, scope | _loop_names(node))

    def _call(self, node: Node) -> Iterator[tuple[Node, str]]:
        name, arguments = text(node.named_children[0]), node.named_children[1].named_children
        low, high = FUNCTIONS.get(name, (0, 99))
        if name not in FUNCTIONS:
            yield node, f"unknown function: {name}"
        elif not low <= len(arguments) <= high:
            yield node, f"{name} takes {low} to {high} arguments, not {len(arguments)}"
        if name.startswith("load"):
            path = _resolved(self._here.path, literal(arguments[0]) or "")
            if path not in self._contents:
                yield node, f"no such file: {path}"

    def _nested_name(self, node: Node) -> Iterator[tuple[Node, str]]:
        parent, child = (text(each) for each in node.named_children)
        owner = self._scope.get(parent)
        if owner is None or child not in {each.name for each in owner.children}:
            yield node, f"unknown name: {parent}::{child}"

    # --- modules ---

    def _module_calls(self) -> Iterator[tuple[Node, str]]:
        for module in self._modules.values():
            target = self._files.get(_resolved(self._here.path, module.target))
            if target is None:
                yield module.node, f"no such module: {module.target}"
                continue
            given = properties(properties(module.body).get("params"))
            yield from self._arguments(module, target, given)
            if ("scope" in properties(module.body)) != (target.scope != self._here.scope):
                yield module.node, f"the module {module.name} is of another scope"
        for node in walk(self._here.root):
            yield from self._output_of(node)

    def _arguments(
        self, module: Declaration, target: Template, given: Mapping[str, Node]
    ) -> Iterator[tuple[Node, str]]:
        params = target.of("param")
        for name in given.keys() - params.keys():
            yield given[name], f"{module.target} has no parameter {name}"
        for name, param in params.items():
            if name not in given and param.value is None:
                yield module.node, f"{module.target} needs the parameter {name}"
            kind = self._type(given[name]) if name in given else ""
            if kind and kind != param.type:
                yield given[name], f"{module.target} takes {param.type} as {name}, not {kind}"

    def _type(self, node: Node) -> str:
        """The type of an expression where it is plain to see; empty otherwise."""
        if node.type == "identifier" and text(node) in self._scope:
            declared = self._scope[text(node)]
            return declared.type if declared.kind == "param" else self._type(declared.value) if declared.value else ""
        if node.type == "ternary_expression":
            kinds = {self._type(each) for each in node.named_children[1:]}
            return kinds.pop() if len(kinds) == 1 else ""
        if output := self._module_output(node):
            declared_output = self._outputs(output[0]).get(output[1])
            return declared_output.type if declared_output else ""
        return _LITERALS.get(node.type, "")

    def _output_of(self, node: Node) -> Iterator[tuple[Node, str]]:
        found = self._module_output(node)
        if found is None:
            return
        module, name = found
        if name not in self._outputs(module):
            yield node, f"{module.target} has no output {name}"
        if missing := [condition for condition in module.conditions if condition not in _guards(node)]:
            yield node, f"{module.name} is there only if {' and '.join(missing)}"

    def _module_output(self, node: Node) -> tuple[Declaration, str] | None:
        # At its end: the grammar takes `a ? b : c.outputs.d` for `(a ? b : c).outputs.d`.
        found = re.search(r"(\w+)!?\.outputs\.(\w+)$", text(node)) if node.type == "member_expression" else None
        module = self._modules.get(found[1]) if found else None
        return (module, found[2]) if found and module else None

    def _outputs(self, module: Declaration) -> dict[str, Declaration]:
        target = self._files.get(_resolved(self._here.path, module.target))
        return target.of("output") if target else {}

    # --- resources, secrets, what is left over ---

    def _resources(self) -> Iterator[tuple[Node, str]]:
        for kind, resource in self._here.resources():
            if not _RESOURCE.fullmatch(kind):
                yield resource.node, f"not a type with a version: {kind}"
            if "name" not in properties(resource.body):
                yield resource.node, f"no name: {resource.name}"

    def _secrets(self) -> Iterator[tuple[Node, str]]:
        """A secret goes nowhere but to secure parameters and into resources."""
        secret = {name for name, param in self._here.of("param").items() if "secure" in param.decorators}
        for output in self._here.of("output").values():
            for node in walk(output.node):
                if node.type == "identifier" and text(node) in secret:
                    yield node, f"an output tells the secret {text(node)}"
        for module in self._modules.values():
            target = self._files.get(_resolved(self._here.path, module.target))
            for name, node in properties(properties(module.body).get("params")).items():
                param = target.of("param").get(name) if target else None
                if text(node) in secret and param and "secure" not in param.decorators:
                    yield node, f"{module.target} does not take {name} as a secret"

    def _unused(self) -> Iterator[tuple[Node, str]]:
        for each in self._here.declared:
            if each.kind in ("param", "var") and each.name not in self._used:
                yield each.node, f"never used: {each.name}"


def _expressions(node: Node) -> list[Node]:
    """The children that are evaluated: not the names that a declaration, a property or a loop gives."""
    children = node.named_children
    match node.type:
        case "parameter_declaration" | "variable_declaration" | "resource_declaration" | "module_declaration":
            return [child for child in children[1:] if child.type != "type"]
        case "output_declaration":
            return children[2:]
        case "object_property" if len(children) == 2:
            return [child for child in children if child.type != "identifier" or child is children[1]]
        case "call_expression" | "for_statement":
            return children[1:]
        case "resource_expression":
            return children[:1]
        case _:
            return children


def _loop_names(node: Node) -> frozenset[str]:
    if node.type != "for_statement":
        return frozenset()
    first = node.named_children[0]
    return frozenset(text(each) for each in (first.named_children or [first]))


def _children_of(body: Node, template: Template) -> tuple[Declaration, ...]:
    """The nested resources of the resource whose body this is."""
    return next((each.children for _, each in template.resources() if each.body == body), ())


def _guards(node: Node) -> set[str]:
    """The conditions that hold where a node is evaluated."""
    found: set[str] = set()
    while node.parent is not None:
        if node.parent.type == "ternary_expression" and node == node.parent.named_children[1]:
            found.add(text(node.parent.named_children[0]))
        node = node.parent
        if any(each.type == "if_statement" for each in wrappers(node)):
            found |= {
                text(each.named_children[0].named_children[0]) for each in wrappers(node) if each.type == "if_statement"
            }
    return found


def _resolved(path: str, target: str) -> str:
    parts: list[str] = []
    for part in (PurePosixPath(path).parent / target).parts:
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)
