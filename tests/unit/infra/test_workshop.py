"""Workflows and editors' files: they load, and what they name is there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import dev
from devtools.lock import PYTHONS
from shared.declarations import settings_of, specs
from support.functions import functions

ROOT = Path(__file__).parents[3]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
VERBS = set(dev.parser()._subparsers._group_actions[0].choices)  # type: ignore[union-attr, arg-type]


def workflow(path: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(path)["jobs"].values() for step in job.get("steps", [])]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_may_do_no_more_than_it_must(path: Path) -> None:
    content = workflow(path)
    assert content["permissions"] == {"contents": "read"}
    more = [job.get("permissions", {}) for job in content["jobs"].values()]
    assert all(set(each) <= {"contents", "id-token"} and each.get("contents", "read") == "read" for each in more)
    assert all(job.get("uses") or job["timeout-minutes"] <= 60 for job in content["jobs"].values())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_of_known_makers_and_versions(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    for each in used:
        assert re.fullmatch(r"(actions|azure|Azure)/[\w-]+@(v\d+|[0-9a-f]{40})", each), each


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_commands_are_there(path: Path) -> None:
    commands = "\n".join(step.get("run", "") for step in steps(path))
    assert set(re.findall(r"dev\.py (\w+)", commands)) <= VERBS
    assert all((ROOT / file).is_file() for file in re.findall(r"--file (\S+)", commands))


def test_each_python_that_is_supported_is_tested() -> None:
    matrix = workflow(ROOT / ".github/workflows/ci.yml")["jobs"]["test"]["strategy"]["matrix"]
    assert tuple(matrix["python"]) == PYTHONS


def test_no_credential_of_azure_is_kept_with_the_workflow() -> None:
    text = (ROOT / ".github/workflows/azure-dev.yml").read_text("utf-8")
    secrets = set(re.findall(r"secrets\.(\w+)", text))
    assert secrets == {"NIGHTSHIFT_OPERATOR_KEY", "WEBHOOK_SECRET", "REDDIT_CLIENT_SECRET"}
    assert "--federated-credential-provider github" in text


def test_the_tests_find_the_bicep_compiler_that_the_workflow_installs() -> None:
    commands = [step.get("run", "") for step in workflow(ROOT / ".github/workflows/ci.yml")["jobs"]["test"]["steps"]]
    [install] = [each for each in commands if "az bicep install" in each]
    assert "BICEP=" in install
    assert commands.index(install) < commands.index("python dev.py test")


@pytest.mark.parametrize("name", [".vscode/extensions.json", ".vscode/launch.json", ".vscode/settings.json",
                                  ".vscode/tasks.json", ".devcontainer/devcontainer.json"])  # fmt: skip
def test_editors_files_load_and_start_what_there_is(name: str) -> None:
    content = (ROOT / name).read_text("utf-8")
    json.loads(content)
    assert set(re.findall(r"dev\.py (\w+)", content)) <= VERBS


def test_the_debugger_attaches_where_func_listens() -> None:
    launch = json.loads((ROOT / ".vscode/launch.json").read_text("utf-8"))["configurations"]
    tasks = {task["label"] for task in json.loads((ROOT / ".vscode/tasks.json").read_text("utf-8"))["tasks"]}
    [attach] = [each for each in launch if each["request"] == "attach"]
    assert attach["connect"]["port"] == 9091
    assert attach["preLaunchTask"] in tasks


def test_the_requests_to_try_go_to_routes_that_there_are() -> None:
    bindings = [binding for each in functions().values() for binding in each.get_bindings()]
    routes = [re.sub(r"\{\w+\}", r"[^/]+", str(each.route)) for each in bindings if each.type == "httpTrigger"]  # type: ignore[attr-defined]
    asked = re.findall(
        r"^(?:GET|POST|PUT|DELETE) \{\{url\}\}/api/([^?\s]+)", (ROOT / "test.http").read_text("utf-8"), re.MULTILINE
    )
    assert len(asked) > 5
    for path in asked:
        assert any(re.fullmatch(route, re.sub(r"\{\{.*?\}\}", "x", path)) for route in routes), path


def test_runbooks_name_routes_that_there_are() -> None:
    bindings = [binding for each in functions().values() for binding in each.get_bindings()]
    routes = [re.sub(r"\{\w+\}", r"[^/]+", str(each.route)) for each in bindings if each.type == "httpTrigger"]  # type: ignore[attr-defined]
    for page in (*(ROOT / "docs/runbooks").glob("*.md"), ROOT / "docs/how-to/deploy.md"):
        for path in re.findall(r"/api/([\w/{}-]+)", page.read_text("utf-8")):
            assert any(re.fullmatch(route, path) for route in routes), f"{page.name}: {path}"


def test_local_settings_are_the_defaults() -> None:
    values = json.loads((ROOT / "local.settings.json.example").read_text("utf-8"))["Values"]
    own = {name: value for name, value in values.items() if name != "FUNCTIONS_WORKER_RUNTIME"}
    assert own.keys() <= specs().keys()
    assert replace(settings_of(own), storage_connection=None) == settings_of({})
