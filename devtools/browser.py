"""A Chromium for the tests of pages: found on this machine, else installed. Standard library only, as all of the set-up."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from devtools.environment import APP, STATE, TroubleError, logged

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/opt/google/chrome/chrome",
    "/snap/bin/chromium",
)
_PLAYWRIGHT = ("chromium-*/chrome-*/chrome", "chromium-*/chrome-*/*.app/Contents/MacOS/*")
"""Where Playwright puts the browser it installs, under each of its folders."""
_ADVICE = "install Chromium or Chrome, or name one in the environment variable CHROME_PATH"


class Chromium:
    """The browser, as one part of the set-up."""

    _found = STATE / "chromium"
    """Remembers where it was, so that a set-up with nothing to do starts no browser."""

    def ready(self) -> bool:
        """Whether one was found before and is still there."""
        return self._found.exists() and Path(self._found.read_text(encoding="utf-8")).exists()

    def install(self) -> None:
        """Find one; where there is none, install it: Debian's as root, else Playwright's.

        Raises:
            TroubleError: there is none, and none could be installed.
        """
        path = find() or _debian() or _playwright()
        if not path:
            raise TroubleError(f"Chromium was installed, but does not run here: {_ADVICE}")
        STATE.mkdir(exist_ok=True)
        self._found.write_text(path, encoding="utf-8")


def find() -> str | None:
    """The path of a Chromium, or of a browser made of it, that runs on this machine."""
    return next((path for path in _candidates() if _runs(path)), None)


def _candidates() -> Iterator[str]:
    """What CHROME_PATH names, and nothing else where it names something; else path, usual places, Playwright's own."""
    if named := os.environ.get("CHROME_PATH"):
        yield named
        return
    yield from filter(None, map(shutil.which, _NAMES))
    yield from (place for place in _PLACES if Path(place).exists())
    for folder in _playwright_folders():
        for pattern in _PLAYWRIGHT:
            yield from (str(path) for path in sorted(folder.glob(pattern), reverse=True))


def _playwright_folders() -> Iterator[Path]:
    if named := os.environ.get("PLAYWRIGHT_BROWSERS_PATH"):
        yield Path(named)
    yield Path.home() / ".cache/ms-playwright"
    yield Path.home() / "Library/Caches/ms-playwright"


def _runs(path: str) -> bool:
    """Whether it starts: distributions put scripts under these names that only say where to get a browser."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _debian() -> str | None:
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    try:
        logged("package lists", ["apt-get", "update", "--quiet"])
        command = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium", "fonts-liberation"]
        logged("Chromium from the distribution", command)
    except TroubleError:
        return None  # the distribution has none; Playwright may
    return find()


def _playwright() -> str | None:
    try:
        logged("Chromium from Playwright", [APP.python, "-m", "playwright", "install", "chromium"])
    except TroubleError as error:
        raise TroubleError(f"{error}\n  The tests of pages need a browser: {_ADVICE}") from error
    return find()
