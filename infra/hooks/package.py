# ruff: noqa: INP001  a script, not a module
"""What `azd` runs before it packs the app: the packages, installed for what the app will run on.

Azure's own build has 60 seconds; this one has as long as it takes, on any system. Wheels only, for Linux and for the Python of
`DEPLOY_PYTHON_VERSION`, into `.python_packages/lib/site-packages`, where the Functions host looks. pip chooses wheels for
another Python, but evaluates markers (`; python_version < "3.13"`) for the one that it runs on: so what is needed is found here,
level by level, and pip is told exact versions without dependencies.

Standard library and pip only, on whatever Python there is.
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
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ".python_packages"
SITE = f"{PACKAGES}/lib/site-packages"
RECORD = f"{PACKAGES}/installed.json"
"""What was installed, for which Python; goes into the package too."""
APP = ("function_app.py", "host.json", "requirements.txt", "constraints.txt", "blueprints", "shared", PACKAGES)
"""What is deployed."""
PYTHON = "3.12"
"""The default of `pythonVersion` in infra/main.bicep."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
EXTRAS = {
    "requirements-openai.txt": ("DEPLOY_OPENAI", "DEPLOY_EXTRA_OPENAI"),
    "requirements-documents.txt": ("DEPLOY_EXTRA_DOCUMENTS",),
    "requirements-stories.txt": ("DEPLOY_EXTRA_STORIES",),
}
"""Requirements that are installed where one of these variables is `true`."""

_LOCALES = "babel/locale-data/*.dat"
_LOCALES_KEPT = ("root.dat", "en.dat", "en_US.dat")
"""babel (through trafilatura and courlan) brings 31 MB of dates and currencies of the world, of which nothing here asks."""
_SOURCES = ("*.c", "*.h", "*.hpp", "*.pyx", "*.pxd", "*.pxi", "*.pyi")
_FOLDERS = ("tests", "test", "__pycache__")

Pip = Callable[..., str]
Environment = Mapping[str, str]


class HookError(Exception):
    """Something that whoever deploys can mend."""


# --- what is needed ----------------------------------------------------------------------------------------------------


def environment(python: str) -> Environment:
    """The values that markers are evaluated with: Linux on x86-64, CPython of this version."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def lines(path: Path, where: Environment) -> dict[str, str]:
    """Each requirement of a file that applies, by its normalised name."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = line.partition(" #")[0].strip()
        if entry and entry[0] not in "#-":
            requirement = _parse(entry)
            if _applies(requirement, where):
                requirement.marker = None
                found[_normal(requirement.name)] = str(requirement)
    return found


def needed(asked: Mapping[str, str], pins: Mapping[str, str], where: Environment, pip: Pip) -> dict[str, str]:
    """Name and version of everything that these requirements come to, asked of pip one level of dependencies at a time."""
    versions: dict[str, str] = {}
    requires: dict[str, list[str]] = {}
    while unknown := _unknown(asked, requires, where):
        wanted = [pins.get(name, line) for name, line in sorted(unknown.items())]
        report = pip("install", "--dry-run", "--ignore-installed", "--report", "-", *_target(where), *wanted)
        for item in json.loads(report)["install"]:
            metadata = item["metadata"]
            name = _normal(metadata["name"])
            versions[name], requires[name] = metadata["version"], metadata.get("requires_dist", [])
    return dict(sorted(versions.items()))


def _unknown(asked: Mapping[str, str], requires: Mapping[str, list[str]], where: Environment) -> dict[str, str]:
    """What is reached from these requirements, and whose own are not known yet."""
    unknown: dict[str, str] = {}
    waiting, seen = [(line, "") for line in asked.values()], set[tuple[str, str]]()
    while waiting:
        line, extra = waiting.pop()
        requirement = _parse(line)
        name = _normal(requirement.name)
        if not _applies(requirement, where, extra):
            continue
        if name not in requires:
            requirement.marker = None
            unknown[name] = str(requirement)
            continue
        for wanted in {"", *requirement.extras} - {each for known, each in seen if known == name}:
            seen.add((name, wanted))
            waiting += [(each, wanted) for each in requires[name]]
    return unknown


