"""From the text of an expression to a function of the values that its names stand for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from functools import partial
from typing import Any, NamedTuple

from shared.expressions.errors import ExpressionError
from shared.expressions.functions import FUNCTIONS, contains, equal, item, less

_MOST_CHARACTERS = 2000
_MOST_DEEP = 40
_CONSTANTS: Mapping[str, bool | None] = {
    "true": True, "True": True, "false": False, "False": False, "null": None, "None": None,
}  # fmt: skip
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])
      | (?P<text>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
      | (?P<name>[^\W\d]\w*)
      | (?P<sign>==|!=|<=|>=|[<>()\[\].,-])
    )""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_WORDS = frozenset({"and", "or", "not", "in"})
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": less,
    ">": lambda left, right: less(right, left),
    "<=": lambda left, right: less(left, right) or _same_sort(left, right),
    ">=": lambda left, right: less(right, left) or _same_sort(left, right),
    "in": lambda left, right: contains(right, left),
    "not in": lambda left, right: not contains(right, left),
}

Value = Callable[[Mapping[str, Any]], Any]


class _Token(NamedTuple):
    sort: str
    text: str
    offset: int


class Parser:
    """Reads one expression, by recursive descent: a method for each rule of the grammar."""

    def __init__(self, text: str, known: frozenset[str] | None) -> None:
        if len(text) > _MOST_CHARACTERS:
            raise ExpressionError(f"longer than {_MOST_CHARACTERS:,} characters", _MOST_CHARACTERS)
        self._tokens = _tokens(text)
        self._token = next(self._tokens)
        self._known = known
        self._depth = 0
        self.names: dict[str, int] = {}
        """The names that it uses, each with the offset of its first use."""

    def parse(self) -> Value:
        """The whole text."""
        value = self._any()
        if self._token.sort != "end":
            raise self._unexpected()
        return value

    def _any(self) -> Value:
        with self._deeper():
            parts = [self._all()]
            while self._took("or"):
                parts.append(self._all())
            return partial(_first, True, parts) if len(parts) > 1 else parts[0]

    def _all(self) -> Value:
        parts = [self._not()]
        while self._took("and"):
            parts.append(self._not())
        return partial(_first, False, parts) if len(parts) > 1 else parts[0]

    def _not(self) -> Value:
        if not self._took("not"):
            return self._comparison()
        with self._deeper():
            negated = self._not()
        return lambda values: not negated(values)

    def _comparison(self) -> Value:
        first = self._operand()
        steps = []
        while operator := self._operator():
            steps.append((_COMPARED[operator], self._operand()))
        return partial(_compare, first, steps) if steps else first

    def _operator(self) -> str | None:
        if self._took("not"):
            self._expect("in")
            return "not in"
        found = self._token
        return found.text if found.text in _COMPARED and found.sort != "text" and self._took(found.text) else None

    def _operand(self) -> Value:
        value = self._atom()
        path: list[tuple[Callable[..., Any], list[Value]]] = []
        while self._at(".") or self._at("["):
            path.append(self._step())
        return partial(_follow, value, path) if path else value

    def _step(self) -> tuple[Callable[..., Any], list[Value]]:
        """One step from a value: to its element, or to what a function makes of it. The value comes before the arguments."""
        if self._took("["):
            key = self._any()
            self._expect("]")
            return item, [key]
        self._expect(".")
        name = self._take("name")
        return self._call(name, 1) if self._at("(") else (item, [partial(_constant, name.text)])

    def _call(self, name: _Token, given: int = 0) -> tuple[Callable[..., Any], list[Value]]:
        function = FUNCTIONS.get(name.text)
        if function is None:
            raise ExpressionError(f"no function {name.text!r}{_meant(name.text, FUNCTIONS)}", name.offset)
        self._expect("(")
        arguments = self._until(")")
        least, most = function.least - given, function.most - given
        if not least <= len(arguments) <= most:
            raise ExpressionError(f"{name.text} takes {_arguments(least, most)}", name.offset)
        return function.call, arguments

    def _atom(self) -> Value:
        token = self._token
        if token.sort == "name":
            return self._named(self._take("name"))
        if token.sort in ("text", "number"):
            self._advance()
            return partial(_constant, _literal(token))
        if self._took("-"):
            number = _literal(self._take("number"))
            return partial(_constant, -number)
        if self._took("["):
            return partial(_list, self._until("]"))
        if self._took("("):
            return self._parenthesis()
        raise self._unexpected()

    def _parenthesis(self) -> Value:
        first = self._any()
        if self._took(","):
            return partial(_list, [first, *self._until(")")])
        self._expect(")")
        return first

    def _named(self, name: _Token) -> Value:
        if name.text in _WORDS:
            raise ExpressionError(f"{name.text!r} stands where a value should", name.offset)
        if name.text in _CONSTANTS:
            return partial(_constant, _CONSTANTS[name.text])
        if self._at("("):
            return partial(_called, *self._call(name))
        if self._known is not None and name.text not in self._known:
            raise ExpressionError(f"unknown name {name.text!r}{_meant(name.text, self._known)}", name.offset)
        self.names.setdefault(name.text, name.offset)
        return lambda values: values.get(name.text)

    def _until(self, end: str) -> list[Value]:
        found: list[Value] = []
        while not self._took(end):
            found.append(self._any())
            if not self._took(","):
                self._expect(end)
                break
        return found

    def _advance(self) -> None:
        self._token = next(self._tokens)

    def _at(self, text: str) -> bool:
        return self._token.text == text and self._token.sort in ("sign", "name")

    def _took(self, text: str) -> bool:
        found = self._at(text)
        if found:
            self._advance()
        return found

    def _take(self, sort: str) -> _Token:
        token = self._token
        if token.sort != sort:
            raise self._unexpected(f"a {sort} expected")
        self._advance()
        return token

    def _expect(self, text: str) -> None:
        if not self._took(text):
            raise self._unexpected(f"{text!r} expected")

    def _unexpected(self, expected: str = "a value expected") -> ExpressionError:
        token = self._token
        if token.text == "=":
            return ExpressionError("'=' is no comparison; '==' is", token.offset)
        if token.sort == "error" and token.text in "'\"":
            return ExpressionError("a text that does not end", token.offset)
        found = "the end" if token.sort == "end" else repr(token.text)
        return ExpressionError(f"{expected}, not {found}", token.offset)

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > _MOST_DEEP:
            raise ExpressionError(f"nested more than {_MOST_DEEP} deep", self._token.offset)
        yield
        self._depth -= 1


def _tokens(text: str) -> Iterator[_Token]:
    place, end = 0, len(text.rstrip())
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            start = place + len(text[place:]) - len(text[place:].lstrip())
            yield _Token("error", text[start], start)
            return
        yield _Token(found.lastgroup, found[found.lastgroup], found.start(found.lastgroup))
        place = found.end()
    while True:
        yield _Token("end", "", end)


def _literal(token: _Token) -> Any:
    if token.sort == "text":
        return _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), token.text[1:-1])
    return float(token.text) if re.search(r"[.eE]", token.text) else int(token.text)


def _meant(name: str, known: Any) -> str:
    close = get_close_matches(name, list(known), 1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(sorted(known))}" if known else ""


def _arguments(least: int, most: int) -> str:
    return f"{least} argument{'s' * (least != 1)}" if least == most else f"{least} or {most} arguments"


def _same_sort(left: Any, right: Any) -> bool:
    """Whether two values can be put in order, and are equal."""
    return isinstance(left, str | int | float) and not isinstance(left, bool) and equal(left, right)


def _constant(value: Any, _: Mapping[str, Any]) -> Any:
    return value


def _first(truth: bool, parts: list[Value], values: Mapping[str, Any]) -> Any:
    """The first of these values that is true, or false, as asked for; the last where none is."""
    value: Any = None
    for part in parts:
        value = part(values)
        if bool(value) is truth:
            break
    return value


def _follow(start: Value, path: list[tuple[Callable[..., Any], list[Value]]], values: Mapping[str, Any]) -> Any:
    value = start(values)
    for step, arguments in path:
        value = step(value, *(argument(values) for argument in arguments))
    return value


def _list(parts: list[Value], values: Mapping[str, Any]) -> list[Any]:
    return [part(values) for part in parts]


def _called(function: Callable[..., Any], arguments: list[Value], values: Mapping[str, Any]) -> Any:
    return function(*(argument(values) for argument in arguments))


def _compare(first: Value, steps: list[tuple[Callable[[Any, Any], bool], Value]], values: Mapping[str, Any]) -> bool:
    left = first(values)
    for holds, operand in steps:
        right = operand(values)
        if not holds(left, right):
            return False
        left = right
    return True
