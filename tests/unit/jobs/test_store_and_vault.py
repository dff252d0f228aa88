"""Small pure parts of the store, the vault and the index."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uuid_utils import uuid7

from shared.jobs.dead_letters.vault import fingerprint, letter_id_of
from shared.jobs.ids import made_at, prefixes
from shared.jobs.model import Job, Status, summary
from shared.jobs.store import id_of, name_of
from shared.storage import iso

moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.timedeltas(timedelta(0), timedelta(hours=3))


def id_made_at(moment: datetime) -> str:
    nanoseconds = int(moment.timestamp() * 1e6) * 1000
    return str(uuid7(nanoseconds=nanoseconds))


@given(moments, spans, st.floats(0, 1))
def test_prefixes_cover_every_id_made_in_the_interval(since: datetime, span: timedelta, share: float) -> None:
    made = id_made_at(since + span * share)
    covering = [prefix for prefix in prefixes(since, since + span) if made.startswith(prefix)]
    assert len(covering) == 1


@given(moments, spans)
def test_prefixes_are_few_and_cover_little_beside(since: datetime, span: timedelta) -> None:
    chosen = prefixes(since, since + span)
    assert len(chosen) <= span / timedelta(milliseconds=2**20) + 2
    assert len(set(chosen)) == len(chosen)
    for outside in (since - timedelta(minutes=18), since + span + timedelta(minutes=18)):
        assert not any(id_made_at(outside).startswith(prefix) for prefix in chosen)


@given(moments)
def test_the_moment_in_an_id(moment: datetime) -> None:
    assert made_at(id_made_at(moment)) == pytest.approx(moment.timestamp(), abs=0.0021)


def test_names() -> None:
    assert id_of(name_of("x")) == "x"


@given(moments, moments)
def test_the_order_of_texts_is_that_of_times(one: datetime, other: datetime) -> None:
    east = other.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert (iso(one) < iso(east)) is (one < other)
    assert datetime.fromisoformat(iso(one)) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("timeout after 30 s", "timeout after 45 s"),
        ("no blob 5f3a9c1be2d4", "no blob 77aa00bbccdd"),
        ("GET https://a.example/x failed", "GET http://b.example/y?z=1 failed"),
        ("user 'ann' is unknown", "user 'bob' is unknown"),
        ('key "a" is missing', 'key "b" is missing'),
    ],
)
def test_failures_that_look_alike_have_one_fingerprint(one: str, other: str) -> None:
    assert fingerprint("k", "E", one) == fingerprint("k", "E", other)


def test_failures_that_differ_have_different_ones() -> None:
    shown = {fingerprint(*words) for words in (("k", "E", "a"), ("k", "E", "b"), ("k", "F", "a"), ("l", "E", "a"))}
    assert len(shown) == 4
    assert all(re.fullmatch("[0-9a-f]{12}", each) for each in shown)


@given(st.text())
def test_a_fingerprint_can_be_had_of_anything(message: str) -> None:
    fingerprint("k", "E", message.encode(errors="replace").decode())


def test_a_dead_letter_belongs_to_one_life_of_a_job() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    job = Job(
        job_id="j", kind="k", status=Status.FAILED, version=1, created_at=now, updated_at=now, due_at=now,
        payload={"secret": 1}, results={"secret": 1},
    )  # fmt: skip
    assert letter_id_of(job) == letter_id_of(job.model_copy(update={"attempt": 7, "version": 9}))
    assert letter_id_of(job) != letter_id_of(job.model_copy(update={"replays": 1}))
    assert "secret" not in str(summary(job))


def test_stalls_are_stored_under_the_name_that_records_have_always_had() -> None:
    job = Job(
        job_id=str(uuid7()), kind="work", status=Status.QUEUED, version=1, stalls=2,
        created_at=datetime.now(UTC), updated_at=datetime.now(UTC), due_at=datetime.now(UTC),
    )  # fmt: skip
    assert b'"lapses":2' in job.to_json()
    assert summary(job)["lapses"] == 2
    assert Job.model_validate_json(job.to_json()) == job
