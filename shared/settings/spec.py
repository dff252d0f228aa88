"""What is known of one setting, how each type of value is read, and what settings that belong together have in common."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
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


class Section:
    """Settings that belong together: a frozen dataclass whose fields are made with the helpers of this module."""

    # Said here, once: made by `dataclass`, each class would be compiled for it at every cold start.
    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def queues(self) -> Mapping[str, str]:
        """Its queues of jobs, each with its poison queue."""
        return {}

    def problems(self, settings: Any) -> Iterable[str]:  # noqa: ARG002 - what most sections need not look at
        """What is wrong with values that each by itself would do, given the app's own settings."""
        return ()


def specs_of(section: type[Section]) -> dict[str, Spec]:
    """What is known of each setting of a section, by the name of its field."""
    return {each.name: each.metadata["spec"] for each in fields(section) if "spec" in each.metadata}  # type: ignore[arg-type]


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
