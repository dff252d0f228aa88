"""Answers: problems, ETags and what they match."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.errors import FieldProblem
from shared.web.answers import Problem, cached_answer, json_answer, matches, quoted


def test_a_problem_says_what_where_and_when() -> None:
    problem = Problem(422, "Invalid input", "two fields", (FieldProblem("a.b", "expected"),), retry_after=5)
    answer = problem.answer("/api/x")
    assert (answer.status, answer.content_type, answer.headers) == (
        422,
        "application/problem+json",
        {"Retry-After": "5"},
    )
    assert json.loads(answer.body) == {
        "type": "/api/problems/invalid-input", "title": "Invalid input", "status": 422, "detail": "two fields", "instance": "/api/x",
        "errors": [{"field": "a.b", "message": "expected"}],
    }  # fmt: skip


def test_a_field_name_that_is_no_text_is_told_all_the_same() -> None:
    answer = Problem(422, "Invalid input", errors=(FieldProblem("\ud800", "unknown"),)).answer()
    assert json.loads(answer.body)["errors"][0]["message"] == "unknown"


@pytest.mark.parametrize(
    ("header", "covered"),
    [
        ('"a"', True),
        ('W/"a"', True),
        ('"b"', False),
        ('"b", "a"', True),
        ('"b",W/"a" , "c"', True),
        ("*", True),
        (" * ", True),
        ("a", False),
        ('"A"', False),
        ('"a', False),
        (",,", False),
    ],
)
def test_if_none_match(header: str, covered: bool) -> None:
    assert matches(header, '"a"') is covered
    assert matches(header, 'W/"a"') is covered


@given(st.text())
def test_any_header_is_answered(header: str) -> None:
    assert isinstance(matches(header, '"a"'), bool)


def test_a_client_that_holds_it_gets_no_body() -> None:
    answer = cached_answer({"a": 1}, "x", '"x"', {"Retry-After": "2"})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.headers == {"ETag": '"x"', "Cache-Control": "no-cache", "Retry-After": "2"}


@pytest.mark.parametrize("header", [None, "", '"y"'])
def test_a_client_that_does_not_gets_it(header: str | None) -> None:
    answer = cached_answer({"a": 1}, "x", header)
    assert (answer.status, answer.body, answer.headers["ETag"]) == (200, b'{"a":1}', '"x"')


@pytest.mark.parametrize(("etag", "tag"), [("x", '"x"'), ('"x"', '"x"'), ('W/"x"', 'W/"x"')])
def test_a_tag_is_quoted_once(etag: str, tag: str) -> None:
    assert quoted(etag) == tag


def test_json_is_small_and_readable() -> None:
    assert json_answer({"ü": [1, None]}, 201).body == '{"ü":[1,null]}'.encode()
