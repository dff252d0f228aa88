"""What a message means for its job."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.decide import SLACK, Claim, ClaimReplay, Decision, Drop, GiveUpStalled, PutBack, decide
from shared.jobs.envelope import Delivery
from shared.jobs.model import Job, Status

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
SENT = NOW - timedelta(minutes=9)
EARLIER, LATER = NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)


def job_of(status: Status, due_at: datetime = NOW, stalls: int = 0, message_id: str | None = "mine") -> Job:
    return Job(
        job_id="01a20266-6806-72a8-822d-9c048db10d4c", kind="work", status=status, version=5, created_at=EARLIER,
        updated_at=EARLIER, due_at=due_at, stalls=stalls, attempt=1, message_id=message_id,
        dead_letter_id="letter" if status is Status.FAILED else None,
    )  # fmt: skip


def delivery(message_id: str = "other", inserted_at: datetime | None = EARLIER) -> Delivery:
    return Delivery("q", message_id, b"", inserted_at)


def decision(
    job: Job,
    message: Delivery,
    dead_letter: str | None = None,
    written_at: datetime | None = EARLIER,
    max_stalls: int = 3,
    sent_at: datetime = SENT,
) -> Decision:
    return decide(
        job, message, dead_letter=dead_letter, sent_at=sent_at, written_at=written_at, max_stalls=max_stalls, now=NOW
    )


@pytest.mark.parametrize(
    ("job", "message", "expected"),
    [
        (job_of(Status.QUEUED), delivery(), Claim()),
        (job_of(Status.QUEUED, NOW + SLACK), delivery(), Claim()),
        (job_of(Status.QUEUED, LATER), delivery(), PutBack(LATER)),
        (job_of(Status.RUNNING, LATER), delivery(), PutBack(LATER)),
        (job_of(Status.RUNNING, LATER), delivery("mine"), Claim()),
        (job_of(Status.RUNNING, EARLIER), delivery(), Claim()),
        (job_of(Status.RUNNING, NOW), delivery(), Claim()),
        (job_of(Status.RUNNING, EARLIER, stalls=2), delivery(), Claim()),
        (job_of(Status.RUNNING, EARLIER, stalls=3), delivery(), GiveUpStalled()),
        (job_of(Status.RUNNING, LATER, stalls=3), delivery("mine"), GiveUpStalled()),
        (job_of(Status.RUNNING, LATER, stalls=3), delivery(), PutBack(LATER)),
        (job_of(Status.RUNNING, EARLIER, stalls=3).model_copy(update={"cancel_requested": True}), delivery(), Claim()),
    ],
)
def test_a_job_that_is_not_final(job: Job, message: Delivery, expected: Decision) -> None:
    assert decision(job, message) == expected


@pytest.mark.parametrize(
    ("message", "dead_letter", "written_at", "of_the_host", "of_an_attempt"),
    [
        (delivery(), "letter", EARLIER, True, True),
        (delivery(inserted_at=None), "letter", None, True, True),
        (delivery(), "letter of another life", EARLIER, False, False),
        (delivery(inserted_at=LATER), "letter of another life", EARLIER, False, False),
        (delivery(inserted_at=LATER), None, EARLIER, True, False),
        (delivery(inserted_at=EARLIER), None, EARLIER, False, False),
        (delivery(inserted_at=EARLIER), None, LATER, False, False),
        (delivery(inserted_at=None), None, EARLIER, False, False),
        (delivery(inserted_at=LATER), None, None, False, False),
    ],
)
def test_a_failed_job_runs_again_for_a_replay_alone(
    message: Delivery, dead_letter: str | None, written_at: datetime | None, of_the_host: bool, of_an_attempt: bool
) -> None:
    for given_up, replays in ((SENT, of_the_host), (None, of_an_attempt), (EARLIER, of_an_attempt)):
        job = job_of(Status.FAILED).model_copy(update={"given_up": given_up})
        answer = decision(job, message, dead_letter, written_at)
        assert isinstance(answer, ClaimReplay if replays else Drop)


moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
deliveries = st.builds(
    Delivery, st.just("q"), st.sampled_from(["mine", "other"]), st.just(b""), st.none() | moments, st.integers(1, 9)
)


@given(
    st.sampled_from([Status.COMPLETED, Status.CANCELLED]),
    deliveries,
    moments,
    st.none() | st.text(),
    st.none() | moments,
)
def test_what_is_completed_or_cancelled_never_runs_again(
    status: Status, message: Delivery, due_at: datetime, dead_letter: str | None, written_at: datetime | None
) -> None:
    assert isinstance(decision(job_of(status, due_at), message, dead_letter, written_at), Drop)


@given(deliveries, st.integers(1, 10**6), st.integers(0, 9), st.none() | st.text())
def test_a_live_lease_is_respected_by_every_other_message(
    message: Delivery, seconds: int, stalls: int, dead_letter: str | None
) -> None:
    lease_end = NOW + timedelta(seconds=seconds)
    answer = decision(job_of(Status.RUNNING, lease_end, stalls), message, dead_letter)
    if message.message_id != "mine":
        assert answer == PutBack(lease_end)
    else:
        assert answer == (Claim() if stalls < 3 else GiveUpStalled())
