"""The documentation says what the code does, as far as a test can tell."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import dev
from devtools import reference, tour
from devtools.operator import VERBS
from devtools.operator.cli import cli
from shared import declarations
from shared.jobs import explain, machine
from shared.jobs.dead_letters.vault import DeadLetter, Discard, Reason, Replay
from shared.jobs.envelope import Envelope
from shared.jobs.model import Failure, FanOut, Job, Progress, Status
from support.functions import functions

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
NOT_THE_APPS = {
    "NIGHTSHIFT_DATA", "NIGHTSHIFT_KEY", "NIGHTSHIFT_SOAK_SEED", "NIGHTSHIFT_URL", "COSMOS_DB_ENDPOINT", "COSMOS_DB_NAME",
    "STORAGE_ACCOUNT_WORKER_QUEUE_URL", "API_BASE_URL",
}  # fmt: skip
"""Of the tests, of the command line, and of what others call what here is called otherwise."""
AZURES = {"AZURE"}
"""Prefixes that others use too."""
NEAR = 30
"""So many lines may what a link names have moved, before somebody has to have the links made anew."""


@pytest.mark.parametrize("path", reference.pages(), ids=lambda path: path.name)
def test_pages_made_from_the_code_are_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == reference.pages()[path], "run python -m devtools.reference"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        there = page.parent / target if target else page
        assert there.exists(), target
        assert not anchor or there.suffix == ".py" or anchor in _anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_link_to_a_line_leads_near_what_it_names(page: Path) -> None:
    linked = re.findall(r"\.py#", page.read_text("utf-8"))
    found = list(tour.links(page))
    assert len(found) == len(linked), "such a link is [`name`](path.py#L12)"
    for link in found:
        assert link.found is not None, f"{link.target} has no {link.symbol}"
        assert abs(link.line - link.found) <= NEAR, f"{link.symbol} has moved: run python -m devtools.reference"


def test_the_tour_has_links_to_lines() -> None:
    assert len(list(tour.links(ROOT / "docs/explanation/code-tour.md"))) > 40


def test_links_follow_what_they_name(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("X = 1\n\n\nclass A:\n    def f(self) -> None: ...\n", encoding="utf-8")
    page = tmp_path / "page.md"
    page.write_text("[`A.f`](code.py#L1) [`X`](code.py#L9) [`gone`](code.py#L3)", encoding="utf-8")
    assert tour.refreshed(page) == "[`A.f`](code.py#L5) [`X`](code.py#L1) [`gone`](code.py#L3)"
    assert [link.found for link in tour.links(page)] == [5, 1, None]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(page: Path) -> None:
    known = declarations.specs().keys()
    prefixes = {name.partition("_")[0] for name in known if name.isupper()} - AZURES
    named = re.findall(rf"`((?:{'|'.join(sorted(prefixes))})_[A-Z_]+)`", page.read_text("utf-8"))
    assert set(named) - known - NOT_THE_APPS == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_command_is_one_that_there_is(page: Path) -> None:
    for line in re.findall(r"python dev\.py ([\w-][^`#|\n]*)", page.read_text("utf-8")):
        words = shlex.split(line.rstrip(" .,;:)"))
        if words[0] in VERBS:
            cli.commands[words[0]].make_context(
                words[0], words[1:], resilient_parsing="--help" in words
            )  # raises, else
            continue
        given, rest = dev.parser().parse_known_args(words)
        assert not rest or given.verb in (dev.test, dev.bench), line


def test_every_page_is_of_one_sort() -> None:
    sorts = {"tutorial", "how-to", "reference", "explanation", "runbooks"}
    assert {page.relative_to(ROOT / "docs").parts[0] for page in PAGES if page.name != "README.md"} == sorts


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        links = re.findall(r"\]\(([^)#:]+\.md)", page.read_text("utf-8"))
        ahead += {(page.parent / link).resolve() for link in links} - reached
    assert set(PAGES) - reached == set()


def test_the_reference_names_what_jobs_and_dead_letters_are_made_of() -> None:
    named = _quoted(ROOT / "docs/reference/jobs.md")
    for what in (Job, Envelope, FanOut, Failure, Progress, DeadLetter, Replay, Discard):
        fields = {field.serialization_alias or name for name, field in what.model_fields.items()}
        assert fields - named == set(), what
    assert {*Status, *Reason} - named == set()
    assert {*declarations.containers(), *declarations.artifacts()} - _quoted(
        ROOT / "docs/reference/storage.md"
    ) == set()


def test_the_reference_names_every_event_of_a_history() -> None:
    events = {*_events(Path(machine.__file__)), "submitted", *(status for status in Status if status.final)}
    assert "claimed after a lapse" in events
    assert events - _quoted(ROOT / "docs/reference/jobs.md") == set()


def test_the_reference_names_every_reason_for_not_running() -> None:
    assert set(get_args(explain.Code)) - _quoted(ROOT / "docs/reference/http.md") == set()


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _quoted(page: Path) -> set[str]:
    prose = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return set(re.findall(r"`([^`]+)`", prose))


def _events(module: Path) -> Iterator[str]:
    """What a machine's `_next(job, at, event, ...)` are called with, where that is written out."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "_next":
            for each in ast.walk(node.args[2]):
                if isinstance(each, ast.Constant) and isinstance(each.value, str):
                    yield each.value


def test_every_route_is_documented() -> None:
    """What the engine answers, in words; a domain's routes by what their declarations say, if nowhere else."""
    words = (ROOT / "docs/reference/http.md").read_text(encoding="utf-8")
    table = (ROOT / "docs/reference/routes.md").read_text(encoding="utf-8")
    of_domains = {each.function for each in declarations.routes() if each.package.startswith("shared.domains.")}
    for name, function in functions().items():
        for binding in function.get_bindings():
            if binding.type == "httpTrigger":
                template = re.sub(r"\{\w+[^{}]*\?\}", "", binding.route)  # type: ignore[attr-defined]
                route = re.sub(r"\{\**\w+[^{}]*\}", "{id}", f"/api/{template}").rstrip("/")
                text = table if name in of_domains else words
                assert (route.removeprefix("/api/") if name in of_domains else route) in re.sub(
                    r"\{\w+\}", "{id}", text
                ), route
                assert name in table
