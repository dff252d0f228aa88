"""The rules of a robots.txt (RFC 9309), read and asked in a time that grows with its length only.

Patterns with wildcards are not turned into regular expressions: a site that writes many stars into one would have them tried for
hours, on the event loop, for each address.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from shared.fetch.urls import normal_escapes

_LONGEST = 2048
"""Characters of a pattern that are read; no address that is asked for is longer."""
_SAFE = "%!$&'()*+,;=:@/?-._~[]"
_TOKEN = re.compile(r"[A-Za-z_-]{1,100}")


@dataclass(slots=True)
class _Group:
    """What is said to some robots."""

    agents: set[str] = field(default_factory=set)
    rules: list[_Rule] = field(default_factory=list)
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class _Rule:
    allows: bool
    pattern: str
    length: int
    """Of the pattern as it was written, without an escape that it does not need."""

    def matches(self, path: str) -> bool:
        """Whether the pattern is the beginning of a path, `*` standing for anything and a final `$` for its end."""
        anchored = self.pattern.endswith("$")
        first, *rest = self.pattern.removesuffix("$").split("*")
        if not path.startswith(first):
            return False
        at = len(first)
        for number, part in enumerate(rest, 1):
            if anchored and number == len(rest):
                return path.endswith(part) and len(path) - len(part) >= at
            found = path.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return not anchored or at == len(path)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a site says to one robot."""

    rules: tuple[_Rule, ...] = ()
    delay: float = 0.0
    """Seconds between two requests, as the site would have it."""

    def allow(self, url: str) -> bool:
        """Whether an address may be asked for: the longest pattern that matches decides, and of two as long, the kinder."""
        parts = urlsplit(url)
        path = _written(f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}")
        matching = [(rule.length, rule.allows) for rule in self.rules if rule.matches(path)]
        return max(matching, default=(0, True))[1]


def read_rules(text: str, robot: str) -> Rules:
    """Read a robots.txt as one robot has to: the groups that name it, or else those for all."""
    groups = list(_groups(text))
    for agent in (robot.lower(), "*"):
        ours = [group for group in groups if agent in group.agents]
        if ours:
            rules = tuple(dict.fromkeys(rule for group in ours for rule in group.rules))
            return Rules(rules, max(group.delay for group in ours))
    return Rules()


def _groups(text: str) -> Iterator[_Group]:
    group = _Group()
    named = False  # whether the last line named a robot, so that the next name is of the same group
    for name, value in _lines(text):
        if name == "user-agent":
            if not named:
                yield group
                group = _Group()
            named = True
            found = _TOKEN.match(value)
            group.agents.add(found[0].lower() if found else value[:1])
            continue
        named = named and name not in ("allow", "disallow", "crawl-delay")
        if name in ("allow", "disallow") and value:
            written = _written(value)
            group.rules.append(_Rule(name == "allow", re.sub(r"\*+", "*", written), len(written)))
        elif name == "crawl-delay":
            group.delay = max(group.delay, _seconds(value))
    yield group


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        name, colon, value = line.partition("#")[0].partition(":")
        if colon:
            yield name.strip().lower(), value.strip()[:_LONGEST]


def _written(path: str) -> str:
    return normal_escapes(quote(path, safe=_SAFE, errors="replace"))


def _seconds(value: str) -> float:
    found = re.match(r"\d{1,9}(\.\d{0,3})?", value)
    return float(found[0]) if found else 0.0
