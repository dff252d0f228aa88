"""The documentation says what the code does, as far as a test can tell."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from devtools import reference
from shared.settings import specs

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_pages_made_from_the_code_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == reference.pages()[path], "run python -m devtools.reference"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = {spec.name for spec in specs().values()}
    named = re.findall(
        r"`((?:TASTE|JOBS|NIGHTSHIFT|FETCH|IMAGE|COSMOS|COLLECT|WEBHOOK|RETENTION|RATE)_[A-Z_]+)`", page.read_text("utf-8")
    )
    assert set(named) - known - {"NIGHTSHIFT_DATA"} == set()


def test_every_route_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    import function_app

    monkeypatch.setattr(function_app.app, "functions_bindings", None)  # the library's memory of names it has seen
    text = (ROOT / "docs/reference/http.md").read_text(encoding="utf-8")
    for function in function_app.app.get_functions():
        for binding in function.get_bindings():
            if binding.type == "httpTrigger":
                route = re.sub(r"\{\w+\}", "{id}", f"/api/{binding.route}")  # type: ignore[attr-defined]
                assert route in re.sub(r"\{\w+\}", "{id}", text), route
