"""What `azd deploy` packs, by its own rules (createDeployableZip, and github.com/denormal/go-gitignore), which are not git's.

* A pattern without a slash inside is matched against the name, or, with a slash in front, against the whole path; `*` and `?`
  match slashes there. One with a slash inside is matched against as many last parts of the path as it has.
* The last pattern that matches decides; a folder that is left out is not entered, so that nothing in it can come back.
* Folders named `.azure`, the ignore file itself and `local.settings.json` always stay behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase, translate
from pathlib import Path


class Patterns:
    """The patterns of an ignore file."""

    def __init__(self, text: str) -> None:
        lines = (line.rstrip() for line in text.splitlines())
        self._patterns = [line for line in lines if line and not line.startswith("#")]

    def ignores(self, path: str, *, folder: bool) -> bool:
        """Whether a path, relative to the root, stays behind."""
        for pattern in reversed(self._patterns):
            bare = pattern.removeprefix("!")
            if _matches(bare, path, folder=folder):
                return bare == pattern
        return False


def _matches(pattern: str, path: str, *, folder: bool) -> bool:
    anchored, pattern = pattern.startswith("/"), pattern.removeprefix("/")
    if pattern.endswith("/"):
        if not folder:
            return False
        pattern = pattern[:-1]
    parts = pattern.split("/")
    if "**" in parts:
        return _any(path.split("/"), parts if anchored or parts[0] == "**" else ["**", *parts])
    if len(parts) == 1:
        return fnmatchcase(path if anchored else path.rsplit("/", 1)[-1], pattern)
    last = path.split("/") if anchored else path.split("/")[-len(parts) :]
    return len(last) == len(parts) and all(map(_part, last, parts))


def _any(path: list[str], parts: list[str]) -> bool:
    if not parts:
        return not path
    if parts[0] == "**":
        return _any(path, parts[1:]) or (bool(path) and _any(path[1:], parts))
    return bool(path) and _part(path[0], parts[0]) and _any(path[1:], parts[1:])


def _part(name: str, pattern: str) -> bool:
    return re.fullmatch(translate(pattern), name) is not None


def packed(root: Path) -> list[str]:
    """The files that go into the package, relative to the root."""
    return sorted(_walk(root, root, Patterns((root / ".funcignore").read_text("utf-8").removeprefix("\ufeff"))))


def _walk(root: Path, folder: Path, patterns: Patterns) -> Iterator[str]:
    for path in folder.iterdir():
        relative, is_folder = path.relative_to(root).as_posix(), path.is_dir()
        if path.name == ".azure" if is_folder else path.name in (".funcignore", "local.settings.json"):
            continue
        if patterns.ignores(relative, folder=is_folder):
            continue
        if is_folder:
            yield from _walk(root, path, patterns)
        else:
            yield relative
