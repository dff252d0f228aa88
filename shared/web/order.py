"""Which function the host gives a request to: the first whose route fits, in the order of the functions' names.

A literal segment has no precedence over a parameter, nor a longer template over a shorter one: `things/{id}` of a function
`B` hides `things/latest` of a function `C`. A constraint lets others through. Tried on the real host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

_CONSTRAINT = re.compile(r":(\w+)(?:\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*)\))?")
_SEGMENT = re.compile(r"(?:\{[^{}]*\}|[^/{}])+")
_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::\w+(?:\(.*\))?)*)(\?)?\}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_GUID = r"(?i:[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"


class DeclarationError(Exception):
    """What is declared cannot be served: the message says what, and where."""


class Served(NamedTuple):
    """What the host knows of a function with a route."""

    name: str
    methods: frozenset[str]
    template: str

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is for this function, if no other was before."""
        parts = path.strip("/").split("/") if path.strip("/") else []
        return method in self.methods and any(_fits(shape, parts) for shape in _shapes(self.template))


def served(functions: Iterable[Any]) -> Iterator[Served]:
    """What the host knows of those of an app's functions that have a route; all methods, where none is named."""
    for function in functions:
        trigger = function.get_trigger()
        if trigger.type == "httpTrigger":
            methods = frozenset(str(method).rpartition(".")[2].upper() for method in trigger.methods or _METHODS)
            yield Served(function.get_function_name(), methods, trigger.route)


class _Parameter(NamedTuple):
    constraints: frozenset[str]
    rest: bool
    """Whether it takes all that is left of the path."""


_Shape = tuple["str | _Parameter", ...]


def in_order(routes: Iterable[Served]) -> list[Served]:
    """The routes as the host tries them."""
    return sorted(routes, key=lambda route: route.name.upper())


def hidden(routes: Iterable[Served]) -> Iterator[tuple[Served, Served]]:
    """Each route that no request can reach by some method, with the one before it that takes them all.

    Raises:
        DeclarationError: a template cannot be read.
    """
    before: list[tuple[Served, _Shape]] = []
    for route in in_order(routes):
        shapes = _shapes(route.template)
        for earlier, shape in before:
            if any(_covers(shape, mine) for mine in shapes) and earlier.methods & route.methods:
                yield route, earlier
        before += [(route, shape) for shape in shapes]


@lru_cache(maxsize=256)
def _shapes(template: str) -> tuple[_Shape, ...]:
    """The segments of a template; of one whose last parameter may be left out, with and without it."""
    segments: list[str | _Parameter] = []
    optional = False
    texts = _SEGMENT.findall(template)
    if "/".join(texts) != template.strip("/"):
        raise DeclarationError(f"the route {template!r} cannot be read")
    for text in texts:
        if "{" not in text:
            segments.append(text.lower())
            continue
        read = _PARAMETER.fullmatch(text)
        if read is None or optional:
            raise DeclarationError(f"the route {template!r} cannot be read: a parameter takes a whole segment")
        constraints = frozenset(found[0] for found in _CONSTRAINT.finditer(read[3]))
        for each in constraints:
            _check(each)
        segments.append(_Parameter(constraints, bool(read[1])))
        optional = bool(read[4])
    return (tuple(segments), tuple(segments[:-1])) if optional else (tuple(segments),)


def _covers(one: _Shape, other: _Shape) -> bool:
    """Whether every path that fits the other fits this one too."""
    if one and other and one[0] != other[0] and isinstance(one[0], str):  # nearly always so
        return False
    for mine, theirs in zip(one, other, strict=False):
        if isinstance(mine, str):
            if mine != theirs:
                return False
        elif mine.rest:
            return True
        elif isinstance(theirs, str):
            if not _accepts(mine, theirs):
                return False
        elif theirs.rest or not mine.constraints <= theirs.constraints:
            return False
    return len(one) == len(other) or _takes_rest(one, len(other))


def _fits(shape: _Shape, parts: Sequence[str]) -> bool:
    for expected, part in zip(shape, parts, strict=False):
        if isinstance(expected, str):
            if expected != part.lower():
                return False
        elif expected.rest:
            return True
        elif not part or not _accepts(expected, part):
            return False
    return len(shape) == len(parts) or _takes_rest(shape, len(parts))


def _takes_rest(shape: _Shape, length: int) -> bool:
    """Whether all that a shape has beyond a length is a parameter that may also take nothing."""
    last = shape[-1] if shape else ""
    return len(shape) == length + 1 and isinstance(last, _Parameter) and last.rest


def _accepts(parameter: _Parameter, text: str) -> bool:
    return all(_check(constraint)(text) for constraint in parameter.constraints)


@lru_cache(maxsize=256)
def _check(constraint: str) -> Callable[[str], bool]:
    """What a constraint (`:length(8)`) asks of a text."""
    name, argument = _CONSTRAINT.findall(constraint)[0]
    numbers = [int(each) for each in re.findall(r"-?\d+", argument)]
    match name, numbers:
        case "regex", _ if argument:
            pattern = re.compile(argument, re.IGNORECASE)
            return lambda text: bool(pattern.search(text))
        case "guid", []:
            return lambda text: bool(re.fullmatch(_GUID, text))
        case "int", []:
            return lambda text: bool(re.fullmatch(r"[+-]?\d{1,10}", text, re.ASCII))
        case "alpha", []:
            return lambda text: bool(re.fullmatch(r"[A-Za-z]*", text))
        case "length", [only]:
            return lambda text: len(text) == only
        case "length", [least, most]:
            return lambda text: least <= len(text) <= most
        case "minlength", [least]:
            return lambda text: len(text) >= least
        case "maxlength", [most]:
            return lambda text: len(text) <= most
        case "range", [least, most]:
            return lambda text: bool(re.fullmatch(r"-?\d{1,18}", text, re.ASCII)) and least <= int(text) <= most
    raise DeclarationError(f"a route has the constraint {constraint!r}, which is not known here")
