"""Calls and answers as bytes.

A call comes from this app, and is unpickled as it is. An answer comes from a process that has read what strangers wrote. Should
one of them have got hold of that process, unpickling must not be the way out: of an answer only plain values are read, and
the dataclasses, enumerations and exact types listed here. No function can be named.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable
from dataclasses import is_dataclass
from enum import Enum
from typing import Any

from shared.sandbox.limits import Failure, Why

_PLAIN = frozenset(
    {
        ("builtins", "set"),
        ("builtins", "frozenset"),
        ("builtins", "bytearray"),
        ("collections", "OrderedDict"),
        ("datetime", "date"),
        ("datetime", "datetime"),
        ("datetime", "timedelta"),
        ("datetime", "timezone"),
        ("decimal", "Decimal"),
    }
)
_LONGEST_DETAIL = 300

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


def pack(value: Any) -> bytes:
    """A call, or an answer, as bytes."""
    return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)


def read_call(data: bytes) -> Call:
    """A call as `pack` wrote it: imports the module of its function."""
    function, args, kwargs = pickle.loads(data)  # noqa: S301 - from the parent, which is this app
    return function, args, kwargs


def read_answer(data: bytes) -> Any:
    """An answer as `pack` wrote it; a Failure where it holds what no answer should."""
    try:
        return _Answers(io.BytesIO(data)).load()
    except Exception as error:  # noqa: BLE001 - bytes of a process that may be in a stranger's hands
        return failure_of(error)


def failure_of(error: BaseException) -> Failure:
    """An exception as a value."""
    try:
        detail = str(error)[:_LONGEST_DETAIL].encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 - there are exceptions whose text raises
        detail = ""
    return Failure(Why.MEMORY if isinstance(error, MemoryError) else Why.RAISED, type(error).__name__, detail)


class _Answers(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        found = getattr(sys.modules.get(module), name, None) if module.startswith("shared.") else None
        if isinstance(found, type) and found.__module__ == module and (is_dataclass(found) or issubclass(found, Enum)):
            return found
        raise pickle.UnpicklingError(f"an answer holds a {module}.{name}")
