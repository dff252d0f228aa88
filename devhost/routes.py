"""Route templates: ``items/{id:guid}/{*rest}`` matched as the host's router does, without regard to case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from devhost.index import Function, UnsupportedError

Check = Callable[[str], bool]

_NAME = re.compile(r"(\*{0,2})(\w+)")
_CONSTRAINT = re.compile(r":(\w+)(?:\(((?:[^()]|\([^()]*\))*)\))?")
_GUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BRACKETS = {"{": "}", "(": ")"}


@dataclass(slots=True)
class Route:
    """One function's route, ready to match."""

    function: Function
    template: str
    methods: tuple[str, ...]
    """In upper case; none: every method."""
    pattern: re.Pattern[str]
    checks: dict[str, list[Check]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)

    def takes(self, method: str) -> bool:
        """Whether it answers this method."""
        return not self.methods or method.upper() in self.methods

    def match(self, path: str) -> dict[str, str] | None:
        """Return the route's parameters if the (decoded) path fits."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values = self.defaults | {name: value for name, value in found.groupdict().items() if value}
        fits = all(check(values[name]) for name, checks in self.checks.items() if name in values for check in checks)
        return values if fits else None


class Router:
    """Finds the function of a request: the first that fits in the order of the functions' names.

    A literal segment has no precedence over a parameter, nor one template over another.
    """

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        ordered = sorted(functions, key=lambda function: function.name.upper())
        self.routes = [compile_route(function, prefix) for function in ordered]

    def find(self, method: str, path: str) -> tuple[Function, dict[str, str]] | None:
        """Return the function and its route parameters.

        None is a 404, also where the route exists for another method: the host answers no 405, and no HEAD for a GET.
        """
        for route in self.routes:
            if route.takes(method) and (values := route.match(path)) is not None:
                return route.function, values
        return None


def compile_route(function: Function, prefix: str) -> Route:
    """Make the route of an HTTP function; UnsupportedError for a template that cannot be read."""
    given = str(function.trigger.get("route") or function.name).strip("/")
    template = "/".join(part for part in (prefix, given) if part)
    methods = tuple(str(method).upper() for method in function.trigger.get("methods") or ())
    route = Route(function, template, methods, re.compile(""))
    pattern = "".join(_segment(segment, route) for segment in _split(template, "/"))
    route.pattern = re.compile(f"{pattern}/?", re.IGNORECASE)
    return route


def _segment(text: str, route: Route) -> str:
    """Return a segment's pattern, with the slash before it."""
    pattern, optional = "", False
    for part in _parts(text, route):
        if not part.startswith("{"):
            pattern += re.escape(part)
            continue
        parameter, may_lack = _parameter(part[1:-1], route)
        if may_lack and pattern:  # {name}.{extension?}
            raise _unreadable(route)
        pattern, optional = pattern + parameter, optional or may_lack
    return f"(?:/{pattern})?" if optional else f"/{pattern}"


def _parameter(text: str, route: Route) -> tuple[str, bool]:
    """Read ``name:constraint=default`` or ``name?``; return its pattern, and whether it may be left out."""
    named = _NAME.match(text)
    if named is None:
        raise _unreadable(route)
    stars, name = named.groups()
    position, checks = named.end(), []
    while constraint := _CONSTRAINT.match(text, position):
        checks.append(_check(constraint[1], constraint[2], route))
        position = constraint.end()
    rest = text[position:]
    if rest.startswith("="):
        route.defaults[name] = rest[1:]
    elif rest not in ("", "?"):
        raise _unreadable(route)
    route.checks[name] = checks
    return (f"(?P<{name}>.*)" if stars else f"(?P<{name}>[^/]+)"), bool(stars or rest)


def _parts(text: str, route: Route) -> Iterator[str]:
    """Split a segment into its literals and its parameters in braces."""
    start, depth = 0, 0
    for position, character in enumerate(text):
        if character == "{":
            if depth == 0 and position > start:
                yield text[start:position]
            start, depth = (position if depth == 0 else start), depth + 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                yield text[start : position + 1]
                start = position + 1
        if depth < 0:
            raise _unreadable(route)
    if depth:
        raise _unreadable(route)
    if start < len(text):
        yield text[start:]


def _split(text: str, separator: str) -> Iterator[str]:
    """Split at a separator that stands in no brackets."""
    start, open_brackets = 0, 0
    for position, character in enumerate(text):
        open_brackets += (character in _BRACKETS) - (character in _BRACKETS.values())
        if character == separator and not open_brackets:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _unreadable(route: Route) -> UnsupportedError:
    return UnsupportedError(f"function {route.function.name}: devhost cannot read the route {route.template!r}")


def _check(name: str, argument: str | None, route: Route) -> Check:
    try:
        return _PLAIN[name] if argument is None else _WITH_ARGUMENT[name](argument)
    except (KeyError, ValueError, re.error):
        known = ", ".join(sorted({*_PLAIN, *_WITH_ARGUMENT}))
        shown = name if argument is None else f"{name}({argument})"
        raise UnsupportedError(
            f"function {route.function.name}: the constraint {shown} of the route {route.template!r} is none that "
            f"devhost knows ({known})"
        ) from None


def _is_guid(value: str) -> bool:
    if value[:1] in _BRACKETS and value[-1] == _BRACKETS[value[0]]:
        value = value[1:-1]
    return _GUID.fullmatch(value) is not None


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)\s*", value) is not None


def _whole(value: str, bits: int = 64) -> int | None:
    """Return a whole number of so many bits, as .NET parses it; None for anything else."""
    if not re.fullmatch(r"\s*[+-]?[0-9]{1,20}\s*", value):
        return None
    limit = 1 << (bits - 1)
    return number if -limit <= (number := int(value)) < limit else None


def _between(low: float, high: float, measure: Callable[[str], int | None]) -> Check:
    return lambda value: (measured := measure(value)) is not None and low <= measured <= high


def _bounds(argument: str) -> tuple[int, int]:
    low, _, high = argument.partition(",")
    return int(low), int(high or low)


def _regex(argument: str) -> Check:
    pattern = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
    return lambda value: pattern.search(value) is not None


_PLAIN: dict[str, Check] = {
    "alpha": lambda value: re.fullmatch(r"[A-Za-z]*", value) is not None,
    "bool": lambda value: value.strip().lower() in ("true", "false"),
    "decimal": _is_number,
    "double": _is_number,
    "float": _is_number,
    "guid": _is_guid,
    "int": lambda value: _whole(value, 32) is not None,
    "long": lambda value: _whole(value) is not None,
    "required": bool,
}
_WITH_ARGUMENT: dict[str, Callable[[str], Check]] = {
    "length": lambda argument: _between(*_bounds(argument), len),
    "max": lambda argument: _between(float("-inf"), int(argument), _whole),
    "maxlength": lambda argument: _between(0, int(argument), len),
    "min": lambda argument: _between(int(argument), float("inf"), _whole),
    "minlength": lambda argument: _between(int(argument), float("inf"), len),
    "range": lambda argument: _between(*_bounds(argument), _whole),
    "regex": _regex,
}
