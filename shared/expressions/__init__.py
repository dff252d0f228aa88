"""Conditions over JSON: ``metadata.get('type') in ['jpg', 'png'] and len(pages) > 3``.

Their authors are strangers to the code, so they are parsed by a grammar of their own and never by Python's `eval`: nothing can be called but
the few functions listed in `shared.expressions.functions`, and nothing can be reached but what is handed in. The grammar is Python's, as far as it goes:

    or, and, not                     as in Python: `a or b` is a where a is true, else b
    == != < <= > >= in, not in       may be chained: `0 < len(pages) <= 10`
    a.b  a['b']  a[0]  a.get('b', c) of an object or a list
    lower(a)  a.lower()              a function, either way
    'text' "text" 12 -1.5 [a, b] (a, b) true false null, True False None

What an expression says of any JSON is defined, and no value makes it fail: what is missing is null, as is what a function makes of a value that it does not
fit; values of two sorts are unequal, and neither is smaller. (So `true == 1` is false, unlike in Python.)

    >>> condition = parse("metadata['type'] == 'invoice'")
    >>> condition.holds({"metadata": {"type": "invoice"}})
    True
    >>> list(condition.names)
    ['metadata']
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.expressions.errors import ExpressionError
from shared.expressions.parser import Parser

__all__ = ["Expression", "ExpressionError", "parse"]


@dataclass(frozen=True)
class Expression:
    """A parsed expression."""

    text: str
    names: Mapping[str, int]
    """The names that it uses of what is handed in, each with the offset of its first use."""
    _value: Callable[[Mapping[str, Any]], Any] = field(repr=False, compare=False)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """Its value, a JSON value, where its names stand for these JSON values; a name that is missing is null. Never raises."""
        return self._value(values)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether its value is true; as in Python, null, false, zero and what is empty are not."""
        return bool(self.evaluate(values))


def parse(text: str, names: Iterable[str] | None = None) -> Expression:
    """Read an expression.

    Args:
        text: at most 2,000 characters, nested at most 40 deep.
        names: the names that it may use; None for any.

    Raises:
        ExpressionError: it is none, or uses a name that there is not; says where.
    """
    parser = Parser(text, None if names is None else frozenset(names))
    value = parser.parse()
    return Expression(text, parser.names, value)