def _applies(requirement: Any, where: Environment, extra: str = "") -> bool:
    return requirement.marker is None or bool(requirement.marker.evaluate({**where, "extra": extra}))


def _parse(line: str) -> Any:
    from pip._vendor.packaging.requirements import Requirement

    return Requirement(line)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _target(where: Environment) -> list[str]:
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    python = ["--python-version", where["python_version"], "--implementation", "cp"]
    return ["--only-binary=:all:", "--no-deps", *platforms, *python]


# --- installing --------------------------------------------------------------------------------------------------------


def install(root: Path, python: str, extras: Iterable[str], pip: Pip, *, pruned: bool = True) -> bool:
    """Install what the app needs on this Python, unless it is there; say whether anything was done."""
    files = [root / "requirements.txt", *(root / name for name in sorted(extras))]
    where, stamp = environment(python), _stamp(python, [*files, root / "constraints.txt"])
    if _record(root).get("stamp") == stamp:
        return False
    asked = {name: line for path in files for name, line in lines(path, where).items()}
    versions = needed(asked, lines(root / "constraints.txt", where), where, pip)
    shutil.rmtree(root / PACKAGES, ignore_errors=True)
    site = root / SITE
    site.mkdir(parents=True)
    pins = [f"{name}=={version}" for name, version in versions.items()]
    pip("install", "--no-compile", "--target", str(site), *_target(where), *pins)
    if pruned:
        prune(site)
    record = {"python": python, "stamp": stamp, "packages": versions}
    (root / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return True


def prune(site: Path) -> None:
    """Remove what no import reads: other languages' names of months, sources of compiled modules, tests, commands."""
    for path in site.glob(_LOCALES):
        if path.name not in _LOCALES_KEPT:
            path.unlink()
    for pattern in _SOURCES:
        for path in site.rglob(pattern):
            path.unlink()
    for folder in [site / "bin", *(each for name in _FOLDERS for each in site.rglob(name))]:
        shutil.rmtree(folder, ignore_errors=True)


def stray(root: Path) -> list[str]:
    """What lies in the folder and would be deployed, though it is not the app's."""
    ignored = set((root / ".funcignore").read_text(encoding="utf-8").split())
    return sorted(
        each.name
        for each in root.iterdir()
        if each.name not in APP and f"/{each.name}" not in ignored and each.name not in ignored
    )


def _record(root: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        return dict(json.loads((root / RECORD).read_text(encoding="utf-8")))
    return {}


def _stamp(python: str, files: Iterable[Path]) -> str:
    content = [python.encode(), *(path.read_bytes() for path in files), Path(__file__).read_bytes()]
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def _pip(*arguments: str) -> str:
    common = ["--disable-pip-version-check", "--no-input", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", *arguments, *common], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise HookError(f"pip {arguments[0]} failed: {done.stderr.strip()[-600:]}")
    return done.stdout


def _chosen(environ: Mapping[str, str]) -> Iterator[str]:
    for path, variables in EXTRAS.items():
        if any(environ.get(name, "").lower() == "true" for name in variables):
            yield path


def _with_pip() -> None:
    """Go on as the Python of the development environment where this one has no pip."""
    with contextlib.suppress(ImportError):
        import pip  # noqa: F401 - whether it is there

        return
    other = ROOT / (".venv/Scripts/python.exe" if os.name == "nt" else ".venv/bin/python")
    if not other.exists() or Path(sys.executable) == other:
        raise HookError("this Python has no pip: run `python -m ensurepip`, or `python dev.py setup` for one that has")
    sys.exit(subprocess.call([str(other), __file__]))


def main() -> int:
    """Install, look for strays, say what there is; return the exit code."""
    python = os.environ.get("DEPLOY_PYTHON_VERSION") or PYTHON
    try:
        _with_pip()
        if found := stray(ROOT):
            raise HookError(
                f"would be deployed, and is not the app's: {', '.join(found)}. Move it, or list it in .funcignore"
            )
        done = install(ROOT, python, tuple(_chosen(os.environ)), _pip)
    except HookError as error:
        print(f"package.py: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in (ROOT / SITE).rglob("*") if path.is_file())
    verb = "installed" if done else "are up to date"
    print(f"packages for Python {python} {verb}: {len(_record(ROOT)['packages'])}, {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
