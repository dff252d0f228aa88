"""What tests ask a sandbox to do: the child imports this module by its name."""

from __future__ import annotations

import io
import os
import re
import resource
import signal
import time
from dataclasses import dataclass
from typing import Any

from shared.fetch.errors import ContentRefusedError


@dataclass(frozen=True)
class Foreign:
    """A value that is none of the app's."""

    name: str


class Escape:
    """Unpickled, it would run a command."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("exit 7",)


class MuteError(Exception):
    """Its text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def told(value: Any) -> Any:
    return value


def pid() -> int:
    return os.getpid()


def environment() -> list[str]:
    return sorted(os.environ)


def core_limit() -> int:
    return resource.getrlimit(resource.RLIMIT_CORE)[0]


def hold_the_lock() -> bool:
    """A regular expression that needs longer than the world is old, and never lets another thread in."""
    return re.match(r"(a|a|b?)*c", "a" * 64) is not None


def eat(mib: int) -> int:
    return len(bytearray(mib * 2**20))


def crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def leave() -> None:
    os._exit(3)


def say(kind: str) -> None:
    raise {"refused": ContentRefusedError("no feed"), "mute": MuteError(), "deep": RecursionError("deep")}[kind]


def sleep(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def foreign() -> Foreign:
    return Foreign("x")


def escape() -> Escape:
    return Escape()


def unpicklable() -> Any:
    return io.StringIO("x").read
