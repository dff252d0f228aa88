"""The host's order of routes: which function answers, and which could never."""

from __future__ import annotations

import re

import pytest

from shared.web.order import DeclarationError, Served, hidden, in_order, served
from support.functions import functions as app_functions

SAMPLES = {
    "nothing": "",
    "job_id": "0198c3a2-0000-7000-8000-000000000000", "letter_id": "0198c3a2-0000-7000-8000-000000000000", "week": "2026-W47",
    "kind": "taste-analysis", "name": "PluckItScraper", "source_id": "rss_0123456789ab", "user_id": "ann", "item_id": "shirt-1",
    "pipeline_id": "invoices", "number": "1", "vault_id": "inbox", "execution_id": "exec_123",
    "document_id": "0198c3a2-0000-7000-8000-000000000000", "upload_id": "u1", "mood_id": "dark-academia", "event": "approval", "digest_id": "ann~2026-W47",
    "adventure_id": "0198c3a2-0000-7000-8000-000000000000", "entry_id": "0198c3a2-0000-7000-8000-000000000000", "word": "clair",
    "path": "index.html", "edition_id": "20260105T120000-0123456789ab-1",
}  # fmt: skip


def get(name: str, template: str, *methods: str) -> Served:
    return Served(name, frozenset(methods or ("GET",)), template)


def names(*routes: Served) -> list[tuple[str, str]]:
    return [(one.name, by.name) for one, by in hidden(routes)]


def answering(routes: list[Served], method: str, path: str) -> str | None:
    return next((route.name for route in in_order(routes) if route.fits(method, path)), None)


@pytest.fixture(scope="module")
def routes() -> list[Served]:
    """What the host knows of the app."""
    return list(served(app_functions().values()))


def test_the_function_that_answers_is_the_one_meant(routes: list[Served]) -> None:
    assert len(routes) >= 59
    for route in routes:
        path = re.sub(r"\{\**(\w+)[^{}]*\}", lambda found: SAMPLES[found[1]], route.template)
        for method in route.methods:
            assert answering(routes, method, path) == route.name


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("dead-letters/groups", "ListDeadLetterGroups"),
        ("dead-letters/GROUPS", "ListDeadLetterGroups"),
        ("dead-letters/groupsx", "GetDeadLetter"),  # where the answer is a problem, and not the host's empty 404
        ("digests/ann/latest", "GetLatestDigest"),
        ("digests/ann/yesterday", "GetDigest"),
    ],
)
def test_a_word_of_its_own_is_not_taken_for_an_id(routes: list[Served], path: str, name: str) -> None:
    assert answering(routes, "GET", path) == name


def test_no_route_of_the_app_is_hidden(routes: list[Served]) -> None:
    assert list(hidden(routes)) == []


def test_the_first_in_the_order_of_names_hides_what_it_takes() -> None:
    assert names(get("B", "things/{id}"), get("C", "things/latest")) == [("C", "B")]
    assert names(get("c", "things/latest"), get("B", "things/{id}")) == [("c", "B")]
    assert names(get("B", "things/latest"), get("C", "things/{id}")) == []
    assert names(get("A", "x/{id}"), get("B", "x/{name}")) == [("B", "A")]
    assert names(get("A", "x/{*rest}"), get("B", "x/a/b"), get("C", "x/{id}/y")) == [("B", "A"), ("C", "A")]
    assert names(get("A", "{*rest}"), get("B", "x/{*rest}")) == [("B", "A")]
    assert names(get("A", "X/y"), get("B", "x/Y")) == [("B", "A")]


def test_a_method_of_several_counts_alone() -> None:
    assert names(get("A", "x/{id}", "POST"), get("B", "x/y")) == []
    assert names(get("A", "x/{id}", "POST", "GET"), get("B", "x/y")) == [("B", "A")]


@pytest.mark.parametrize(
    ("constraint", "literal", "lets_through"),
    [
        ("guid", "latest", True),
        ("guid", "0198c3a2-0000-7000-8000-000000000000", False),
        ("int", "latest", True),
        ("int", "12", False),
        ("alpha", "latest", False),
        ("alpha", "v2", True),
        ("length(8)", "latest", True),
        ("length(6)", "latest", False),
        ("length(2,6)", "latest", False),
        ("minlength(7)", "latest", True),
        ("maxlength(5)", "latest", True),
        ("range(1,12)", "13", True),
        ("range(1,12)", "12", False),
        ("regex(^(?!latest$))", "LATEST", True),
        ("regex(^x+$)", "xx", False),
    ],
)
def test_a_constraint_lets_others_through(constraint: str, literal: str, lets_through: bool) -> None:
    assert names(get("A", f"x/{{id:{constraint}}}"), get("B", f"x/{literal}")) == ([] if lets_through else [("B", "A")])


def test_a_constraint_hides_only_what_has_it_too() -> None:
    assert names(get("A", "x/{id:guid}"), get("B", "x/{id}")) == []
    assert names(get("A", "x/{id:guid}"), get("B", "x/{name:guid:length(36)}")) == [("B", "A")]
    assert names(get("A", "x/{id}"), get("B", "x/{name:guid}")) == [("B", "A")]


def test_what_may_be_left_out_counts_with_and_without() -> None:
    assert names(get("A", "x"), get("B", "x/{id?}")) == [("B", "A")]
    assert answering([get("A", "x/{id?}")], "GET", "x") == "A"
    assert answering([get("A", "x/{*rest}")], "GET", "x") == "A"
    assert answering([get("A", "x/{id}")], "GET", "x") is None


@pytest.mark.parametrize("template", ["x/{id:isbn}", "x/{id}.json", "x/{a?}/{b}", "x/{", "x/{id:range(a,b)}"])
def test_a_template_that_cannot_be_judged_is_refused(template: str) -> None:
    with pytest.raises(DeclarationError):
        list(hidden([get("A", template), get("B", "x/y")]))
