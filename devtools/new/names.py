"""Names: what one may be, and its spellings in code, settings and URLs."""

from __future__ import annotations

import builtins
import keyword
import re
from dataclasses import dataclass

from devtools.environment import TroubleError

_WORDS = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_FUNCTION = re.compile(r"([A-Z][a-z0-9]*)+")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST = 40
_TAKEN = {
    "answer", "api", "app", "async", "basemodel", "bp", "call", "configdict", "container", "datetime", "func", "http", "job",
    "jobcontext", "memoryapp", "missed", "payload", "section", "settings", "schedule", "timer", "timers",
}  # fmt: skip
"""What the code that is written calls its own things."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in all its spellings; `words` are lower case, joined by hyphens."""

    words: str

    @property
    def snake(self) -> str:
        """Of functions and modules: `resize_image`."""
        return self.words.replace("-", "_")

    @property
    def upper(self) -> str:
        """Of constants and settings: `RESIZE_IMAGE`."""
        return self.snake.upper()

    @property
    def camel(self) -> str:
        """Of classes and the host's functions: `ResizeImage`."""
        return "".join(map(str.capitalize, self.words.split("-")))


def kind_name(text: str) -> Name:
    """The name of a kind as somebody gave it.

    Raises:
        TroubleError: it is none; the message says what one is.
    """
    return _name(text, "a kind", "resize-image")


def domain_name(text: str) -> Name:
    """The name of a domain; raises as `kind_name` does."""
    return _name(text, "a domain", "parcels")


def timer_name(text: str) -> Name:
    """The name of a timer, which is that of its function; raises as `kind_name` does."""
    if not _FUNCTION.fullmatch(text):
        raise TroubleError(f"{text!r}: a timer is named as its function is: letters and digits, such as SweepParcels")
    return _name(_CAPITAL.sub("-", text).lower(), "a timer", "SweepParcels")


def _name(text: str, what: str, example: str) -> Name:
    if not _WORDS.fullmatch(text):
        raise TroubleError(f"{text!r}: {what} is named by lower-case words and digits, such as {example}")
    if not 2 <= len(text) <= _LONGEST:
        raise TroubleError(f"{text!r}: {what} has a name of 2 to {_LONGEST} characters")
    name = Name(text.replace("_", "-"))
    if keyword.iskeyword(name.snake) or hasattr(builtins, name.snake) or name.snake.replace("_", "") in _TAKEN:
        raise TroubleError(f"{text!r} means something else in the code that would be written: choose another name")
    if name.snake.startswith("test"):
        raise TroubleError(f"{text!r}: pytest would take it for a test: choose another name")
    return name
