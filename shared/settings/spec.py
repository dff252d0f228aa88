"""What is known of one setting, and how each type of value is read."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Spec:
    """What is known of one setting."""

    name: str
    kind: str
    """What a value is, in words: the "expected" of an error and of the reference."""
    meaning: str
    read: Callable[[str], Any]
    """From text to value; ValueError where it does not fit."""
    secret: bool = False


def number(name: str, default: float, low: float, high: float, unit: str, meaning: str) -> Any:
    """A number within bounds."""
    kind = f"a number from {low:g} to {high:g}"
    return setting(Spec(name, kind, f"{meaning} Unit: {unit}.", _within(float, low, high)), default)


def whole(name: str, default: int, low: int, high: int, unit: str, meaning: str) -> Any:
    """A whole number within bounds."""
    kind = f"a whole number from {low} to {high}"
    return setting(Spec(name, kind, f"{meaning} Unit: {unit}.", _within(int, low, high)), default)


def text(name: str, default: str | None, meaning: str, *, secret: bool = False) -> Any:
    """Any text."""
    return setting(Spec(name, "text", meaning, str, secret), default)


def url(name: str, meaning: str, default: str | None = None) -> Any:
    """An http or https address."""
    return setting(Spec(name, "an http or https address", meaning, matching(r"https?://[^\s/]+\S*")), default)


def queue(name: str, default: str, meaning: str, longest: int = 63 - len("-poison")) -> Any:
    """The name of a queue, with room for the host's suffix, or of a container."""
    kind = f"3 to {longest} lower-case letters, digits and single hyphens"
    return setting(Spec(name, kind, meaning, matching(rf"(?=.{{3,{longest}}}$)[a-z0-9](-?[a-z0-9])*")), default)


def schedule(name: str, default: str, meaning: str) -> Any:
    """An NCRONTAB expression."""
    kind = "an NCRONTAB expression of five or six fields"
    return setting(Spec(name, kind, f"{meaning} UTC.", matching(r"\S+(\s+\S+){4,5}")), default)


def secrets(name: str, meaning: str) -> Any:
    """Keys that sign, in the form of Standard Webhooks."""
    kind = "`whsec_` and the Base64 of 24 to 64 bytes, one or several separated by spaces"
    return setting(Spec(name, kind, meaning, _keys, secret=True), ())


def pairs(name: str, kind: str, meaning: str, pattern: str) -> Any:
    """Names and values, `name=value` separated by commas, each matching a pattern whole; no name twice."""
    one = matching(pattern)

    def read(text: str) -> tuple[tuple[str, str], ...]:
        found = dict(one(each.strip()).split("=", 1) for each in text.split(",") if each.strip())
        if len(found) != len([each for each in text.split(",") if each.strip()]):
            raise ValueError(text)
        return tuple(found.items())

    return setting(Spec(name, kind, meaning, read), ())


def _keys(text: str) -> tuple[str, ...]:
    keys = tuple(text.split())
    for key in keys:
        if not key.startswith("whsec_") or not 24 <= len(b64decode(key.removeprefix("whsec_"), validate=True)) <= 64:
            raise ValueError(text)
    return keys


def setting(spec: Spec, default: Any) -> Any:
    """A field of a settings class, with what is known of it."""
    return field(default=default, repr=not spec.secret, metadata={"spec": spec})


def _within(number: Callable[[str], Any], low: float, high: float) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = number(text)
        if not low <= value <= high:
            raise ValueError(text)
        return value

    return read


def matching(pattern: str) -> Callable[[str], str]:
    """Read text that a pattern matches whole."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return read
