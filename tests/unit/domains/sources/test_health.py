"""How sources fare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domains.sources.health import Patience, after, next_due, rest_seconds
from shared.domains.sources.model import Health, Run, RunOutcome, Source, SourceKind

NOW = datetime(2026, 1, 5, 7, tzinfo=UTC)
HOUR = 3600.0
PATIENCE = Patience(6 * HOUR, 7 * 24 * HOUR, 10)


def source(**fields: object) -> Source:
    made = {"id": "s", "kind": SourceKind.RSS, "label": "s", "created_at": NOW, "updated_at": NOW, "due_at": NOW}
    return Source.model_validate(made | fields)


def ended(outcome: RunOutcome, at: datetime = NOW) -> Run:
    return Run(at=at, outcome=outcome, job_id="j", error="it is away" if outcome is RunOutcome.FAILED else None)


def test_a_daily_source_is_due_at_the_next_days_timer() -> None:
    late = NOW + timedelta(minutes=20)
    done = after(source(), ended(RunOutcome.SCRAPED, late), PATIENCE)
    assert done.health is Health.HEALTHY
    assert done.last_success_at == late
    assert late < done.due_at <= NOW + timedelta(days=1)


def test_failures_in_a_row_and_a_success_between() -> None:
    failed = after(after(source(), ended(RunOutcome.FAILED), PATIENCE), ended(RunOutcome.FAILED), PATIENCE)
    assert (failed.failures, failed.health, failed.last_success_at) == (2, Health.FAILING, None)
    assert after(failed, ended(RunOutcome.UNCHANGED), PATIENCE).failures == 0


def test_it_is_switched_off_with_the_reason() -> None:
    failing = source()
    for number in range(1, 11):
        failing = after(failing, ended(RunOutcome.FAILED), PATIENCE)
        assert failing.active is (number < 10)
    assert failing.health is Health.SWITCHED_OFF
    assert failing.switched_off_reason == "it failed 10 times in a row; the last time: it is away"
    assert source(active=False).health is Health.INACTIVE


@given(st.integers(1, 200))
def test_it_rests_longer_each_time_and_never_for_ever(failures: int) -> None:
    rest = rest_seconds(failures, PATIENCE)
    assert rest <= rest_seconds(failures + 1, PATIENCE) <= PATIENCE.max_seconds
    failed = after(source(failures=failures - 1), ended(RunOutcome.FAILED), PATIENCE)
    assert failed.due_at >= next_due(failed, NOW)
    assert failed.due_at <= NOW + timedelta(seconds=PATIENCE.max_seconds)
