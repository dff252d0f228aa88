"""Route templates: ``items/{id:guid}/{*rest}`` matched as the host's router does, without regard to case."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from urllib.parse import unquote

from devhost.index import Function, IndexingError

Check = Callable[[str], bool]

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::\w+)*)(\??)\}")
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
        values = {name: _decoded(value) for name, value in found.groupdict().items() if value is not None}
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
        checks = [_check(constraint, route) for constraint in constraints.split(":")[1:]]
        if checks:
            route.checks[name] = checks
        pattern += _literal(text[position : found.start()], route)
        pattern += f"(?P<{name}>.*)" if stars else f"(?P<{name}>[^/]+?)"
        ranks.append((4 if stars else 2) + (not checks))
        optional = optional or bool(question or stars)
        position = found.end()
    pattern += _literal(text[position:], route)
    return (f"(?:/{pattern})?" if optional else f"/{pattern}"), max(ranks)


def _decoded(value: str) -> str:
    """Percent-decoding as the host's server does it: an encoded slash stays as it is."""
    return "".join(part if part.lower() == "%2f" else unquote(part) for part in re.split("(%2[Ff])", value))


def _literal(text: str, route: Route) -> str:
    if "{" in text or "}" in text:
        raise IndexingError(f"function {route.function.name}: devhost cannot read the route {route.template!r}")
    return re.escape(text)


def _check(name: str, route: Route) -> Check:
    try:
        return _CHECKS[name]
    except KeyError:
        known = ", ".join(_CHECKS)
        raise IndexingError(
            f"function {route.function.name}: the constraint {name} of the route {route.template!r} is none that "
            f"devhost knows ({known})"
        ) from None


def _is_guid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _integer(bits: int) -> Check:
    limit = 1 << (bits - 1)
    return lambda value: bool(re.fullmatch(r"[+-]?[0-9]{1,20}", value)) and -limit <= int(value) < limit


_CHECKS: dict[str, Check] = {
    "alpha": lambda value: bool(re.fullmatch(r"[A-Za-z]*", value)),
    "bool": lambda value: value.lower() in ("true", "false"),
    "guid": _is_guid,
    "int": _integer(32),
    "long": _integer(64),
}
