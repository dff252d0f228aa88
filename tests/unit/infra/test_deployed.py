"""What is deployed: exactly the app, and the app alone runs on what requirements.txt names."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pathspec
import pytest

from support.functions import functions

ALLOWED = {"function_app.py", "host.json", "requirements.txt", "constraints.txt"}
FOLDERS = {"blueprints", "shared"}
_INDEX = """
import importlib.abc, json, sys

class Forbidden(importlib.abc.MetaPathFinder):
    names = set(json.loads(sys.argv[1]))
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ImportError(f"not deployed: {name}")

sys.meta_path.insert(0, Forbidden())
sys.path.insert(0, sys.argv[2])
import function_app
assert function_app.__file__.startswith(sys.argv[2])
print(json.dumps(sorted(str(each.get_function_name()) for each in function_app.app.get_functions())))
from shared.declarations import kinds
kinds()
"""


def ignored_by(root: Path) -> pathspec.GitIgnoreSpec:
    return pathspec.GitIgnoreSpec.from_lines((root / ".funcignore").read_text("utf-8").splitlines())


def deployed(root: Path) -> list[str]:
    """The files that `azd deploy` packs."""
    ignored = ignored_by(root)
    tops = [top for top in root.iterdir() if not ignored.match_file(f"{top.name}/" if top.is_dir() else top.name)]
    files = [file for top in tops for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    return sorted(
        path for path in (file.relative_to(root).as_posix() for file in files) if not ignored.match_file(path)
    )


def test_the_app_is_deployed_and_nothing_else(root: Path) -> None:
    files = deployed(root)
    assert set(files) >= ALLOWED
    assert {path for path in files if path.partition("/")[0] not in FOLDERS} == ALLOWED
    assert {path.suffix for path in map(Path, files)} & {".pyc", ".db", ".log", ".env", ".pem"} == set()


@pytest.mark.parametrize(
    "path",
    [
        "tests/conftest.py", "devhost/host.py", "node_modules/azurite/package.json", "docs/quickstart.md", ".venv/bin/python",
        "local.settings.json", ".azure/prod/.env", ".nightshift/nightshift.db", "infra/main.bicep", "azure.yaml",
        "shared/jobs/__pycache__/engine.cpython-311.pyc", "shared/jobs/testing/app.py", "requirements-dev.txt", "dev.py", "key.pem",
    ],
)  # fmt: skip
def test_what_is_never_deployed(root: Path, path: str) -> None:
    assert ignored_by(root).match_file(path)


def test_requirements_name_no_file_that_stays_behind(root: Path) -> None:
    lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    named = [line.split()[1] for line in lines if line.startswith("-")]
    assert set(named) <= set(deployed(root))


def runtime() -> set[str]:
    """The distributions that requirements.txt brings, with all that they ask for."""
    root = Path(__file__).parents[3]
    lines = (root / "requirements.txt").read_text("utf-8").splitlines()
    waiting = [line.split(";")[0] for line in lines if line and line[0] not in "#-"]
    found: set[str] = set()
    while waiting:
        name = _name(waiting.pop())
        if name not in found:
            found.add(name)
            waiting += _required(name)
    return found


def _required(name: str) -> Iterator[str]:
    try:
        asked = importlib.metadata.requires(name) or ()
    except importlib.metadata.PackageNotFoundError:  # for another Python or system
        return
    yield from (each for each in asked if "extra ==" not in each or "aio" in each)


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;(]", requirement.strip())[0]).lower()


def index(folder: Path) -> subprocess.CompletedProcess[str]:
    """Have a folder's functions indexed, and its kinds of jobs found, where only what is deployed can be imported."""
    mine = runtime()
    owners = importlib.metadata.packages_distributions()
    forbidden = [module for module, names in owners.items() if not {_name(name) for name in names} & mine]
    command = [sys.executable, "-I", "-B", "-c", _INDEX, json.dumps(forbidden), str(folder)]
    return subprocess.run(command, cwd=folder, env={}, capture_output=True, text=True, check=False, timeout=60)


def test_a_package_for_development_cannot_be_imported_there(tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("import tree_sitter\n", "utf-8")
    done = index(tmp_path)
    assert "ImportError: not deployed: tree_sitter" in done.stderr


def test_what_is_deployed_runs_alone_on_what_it_requires(root: Path, tmp_path: Path) -> None:
    for path in deployed(root):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, tmp_path / path)
    done = index(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sorted(functions())
