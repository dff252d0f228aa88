"""What became of a file that was checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from shared.domains.pipelines.definition import Definition, Pipeline
from shared.domains.pipelines.marked import Problem


@dataclass
class Checked:
    """What became of a file."""

    errors: list[Problem] = field(default_factory=list)
    lacks: list[Problem] = field(default_factory=list)
    """What has to be set, or to be there, before it can run."""
    warnings: list[Problem] = field(default_factory=list)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)
    """By name; only where there are no errors."""
    main: list[str] = field(default_factory=list)
    """The names of those that are no subworkflows, in the order of the file."""

    def definition(self, name: str | None = None) -> Definition:
        """The definition of one of its pipelines, by default of the first; with those that it uses, and no others.

        Raises:
            KeyError: there is none of this name.
        """
        name = name or self.main[0]
        used: dict[str, Pipeline] = {}
        _collect(name, self.pipelines, used)
        return Definition(main=name, pipelines=used)


def meant(given: Any, known: Iterable[str]) -> str:
    """What somebody may have meant, as the end of a message; empty where nothing is near."""
    close = get_close_matches(str(given), list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _collect(name: str, known: Mapping[str, Pipeline], used: dict[str, Pipeline]) -> None:
    if name not in used:
        used[name] = known[name]
        for each in known[name].uses:
            _collect(each, known, used)
