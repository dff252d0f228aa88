"""Seeing that the app's code has changed: `dev.py start --reload`. Standard library only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

WATCHED = ("function_app.py", "host.json", "local.settings.json", "blueprints", "shared")
"""What a host that runs has read, or imported."""
_SUFFIXES = (".py", ".json")
_Stamps = dict[Path, tuple[int, int]]


class Changes:
    """What has changed below a folder since the last look."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known = self._stamps()

    def look(self) -> list[Path]:
        """The files that were written, made or removed since the last look, relative to the folder."""
        before, self._known = self._known, self._stamps()
        changed = {path for path, _ in before.items() ^ self._known.items()}
        return sorted(path.relative_to(self._root) for path in changed)

    def _stamps(self) -> _Stamps:
        found: _Stamps = {}
        for path in self._files():
            try:
                stat = path.stat()
            except FileNotFoundError:  # an editor that writes beside, and renames
                continue
            found[path] = (stat.st_mtime_ns, stat.st_size)
        return found

    def _files(self) -> Iterator[Path]:
        for name in WATCHED:
            path = self._root / name
            yield from (each for each in path.rglob("*") if each.suffix in _SUFFIXES) if path.is_dir() else (path,)
