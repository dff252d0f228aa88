"""Each type of problem that the app answers with has an address, and a page there."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import cast

import pytest

from blueprints import start
from devtools.environment import ROOT
from shared.api import problems
from shared.app import App
from shared.web.answers import Problem
from shared.web.problems import TYPES
from shared.web.routes import Call
from support.functions import Nowhere

NOWHERE = cast("App", Nowhere())


def titles() -> Iterator[tuple[str, str]]:
    """The titles of problems in the code that all routes share, each with where it is. A domain's own need not be types."""
    for folder in ("shared/web", "shared/api", "blueprints"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                    title = node.args[1] if len(node.args) > 1 else None
                    if isinstance(title, ast.Constant):
                        yield str(title.value), f"{path.relative_to(ROOT)}:{node.lineno}"


@pytest.mark.parametrize(("title", "place"), sorted(dict(titles()).items()))
def test_every_title_is_of_a_type(title: str, place: str) -> None:
    content = json.loads(Problem(400, title).answer().body)
    assert content["type"].removeprefix("/api/problems/") in TYPES, (
        f"{place}: shared/web/problems.py is to say what it means"
    )


@pytest.mark.parametrize("name", TYPES)
async def test_every_type_has_a_page(name: str) -> None:
    answer = await problems.get_problem(NOWHERE, Call({"name": name}))
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert f"<h1>{TYPES[name].title}</h1>" in answer.body.decode()
    assert f"HTTP status {TYPES[name].status}" in answer.body.decode()


async def test_there_is_no_page_of_what_is_no_type() -> None:
    with pytest.raises(Problem, match="no such type"):
        await problems.get_problem(NOWHERE, Call({"name": "<script>"}))


def test_an_unknown_title_says_no_more_than_its_status() -> None:
    assert json.loads(Problem(418, "A teapot").answer().body)["type"] == "about:blank"


def test_an_app_that_cannot_start_has_no_page_to_show() -> None:
    response = start.response("why", "http://localhost/api/jobs")
    assert json.loads(response.get_body())["type"] == "about:blank"
