"""Reading requests: what does not fit is a problem that names the field, and never an error of the app."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from shared.jobs.dead_letters.vault import Filter
from shared.storage import iso
from shared.web.answers import Problem
from shared.web.requests import LARGEST_BODY, read_json, read_limit, read_moment, read_uuid, validating

JOB_ID = "01a20266-6806-72a8-822d-9c048db10d4c"


def problem_of(body: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        read_json(body)
    return caught.value


def test_an_object_is_read() -> None:
    assert read_json('{"a": [1, "ü"]}'.encode()) == {"a": [1, "ü"]}


@pytest.mark.parametrize("body", [b"", b"  ", b"\n"])
def test_an_empty_body_may_be_an_empty_object(body: bytes) -> None:
    assert read_json(body, optional=True) == {}
    assert problem_of(body).status == 400


@pytest.mark.parametrize(
    "body",
    [b"{", b"{'a': 1}", b'{"a": NaN}', b'{"a": Infinity}', b'{"a": -Infinity}', b'{"a": "\xff"}', b"a=1&b=2",
     b'{"a":' * 100_000, b"[" * 100_000, b'{"a": ' + b"9" * 5000 + b"}"],
)  # fmt: skip
def test_what_is_not_json(body: bytes) -> None:
    assert (problem_of(body).status, problem_of(body).title) == (400, "Not JSON")


@pytest.mark.parametrize("body", [b"[]", b"1", b'"a"', b"null", b"true"])
def test_what_is_no_object(body: bytes) -> None:
    assert (problem_of(body).status, problem_of(body).title) == (400, "Not an object")


def test_the_largest_body() -> None:
    empty = len(b'{"a":""}')
    assert len(read_json(b'{"a":"' + b"x" * (LARGEST_BODY - empty) + b'"}')["a"]) == LARGEST_BODY - empty
    assert problem_of(b'{"a":"' + b"x" * (LARGEST_BODY - empty + 1) + b'"}').status == 413


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_problem(body: bytes) -> None:
    answer = None
    try:
        content = read_json(body)
    except Problem as problem:
        answer = problem.answer()
    else:
        assert isinstance(content, dict)
    assert answer is None or json.loads(answer.body)["status"] == 400


class Pair(BaseModel):
    a: int
    b: list[int] = []


def test_validation_names_each_field_and_no_value() -> None:
    with pytest.raises(Problem) as caught, validating():
        Pair.model_validate({"a": "secret", "b": [1, "secret"]})
    assert (caught.value.status, [error.field for error in caught.value.errors]) == (422, ["a", "b.1"])
    assert caught.value.detail == "these fields do not fit: a, b.1"
    assert b"secret" not in caught.value.answer().body


@pytest.mark.parametrize("text", [JOB_ID, JOB_ID.upper(), JOB_ID.replace("-", ""), "{" + JOB_ID + "}"])
def test_a_uuid_in_its_usual_form(text: str) -> None:
    assert read_uuid(text, "job_id") == JOB_ID


@given(st.text(max_size=40))
def test_any_text_is_a_uuid_or_a_problem(text: str) -> None:
    refused = None
    try:
        read = read_uuid(text, "job_id")
    except Problem as problem:
        refused = problem
    else:
        assert len(read) == 36
    assert refused is None or (refused.status, refused.errors[0].field) == (400, "job_id")


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("200", 200), ("007", 7)])
def test_a_limit(text: str, limit: int) -> None:
    assert read_limit({"limit": text}) == limit
    assert read_limit({}) == 50


@pytest.mark.parametrize("text", ["0", "201", "-1", "1.0", "", "ten", "²", "٣", " 5", "9" * 5000])
def test_what_is_no_limit(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_limit({"limit": text})
    assert (caught.value.status, caught.value.errors[0].field) == (422, "limit")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-05T12:00:00Z", datetime(2026, 1, 5, 12, tzinfo=UTC)),
        ("2026-01-05T12:00:00", datetime(2026, 1, 5, 12, tzinfo=UTC)),
        ("2026-01-05", datetime(2026, 1, 5, tzinfo=UTC)),
        ("2026-01-05T12:00:00+02:00", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("2026-01-05T12:00:00 02:00", datetime(2026, 1, 5, 10, tzinfo=UTC)),
    ],
)
def test_a_moment(text: str, moment: datetime) -> None:
    assert read_moment({"since": text}, "since") == moment


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "1736078400", "2026-01-05T25:00"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(Problem) as caught:
        read_moment({"since": text}, "since")
    assert (caught.value.status, caught.value.errors[0].field) == (422, "since")


def test_no_moment_is_none() -> None:
    assert read_moment({}, "since") is None


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_moment_beyond_the_calendar_is_a_problem(text: str) -> None:
    with pytest.raises(Problem) as caught, validating():
        Filter.model_validate({"since": read_moment({"since": text}, "since")})
    assert caught.value.errors[0].field == "since"


def test_moments_of_a_filter_are_utc_where_they_name_no_zone() -> None:
    wanted = Filter.model_validate({"since": "2026-01-05T12:00:00"})
    assert wanted.since == datetime(2026, 1, 5, 12, tzinfo=UTC)


def test_early_years_sort_before_late_ones() -> None:
    assert iso(datetime(999, 1, 1, tzinfo=UTC)) < iso(datetime(2026, 1, 1, tzinfo=UTC))
