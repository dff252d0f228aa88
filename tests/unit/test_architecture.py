"""Who may import whom: the contracts hold a domain that nobody has listed, and the imports have no circle."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("shared", "blueprints", "devhost", "devtools", "bench")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys; sys.path.insert(0, '.'); from importlinter.cli import lint_imports_command; lint_imports_command()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], check=False, cwd=root, capture_output=True, text=True
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code and its contracts, somewhere else."""
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


OFFENCES = {
    "azure": ("import azure.core", "Domains know no Azure"),
    "adapter": ("from shared.adapters import blobs", "Only the composition root names an adapter"),
    "inside": ("from shared.domains.taste import store", "A domain knows of another what that makes public"),
    "late": ("def late() -> None:\n    from shared.domains.taste import store", "A domain knows of another what that makes public"),
    "typed": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from shared.domains.taste import store",
        "A domain knows of another what that makes public",
    ),
    "monitor": ("from shared.monitor import alarms", "Who is watched does not know it"),
    "triggers": ("from blueprints import queues", "Nothing knows the triggers"),
    "root": ("from shared import bootstrap", "Each layer uses those below it"),
    "tools": ("from devtools import reference", "What is deployed needs nothing that is not"),
}  # fmt: skip


@pytest.mark.parametrize("offence", OFFENCES)
def test_a_domain_that_nobody_has_listed_is_held_to_the_contracts(copy: Path, offence: str) -> None:
    code, contract = OFFENCES[offence]
    _plant(copy, "greetings", code)
    done = lint(copy)
    assert done.returncode == 1, done.stdout
    broken = done.stdout.partition("Broken contracts")[2].replace("\n", " ")
    assert contract in broken
    assert "shared.domains.greetings" in broken


def test_a_domain_that_keeps_to_them_is_fine(copy: Path) -> None:
    _plant(copy, "greetings", "from shared.domains.users.public import UserStore\nfrom shared.jobs import JobContext")
    done = lint(copy)
    assert done.returncode == 0, done.stdout


def test_two_domains_that_need_each_other_are_refused(copy: Path) -> None:
    _plant(copy, "greetings", "from shared.domains.farewells.public import x")
    _plant(copy, "farewells", "from shared.domains.greetings.public import x")
    done = lint(copy)
    assert done.returncode == 1
    assert "No domain needs another that needs it" in done.stdout.partition("Broken contracts")[2]


def test_a_package_that_is_in_no_layer_is_refused(copy: Path) -> None:
    (copy / "shared/loose.py").write_text("")
    done = lint(copy)
    assert done.returncode == 1
    assert "loose" in done.stdout


def test_what_a_domain_makes_public_its_neighbours_use() -> None:
    """A front door that grows by what nobody asked for is none."""
    graph = grimp.build_graph("shared")
    used: dict[str, set[str]] = {}
    domains = ROOT / "shared/domains"
    for path in sorted(domains.glob("*/**/*.py")):
        for name, words in _from_public(path.read_text("utf-8")):
            assert name.split(".")[2] != path.relative_to(domains).parts[0], f"{path} need not use its own front door"
            used.setdefault(name, set()).update(words)
    doors = {module for module in graph.modules if module.endswith(".public")}
    assert doors == set(used)
    for door in doors:
        assert set(__import__(door, fromlist=["__all__"]).__all__) == used[door], door


def _from_public(source: str) -> Iterator[tuple[str, list[str]]]:
    import ast

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(".public"):
            yield str(node.module), [each.name for each in node.names]


def test_imports_have_no_circle_types_included() -> None:
    graph = grimp.build_graph("shared", "blueprints", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert circle(imports) == []


def test_a_circle_is_seen() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) != []


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """The modules of a circle, each with the next; none where there is no circle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _plant(root: Path, domain: str, code: str) -> None:
    folder = root / "shared/domains" / domain
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "public.py").write_text("x = 1\n")
    (folder / "kinds.py").write_text(f"{code}\n")
    if "farewells" in code or "greetings.public" in code:
        (folder / "public.py").write_text(f"{code}\n")
