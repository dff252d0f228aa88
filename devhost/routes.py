"""Route templates: ``items/{id:guid}/{*rest}`` matched as the host's router does, without regard to case."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from devhost.index import Function, IndexingError

Check = Callable[[str], bool]

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::\w+(?:\((?:[^()]|\([^()]*\))*\))?)*)(\??)\}")
_CONSTRAINT = re.compile(r":(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?")
_ANY_METHOD = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


@dataclass(slots=True)
class Route:
    """One function's route, ready to match."""

    function: Function
    template: str
    methods: tuple[str, ...]
    pattern: re.Pattern[str]
    checks: dict[str, list[Check]] = field(default_factory=dict)
    precedence: tuple[int, ...] = ()

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route's parameters if the path (still percent-encoded) fits."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values = {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
        fits = all(check(values[name]) for name, checks in self.checks.items() if name in values for check in checks)
        return values if fits else None


class Router:
    """Finds the function of a request: literal segments win over constrained parameters, those over free ones."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        self.routes = sorted((compile_route(function, prefix) for function in functions), key=_precedence)

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """Return the function and its route parameters.

        None is a 404, also where the route exists for another method: the host answers no 405, and no HEAD for a GET.
        """
        path = path.rstrip("/") or "/"
        for route in self.routes:
            if method in route.methods and (values := route.match(path)) is not None:
                return route.function, values
        return None


def _precedence(route: Route) -> tuple[int, ...]:
    return route.precedence


def compile_route(function: Function, prefix: str) -> Route:
    """Make the route of an HTTP function; IndexingError for a template that cannot be read."""
    template = "/".join(part for part in (prefix, str(function.trigger.get("route") or "").strip("/")) if part)
    methods = tuple(function.trigger.get("methods") or _ANY_METHOD)
    route = Route(function, template, methods, re.compile(""))
    segments = [_segment(segment, route) for segment in template.split("/")]
    route.pattern = re.compile("".join(pattern for pattern, _ in segments) or "/", re.IGNORECASE)
    route.precedence = tuple(rank for _, rank in segments)
    return route


def _segment(text: str, route: Route) -> tuple[str, int]:
    """Return a segment's pattern, with the slash before it, and its rank among others (a lower one is tried first)."""
    pattern, position, ranks, optional = "", 0, [1], False
    for found in _PARAMETER.finditer(text):
        stars, name, constraints, question = found.groups()
        checks = [_check(kind, argument, route) for kind, argument in _CONSTRAINT.findall(constraints)]
        if checks:
            route.checks[name] = checks
        pattern += _literal(text[position : found.start()], route)
        pattern += f"(?P<{name}>.*)" if stars else f"(?P<{name}>[^/]+?)"
        ranks.append((4 if stars else 2) + (not checks))
        optional = optional or bool(question or stars)
        position = found.end()
    pattern += _literal(text[position:], route)
    return (f"(?:/{pattern})?" if optional else f"/{pattern}"), max(ranks)


def _literal(text: str, route: Route) -> str:
    if "{" in text or "}" in text:
        raise IndexingError(f"function {route.function.name}: devhost cannot read the route {route.template!r}")
    return re.escape(text)


def _check(name: str, argument: str, route: Route) -> Check:
    try:
        if name in _PLAIN:
            return _PLAIN[name]
        return _WITH_ARGUMENT[name](argument)
    except (KeyError, ValueError, re.error):
        reason = f"the constraint {name} in the route {route.template!r} is not supported"
        raise IndexingError(f"function {route.function.name}: {reason}") from None


def _parses(parse: Callable[[str], object]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _integer(bits: int) -> Check:
    limit = 1 << (bits - 1)
    return lambda value: bool(re.fullmatch(r"[+-]?[0-9]{1,20}", value)) and -limit <= int(value) < limit


def _length(argument: str) -> Check:
    low, high = (int(part) for part in (argument.split(",") * 2)[:2])
    return lambda value: low <= len(value) <= high


def _between(low: int | None, high: int | None) -> Check:
    is_long = _integer(64)

    def check(value: str) -> bool:
        return is_long(value) and (low is None or int(value) >= low) and (high is None or int(value) <= high)

    return check


def _range(argument: str) -> Check:
    low, high = (int(part) for part in argument.split(","))
    return _between(low, high)


def _regex(argument: str) -> Check:
    pattern = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
    return lambda value: pattern.search(value) is not None


_PLAIN: dict[str, Check] = {
    "alpha": lambda value: bool(re.fullmatch(r"[A-Za-z]*", value)),
    "bool": lambda value: value.lower() in ("true", "false"),
    "decimal": _parses(float),
    "double": _parses(float),
    "float": _parses(float),
    "guid": _parses(uuid.UUID),
    "int": _integer(32),
    "long": _integer(64),
}
_WITH_ARGUMENT: dict[str, Callable[[str], Check]] = {
    "length": _length,
    "max": lambda argument: _between(None, int(argument)),
    "maxlength": lambda argument: _length(f"0,{int(argument)}"),
    "min": lambda argument: _between(int(argument), None),
    "minlength": lambda argument: _length(f"{int(argument)},1000000"),
    "range": _range,
    "regex": _regex,
}
