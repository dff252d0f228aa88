"""What is deployed: the app and its packages, nothing else; and they run where there is nothing else."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools import package as page
from infra.hooks import package
from support.funcignore import Patterns, packed
from support.functions import functions

HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGETS = ("3.12", "3.13")
_INDEX = """
import json, sys
app, site = sys.argv[1:]
sys.path[:0] = [app, site]
import function_app
assert function_app.__file__.startswith(app)
print(json.dumps(sorted(str(each.get_function_name()) for each in function_app.app.get_functions())))
from shared.declarations import kinds
kinds()
import aiohttp, azure.cosmos.aio, azure.identity.aio, azure.monitor.opentelemetry.exporter, azure.storage.blob.aio
import lxml.html, PIL.Image, trafilatura
outside = [each.__file__ for each in sys.modules.values() if "site-packages" in (getattr(each, "__file__", "") or "")]
assert all(each.startswith(app) for each in outside), outside
"""


class Installed:
    """A pip that knows, and installs, what this environment has: real packages, and no network."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def __call__(self, *arguments: str) -> str:
        asked = [each for each in arguments if re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==", each)]
        if "--dry-run" in arguments:
            self.calls.append("report")
            return json.dumps({"install": [{"metadata": self._metadata(each)} for each in asked]})
        self.calls.append("install")
        folder = Path(arguments[arguments.index("--target") + 1])
        for each in asked:
            self._link(each, folder)
        return ""

    @staticmethod
    def _metadata(asked: str) -> dict[str, Any]:
        found = importlib.metadata.distribution(re.split(r"[\[=]", asked)[0])
        name, requires = found.metadata["Name"], found.requires or []
        return {"name": name, "version": asked.partition("==")[2], "requires_dist": requires}

    @staticmethod
    def _link(asked: str, folder: Path) -> None:
        found = importlib.metadata.distribution(asked.partition("==")[0])
        for file in found.files or ():
            source, target = Path(str(found.locate_file(file))), folder / file
            if ".." not in file.parts and source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                _link(source, target)


def _link(source: Path, target: Path) -> None:
    """Have a file in a second place; nothing is copied where the file system allows."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def tracked(root: Path) -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True)
    return [path for path in done.stdout.splitlines() if (root / path).is_file()]


JUNK = (
    ".venv/pyvenv.cfg", ".azure/prod/.env", ".nightshift/nightshift.db", "node_modules/azurite/package.json",
    "local.settings.json", ".env", "shared/.DS_Store", "shared/__pycache__/ports.cpython-311.pyc", ".mypy_cache/x.json", ".idea/workspace.xml",
    "shared/jobs/__pycache__/engine.cpython-311.pyc", ".pytest_cache/README.md", ".ruff_cache/x", ".hypothesis/y",
)  # fmt: skip
"""What lies about on a developer's machine."""


@pytest.fixture(scope="module")
def clone(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A developer's checkout, with the packages as the hook installs them for this Python."""
    folder = tmp_path_factory.mktemp("clone")
    for path in (*tracked(root), *JUNK):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path in JUNK:
            (folder / path).write_text("", "utf-8")
        else:
            shutil.copyfile(root / path, folder / path)
    package.install(folder, HERE, (), Installed())
    return folder


def test_the_app_is_deployed_and_nothing_else(clone: Path, root: Path) -> None:
    files = set(packed(clone))
    of_the_app = {path for path in tracked(root) if path.partition("/")[0] in package.APP}
    of_the_app = {path for path in of_the_app if not path.startswith("shared/jobs/testing/")}  # for tests of the app
    assert {path for path in files if not path.startswith(package.PACKAGES)} == of_the_app
    assert package.RECORD in files


def test_of_the_packages_nothing_stays_behind(clone: Path) -> None:
    """Certificates among them: a pattern for keys would take certifi's along."""
    there = {path.relative_to(clone).as_posix() for path in (clone / package.PACKAGES).rglob("*") if path.is_file()}
    assert there <= set(packed(clone))
    assert f"{package.SITE}/certifi/cacert.pem" in there


def test_what_is_deployed_runs_with_nothing_else(clone: Path, tmp_path: Path) -> None:
    for path in packed(clone):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        _link(clone / path, tmp_path / path)
    done = index(tmp_path, sys.executable)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == sorted(functions())


def index(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Have the functions of a package indexed, and its kinds of jobs found, by a Python that sees nothing but the package."""
    command = [python, "-I", "-S", "-B", "-c", _INDEX, str(folder), str(folder / package.SITE)]
    environ = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False, timeout=120)


def test_a_package_that_was_not_installed_is_missed(clone: Path, tmp_path: Path) -> None:
    for path in packed(clone):
        if not path.startswith(f"{package.SITE}/trafilatura"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            _link(clone / path, tmp_path / path)
    assert "No module named 'trafilatura'" in index(tmp_path, sys.executable).stderr


# --- .funcignore, by azd's rules ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patterns", "path", "folder", "ignored"),
    [
        ("/docs", "docs", True, True),
        ("/docs", "shared/docs", True, False),
        ("docs", "shared/docs", True, True),
        ("docs/", "docs", False, False),
        ("/*", "shared/jobs/engine.py", False, True),  # at every depth: what shipped an empty app
        ("/*\n!/shared/", "shared", True, False),
        ("/*\n!/shared/", "shared/jobs", True, True),  # the folder itself comes back, and nothing in it
        ("*.pyc", "shared/jobs/engine.pyc", False, True),
        ("/*.pem", "certifi/cacert.pem", False, True),
        ("*.py\n!a.py", "x/a.py", False, False),  # the last one decides
        ("!a.py\n*.py", "x/a.py", False, True),
        ("jobs/*.py", "shared/jobs/engine.py", False, True),
        ("jobs/*.py", "jobs/timers/engine.py", False, False),
        ("/jobs/*.py", "shared/jobs/engine.py", False, False),
        ("**/jobs", "a/b/jobs", True, True),
        ("a/**/c", "x/a/b/c", False, True),
        ("# a", "# a", False, False),
    ],
)
def test_patterns_match_as_azd_has_it(patterns: str, path: str, folder: bool, ignored: bool) -> None:
    assert Patterns(patterns).ignores(path, folder=folder) is ignored


def test_a_folder_that_stays_behind_is_not_entered(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.py").write_text("", "utf-8")
    (tmp_path / ".funcignore").write_text("/a\n!c.py\n", "utf-8")
    assert packed(tmp_path) == []


def test_the_file_excludes_names_from_the_top_and_brings_nothing_back(root: Path) -> None:
    lines = [line for line in (root / ".funcignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert [line for line in lines if not re.fullmatch(r"/[\w./-]+", line)] == ["__pycache__", ".DS_Store", "*.pyc"]


# --- the hook ----------------------------------------------------------------------------------------------------------


def test_what_is_no_part_of_the_app_is_named_before_it_is_deployed(clone: Path, tmp_path: Path) -> None:
    for path in ("key.pem", "venv", "function_app.py", "docs", "__pycache__", ".funcignore"):
        (tmp_path / path).mkdir()
    (tmp_path / ".funcignore").rmdir()
    shutil.copyfile(clone / ".funcignore", tmp_path / ".funcignore")
    assert package.stray(tmp_path) == ["key.pem", "venv"]
    assert package.stray(clone) == []


def test_packages_that_are_there_are_not_installed_again(tmp_path: Path) -> None:
    versions = {name: importlib.metadata.version(name) for name in ("cronsim", "protego")}
    (tmp_path / "requirements.txt").write_text(f"cronsim=={versions['cronsim']}\n", "utf-8")
    (tmp_path / "requirements-openai.txt").write_text(f"protego=={versions['protego']}\n", "utf-8")
    (tmp_path / "constraints.txt").write_text("", "utf-8")
    pip = Installed()
    assert package.install(tmp_path, HERE, (), pip) is True
    assert pip.calls == ["report", "install"]
    assert package.install(tmp_path, HERE, (), pip) is False
    assert pip.calls == ["report", "install"]
    assert package.install(tmp_path, HERE, ("requirements-openai.txt",), pip) is True  # another choice
    assert json.loads((tmp_path / package.RECORD).read_text("utf-8"))["packages"] == versions
    assert (tmp_path / package.SITE / "protego").is_dir()


def test_what_no_import_reads_is_left_out(clone: Path) -> None:
    site = clone / package.SITE
    assert len(list(site.glob("babel/locale-data/*.dat"))) == 3
    assert not [path for name in ("*.c", "*.pyx", "*.pyi", "tests") for path in site.rglob(name)]


def test_names_of_languages_are_as_with_all_locales(clone: Path, tmp_path: Path) -> None:
    """What trafilatura's helper asks of babel: whether a part of an address names a language. It takes the data of that language."""
    code = "import sys; sys.path[:0] = [sys.argv[1]]\nfrom courlan.filters import lang_filter, basic_filter\nprint(lang_filter('https://example.org/en/x', 'en'), lang_filter('https://example.org/en/x', 'de'), basic_filter('https://example.org/en/x'))"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", code, str(clone / package.SITE)],
        capture_output=True,
        text=True,
        check=True,
    )
    from courlan.filters import basic_filter, lang_filter

    url = "https://example.org/en/x"
    assert done.stdout.split() == [str(lang_filter(url, "en")), str(lang_filter(url, "de")), str(basic_filter(url))]


@pytest.mark.parametrize(("python", "version"), [("3.12", "1.26.0"), ("3.13", "2.3.0")])
def test_markers_are_those_of_the_target(root: Path, python: str, version: str) -> None:
    asked = package.lines(root / "requirements.txt", package.environment(python))
    assert asked["azure-functions"] == f"azure-functions=={version}"


def test_dependencies_are_found_through_extras_and_markers() -> None:
    requires = {
        "a": ["b[x]; sys_platform == 'linux'", "w; sys_platform == 'win32'"],
        "b": ["c; extra == 'x'", "d; extra == 'y'"],
    }
    where = package.environment("3.12")
    asked = {"a": "a==1"}
    assert package._unknown(asked, {}, where) == {"a": "a==1"}
    assert set(package._unknown(asked, {"a": requires["a"]}, where)) == {"b"}
    assert set(package._unknown(asked, requires, where)) == {"c"}


def test_an_extra_that_is_asked_for_later_counts_too() -> None:
    requires = {"a": ["b", "z[x]"], "b": ["z"], "z": ["c; extra == 'x'"]}
    assert set(package._unknown({"b": "b==1", "a": "a==1"}, requires, package.environment("3.12"))) == {"c"}


def test_optional_packages_come_with_what_they_are_for() -> None:
    assert list(package._chosen({"DEPLOY_OPENAI": "true"})) == ["requirements-openai.txt"]
    assert list(package._chosen({"DEPLOY_OPENAI": "false", "DEPLOY_EXTRA_OPENAI": ""})) == []


# --- the page that lists it --------------------------------------------------------------------------------------------


def test_the_page_lists_what_is_deployed(root: Path) -> None:
    """Its sizes are as they were measured; names and versions are what the hook would install today."""
    where = package.environment(page.PYTHON)
    asked = package.lines(root / "requirements.txt", where)
    needed = package.needed(asked, package.lines(root / "constraints.txt", where), where, Installed())
    listed = page.listed((root / "docs/reference/package.md").read_text("utf-8"))
    assert listed == needed, "run python -m devtools.package"


@pytest.mark.slow
@pytest.mark.parametrize("python", TARGETS)
def test_packages_for_another_python_are_installed_and_run_there(root: Path, tmp_path: Path, python: str) -> None:
    """The real hook, from the package index, for Linux; and the app on that Python, where this machine has one."""
    for path in tracked(root):
        if path.partition("/")[0] in package.APP or path in (".funcignore", "requirements-openai.txt"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / path, tmp_path / path)
    package.install(tmp_path, python, ("requirements-openai.txt",), package._pip)
    tags = {
        line.partition(": ")[2]
        for path in (tmp_path / package.SITE).glob("*.dist-info/WHEEL")
        for line in path.read_text("utf-8").splitlines()
        if line.startswith("Tag")
    }
    assert tags
    assert all(re.search(r"-none-any$|manylinux.*x86_64$", tag) for tag in tags)
    found = interpreter(python)
    if not found:
        pytest.skip(f"no Python {python} on this machine: installed, and its wheels looked at, but not run")
    done = index(tmp_path, found)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)) == len(functions())


def interpreter(python: str) -> str | None:
    """A Python of this version, from pyenv or the path."""
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{python}.*/bin/python3"))
    return str(of_pyenv[-1]) if of_pyenv else shutil.which(f"python{python}")
