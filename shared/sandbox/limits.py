"""What a call in the sandbox may cost, and how it can fail: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limits:
    """Of a sandbox."""

    processes: int = 2
    """Children at most, and so calls at the same time."""
    seconds: int = 10
    """CPU time of one call."""
    memory: int = 512 * 2**20
    """Bytes of address space of one child: the interpreter with its libraries takes some 60 MiB of them."""


class Why(StrEnum):
    """Why a call has no result."""

    RAISED = "raised"
    """The function raised an exception."""
    TIME = "time"
    MEMORY = "memory"
    DIED = "died"
    """The process ended, in the way of a crash."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A call without a result."""

    why: Why
    type: str = ""
    """The name of the exception's class."""
    detail: str = ""
    """What the exception says, cut short. It may quote what a stranger wrote."""
