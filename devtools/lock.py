"""Write constraints.txt: exact versions of everything the direct requirements pull in, for each supported Python.

Run as ``python -m devtools.lock`` after a requirement changed; needs the package index.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "requirements-bench.txt"  # peers, compared in environments of their own
PYTHONS = ("3.11", "3.12", "3.13")
HEADER = "# What the direct requirements pull in. Written by `python -m devtools.lock`.\n"


def main() -> None:
    """Resolve for each Python and write the union."""
    direct = set[str]().union(*(_direct(file) for file in ROOT.glob("requirements*.txt") if file != BENCH))
    resolved = {python: _resolve(python, sorted(direct)) for python in PYTHONS}
    lines = [line for name in sorted(set().union(*resolved.values())) for line in _pins(name, resolved, direct)]
    (ROOT / "constraints.txt").write_text(HEADER + "".join(f"{line}\n" for line in lines), encoding="utf-8")


def _direct(file: Path) -> set[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith(("#", "-"))}


def _resolve(python: str, requirements: list[str]) -> dict[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        target = ["--target", folder, "--only-binary=:all:", "--python-version", python, "--report", str(report)]
        chosen = [entry.split(";")[0] for entry in requirements if _applies(entry, python)]
        subprocess.run([*command, *target, *chosen], check=True)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {_normal(item["metadata"]["name"]): item["metadata"]["version"] for item in found}


def _applies(requirement: str, python: str) -> bool:
    """Evaluate the only marker in use; pip itself evaluates markers for the Python it runs on, not for the target."""
    marker = re.search(r';\s*python_version\s*(<|>=)\s*"([\d.]+)"', requirement)
    if not marker:
        return True
    older = _version(python) < _version(marker[2])
    return older if marker[1] == "<" else not older


def _pins(name: str, resolved: dict[str, dict[str, str]], direct: set[str]) -> list[str]:
    if any(_normal(entry.split("==")[0].split("[")[0]) == name for entry in direct):
        return []
    versions = {python: found[name] for python, found in resolved.items() if name in found}
    if len(set(versions.values())) == 1:
        return [f"{name}=={next(iter(versions.values()))}"]
    return [f'{name}=={version}; python_version == "{python}"' for python, version in versions.items()]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


if __name__ == "__main__":
    main()
