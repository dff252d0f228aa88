"""The ledger: each scheduled moment is recorded once, run at most once, and what it costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.bootstrap import _switched_off
from shared.jobs.errors import FinalError
from shared.jobs.model import Status
from shared.jobs.testing import Faults
from shared.jobs.timers.ledger import Ledger, Rules
from shared.jobs.timers.occurrence import Occurrence, State, Trigger, job_id_of, settled, submitted, taken
from shared.jobs.timers.timer import Missed, NotAnOccurrenceError, NotRunAgainError, Timer, TimerNotFoundError
from support.lab import Lab, Work, close_lab, open_memory_lab

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
SEVEN = datetime(2026, 3, 2, 7, tzinfo=UTC)  # a Monday


def timer(missed: Missed = Missed.ONCE, schedule: str = "0 0 7 * * *", name: str = "T") -> Timer:
    return Timer(name, lambda settings: schedule, "work", missed, "Works.", payload=lambda at: {"note": at.isoformat()})


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("ledger", tmp_path)
    opened.clock.time = SEVEN - HOUR
    yield opened
    await close_lab(opened)


async def started(lab: Lab, one: Timer, rules: Rules | None = None) -> Ledger:
    """A ledger that knows its timer since an hour before its first occurrence."""
    ledger = Ledger(lab.engine, [one], rules)
    await ledger.account()
    lab.clock.time = SEVEN
    return ledger


async def entries(ledger: Ledger) -> list[Occurrence]:
    found, _ = await ledger.occurrences.page("T", 200)
    return found[::-1]


async def states(ledger: Ledger) -> list[str]:
    return [each.state.value for each in await entries(ledger)]


async def test_an_occurrence_is_taken_submitted_and_settled(lab: Lab) -> None:
    ledger = await started(lab, timer())
    lab.clock.advance(3)
    entry = await ledger.tick("T")
    assert entry is not None
    assert (entry.scheduled_at, entry.state, entry.trigger) == (SEVEN, State.SUBMITTED, Trigger.SCHEDULE)
    assert (entry.lateness_seconds, entry.job_id) == (3, job_id_of("T", SEVEN))
    lab.clock.advance(40)
    await lab.pump()
    await ledger.account()
    (entry,) = await entries(ledger)
    assert (entry.state, entry.duration_seconds, entry.watch_at) == (State.COMPLETED, 40, None)
    assert len(lab.runs) == 1


async def test_what_is_shown_follows_the_job_before_the_next_accounting(lab: Lab) -> None:
    ledger = await started(lab, timer())
    await ledger.tick("T")
    lab.clock.advance(40)
    await lab.pump()
    (written,) = await entries(ledger)
    assert written.state is State.SUBMITTED
    (entry,), _ = await ledger.page("T", 10)
    assert (entry.state, entry.duration_seconds) == (State.COMPLETED, 40)
    report = await ledger.report("T")
    assert report.last is not None
    assert (report.last.state, report.last_success_at) == (State.COMPLETED, entry.ended_at)
    assert (await ledger.page("T", 10, state=State.SUBMITTED))[0] == []


async def test_what_is_to_come_is_reckoned_from_now_on(lab: Lab) -> None:
    ledger = await started(lab, timer())
    assert ledger.upcoming("T", SEVEN - 5 * DAY, SEVEN + 10 * DAY, 2) == [SEVEN + DAY, SEVEN + 2 * DAY]
    assert ledger.upcoming("T", SEVEN + 8 * DAY, SEVEN + 10 * DAY, 9) == [SEVEN + 9 * DAY, SEVEN + 10 * DAY]
    switched_off = Ledger(lab.engine, [timer()], Rules(off=frozenset({"T"})))
    assert switched_off.upcoming("T", SEVEN, SEVEN + DAY, 9) == []


async def test_what_a_tick_and_an_accounting_cost(lab: Lab) -> None:
    await started(lab, timer())
    faults = Faults()
    lab.start(faults)
    ledger = Ledger(lab.engine, [timer(), timer(name="U"), timer(name="V")])
    await ledger.account()
    faults.calls.clear()
    await ledger.account()
    assert faults.calls == ["occurrences.query"]
    faults.calls.clear()
    await ledger.tick("T")
    assert sorted(faults.calls) == [
        "blobs.create", "jobs.put", "occurrences.create", "occurrences.read", "occurrences.replace",
        "occurrences.replace", "queues.send",
    ]  # fmt: skip
    await lab.pump()
    faults.calls.clear()
    await ledger.account()
    assert faults.calls == ["occurrences.query", "blobs.read", "occurrences.read", "occurrences.replace"]


async def test_many_instances_at_once_make_one_job(lab: Lab) -> None:
    await started(lab, timer())
    ledgers = [Ledger(lab.engine, [timer()]) for _ in range(6)]
    await asyncio.gather(*(ledger.tick("T") for ledger in ledgers), *(ledger.account() for ledger in ledgers))
    lab.clock.advance(130)
    await asyncio.gather(*(ledger.account() for ledger in ledgers), *(ledger.tick("T") for ledger in ledgers))
    await lab.pump()
    await ledgers[0].account()
    assert await states(ledgers[0]) == ["completed"]
    assert len(lab.runs) == 1


async def test_a_fresh_app_has_no_gap_but_notices_what_comes(lab: Lab) -> None:
    lab.clock.time = SEVEN + HOUR
    ledger = Ledger(lab.engine, [timer(Missed.SKIP)])
    await ledger.account()
    assert await entries(ledger) == []
    lab.clock.time += DAY
    await ledger.account()
    assert await states(ledger) == ["missed"]


async def test_a_trigger_that_fires_first_of_all_is_believed(lab: Lab) -> None:
    lab.clock.time = SEVEN + timedelta(seconds=1)
    assert await Ledger(lab.engine, [timer(Missed.SKIP)]).tick("T") is not None


async def test_a_timer_that_fires_a_little_early_means_the_coming_moment(lab: Lab) -> None:
    ledger = await started(lab, timer())
    lab.clock.time = SEVEN - timedelta(seconds=1)
    await ledger.tick("T")
    lab.clock.time = SEVEN + timedelta(seconds=1)
    await ledger.tick("T")
    (entry,) = await entries(ledger)
    assert (entry.scheduled_at, entry.lateness_seconds) == (SEVEN, 0)


async def test_once_makes_up_for_all_that_was_missed_with_one_run(lab: Lab) -> None:
    ledger = await started(lab, timer(Missed.ONCE))
    lab.clock.time = SEVEN + 3 * DAY + HOUR
    await ledger.tick("T", past_due=True)
    found = await entries(ledger)
    assert [each.state for each in found] == [State.SKIPPED] * 3 + [State.SUBMITTED]
    assert found[-1].trigger is Trigger.CATCH_UP
    assert all("2026-03-05T07:00:00" in (each.reason or "") for each in found[:-1])


async def test_skip_makes_up_for_nothing(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    ledger = await started(lab, timer(Missed.SKIP))
    lab.clock.time = SEVEN + 2 * DAY + HOUR
    assert await ledger.tick("T", past_due=True) is None
    assert await states(ledger) == ["missed"] * 3
    assert [record.levelname for record in caplog.records if "missed" in record.getMessage()] == ["ERROR"]


async def test_the_accounting_begins_what_no_trigger_began(lab: Lab) -> None:
    ledger = await started(lab, timer(Missed.SKIP))
    lab.clock.advance(119)
    await ledger.account()
    assert await entries(ledger) == []
    lab.clock.advance(2)
    await ledger.account()
    assert await states(ledger) == ["submitted"]


async def test_within_the_grace_an_occurrence_is_itself_and_after_it_missed(lab: Lab) -> None:
    rules = Rules(grace=10 * MINUTE)
    ledger = await started(lab, timer(Missed.SKIP), rules)
    lab.clock.time = SEVEN + 10 * MINUTE
    await ledger.tick("T", past_due=True)
    lab.clock.time = SEVEN + DAY + 10 * MINUTE + timedelta(seconds=1)
    await ledger.tick("T", past_due=True)
    assert await states(ledger) == ["submitted", "missed"]


@pytest.mark.simulation
async def test_a_year_of_hours_is_recorded_in_bounded_steps(lab: Lab) -> None:
    faults = Faults()
    ledger = await started(lab, timer(Missed.ONCE, "0 0 * * * *"))
    lab.clock.time += 365 * DAY + 3 * MINUTE
    lab.start(faults)
    ledger, steps = Ledger(lab.engine, ledger.timers.values()), 0
    while steps < 30:
        faults.calls.clear()
        await ledger.account()
        assert len(faults.calls) < 530
        steps += 1
        head = await ledger.occurrences.head("T")
        if head and head.value.accounted_until == SEVEN + 365 * DAY:
            break
    assert steps == 18
    found, cursor = await ledger.occurrences.page("T", 10_000)
    assert cursor is None
    assert [each.scheduled_at for each in found] == [SEVEN + 365 * DAY - n * HOUR for n in range(365 * 24 + 1)]
    assert len([each for each in found if each.job_id]) == 1


async def test_an_edited_schedule_is_reckoned_anew_without_catching_up(lab: Lab) -> None:
    await started(lab, timer(Missed.ONCE))
    lab.clock.time = SEVEN + 3 * DAY
    edited = Ledger(lab.engine, [timer(Missed.ONCE, "0 0 5 * * *")])
    await edited.account()
    assert await entries(edited) == []
    lab.clock.time = SEVEN + 4 * DAY
    await edited.account()
    (entry,) = await entries(edited)
    assert (entry.scheduled_at, entry.schedule) == (SEVEN + 4 * DAY - 2 * HOUR, "0 0 5 * * *")


async def test_a_clock_that_ran_ahead_costs_no_occurrence(lab: Lab) -> None:
    ledger = await started(lab, timer(Missed.SKIP))
    lab.clock.time = SEVEN + 2 * DAY + HOUR
    await ledger.account()
    lab.clock.time = SEVEN + timedelta(seconds=1)
    await ledger.tick("T")
    lab.clock.time = SEVEN + DAY + timedelta(seconds=1)
    await Ledger(lab.engine, [timer(Missed.SKIP)]).tick("T")
    assert await states(ledger) == ["submitted", "submitted", "missed"]
    assert "missed before" in ((await entries(ledger))[0].reason or "")


async def test_a_timer_that_is_switched_off_is_left_alone_and_accounted_for(lab: Lab) -> None:
    ledger = await started(lab, timer(Missed.ONCE), Rules(off=frozenset({"T"})))
    lab.clock.time = SEVEN + DAY + HOUR
    await ledger.account()
    assert [(each.state, each.reason) for each in await entries(ledger)] == [
        (State.SKIPPED, "the timer is switched off")
    ] * 2
    assert (await ledger.report("T")).reason.startswith("switched off")
    assert _switched_off("T", {"AzureWebJobs_T_Disabled": "true"})
    assert not _switched_off("T", {"AzureWebJobs.U.Disabled": "true", "AzureWebJobs.T.Disabled": "0"})


async def test_a_failed_job_fails_its_occurrence_and_a_replay_mends_it(lab: Lab) -> None:
    async def refuse(payload: Work, job: Any) -> Any:
        raise FinalError("on purpose")

    ledger = await started(lab, timer())
    ordinary, lab.script = lab.script, refuse
    entry = await ledger.tick("T")
    assert entry
    assert entry.job_id
    await lab.pump()
    await ledger.account()
    (failed,) = await entries(ledger)
    assert (failed.state, failed.reason) == (State.FAILED, "its job failed: FinalError")
    with pytest.raises(NotRunAgainError, match=entry.job_id):
        await ledger.run("T", SEVEN)
    lab.script = ordinary
    await lab.engine.replays.one((await lab.job(entry.job_id)).dead_letter_id or "")
    lab.clock.advance(600)
    await ledger.account()
    assert await states(ledger) == ["submitted"]
    await lab.pump()
    await ledger.account()
    (mended,) = await entries(ledger)
    assert (mended.state, mended.duration_seconds) == (State.COMPLETED, 600)
    assert (await ledger.run("T", SEVEN)).duplicate


async def test_a_cancelled_job_is_not_looked_at_again(lab: Lab) -> None:
    ledger = await started(lab, timer())
    entry = await ledger.tick("T")
    assert entry
    await lab.engine.cancel(entry.job_id or "")
    await ledger.account()
    (cancelled,) = await entries(ledger)
    assert (cancelled.state, cancelled.reason, cancelled.watch_at) == (State.FAILED, "its job was cancelled", None)
    with pytest.raises(NotRunAgainError, match="cancelled"):
        await ledger.run("T", SEVEN)


async def test_a_failed_one_is_looked_at_ever_less_often(lab: Lab) -> None:
    ticket = await lab.submit()
    failed = ticket.job.model_copy(update={"status": Status.FAILED, "due_at": SEVEN})
    entry, looks = submitted(taken("T", SEVEN, SEVEN, Trigger.SCHEDULE, None), ticket.job), [SEVEN]
    while looks[-1] < SEVEN + 400 * DAY:
        entry = settled(entry, failed, looks[-1])
        assert entry.watch_at is not None
        looks.append(entry.watch_at)
    assert looks[1] - looks[0] == 5 * MINUTE
    assert len(looks) < 250


async def test_a_missed_occurrence_is_made_up_by_hand_once(lab: Lab) -> None:
    ledger = await started(lab, timer(Missed.SKIP))
    lab.clock.time = SEVEN + 2 * DAY + HOUR
    await ledger.account()
    tickets = await asyncio.gather(*(Ledger(lab.engine, [timer(Missed.SKIP)]).run("T", SEVEN + DAY) for _ in range(5)))
    assert len({ticket.job.job_id for ticket in tickets}) == 1
    await lab.pump()
    assert len(lab.runs) == 1
    await ledger.account()
    assert await states(ledger) == ["missed", "completed", "missed"]
    assert (await ledger.run("T", SEVEN + DAY)).duplicate


async def test_an_occurrence_from_before_the_app_can_be_made_up(lab: Lab) -> None:
    ledger = await started(lab, timer(Missed.SKIP))
    ticket = await ledger.run("T", SEVEN - 7 * DAY)
    assert ticket.job.payload == {"n": 1, "key": "", "note": (SEVEN - 7 * DAY).isoformat()}


async def test_a_run_by_hand_is_an_occurrence_of_its_own(lab: Lab) -> None:
    ledger = await started(lab, timer())
    lab.clock.time = SEVEN + HOUR + timedelta(milliseconds=300)
    first, second = await ledger.run("T"), await ledger.run("T")
    assert (first.job.job_id, second.duplicate) == (second.job.job_id, True)
    found = [each for each in await entries(ledger) if each.trigger is Trigger.MANUAL]
    assert [(each.scheduled_at, each.schedule) for each in found] == [(SEVEN + HOUR, None)]


@pytest.mark.parametrize(
    "moment",
    [
        SEVEN + MINUTE,
        SEVEN + DAY,
        SEVEN - 500 * DAY,
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=UTC),
    ],
)
async def test_what_is_no_past_occurrence_is_refused_with_the_nearest(lab: Lab, moment: datetime) -> None:
    ledger = await started(lab, timer())
    with pytest.raises(NotAnOccurrenceError, match="2026-03-02T07:00"):
        await ledger.run("T", moment)
    assert await entries(ledger) == []


async def test_an_unknown_timer(lab: Lab) -> None:
    ledger = await started(lab, timer())
    for call in (ledger.tick("X"), ledger.run("X"), ledger.report("X")):
        with pytest.raises(TimerNotFoundError):
            await call


async def test_one_broken_timer_keeps_no_other_from_its_turn(lab: Lab) -> None:
    broken = Timer("A", lambda settings: "0 0 7 * * *", "no-such-kind", Missed.ONCE, "Is broken.")
    lab.clock.time = SEVEN - HOUR
    ledger = Ledger(lab.engine, [broken, timer()])
    await ledger.account()
    lab.clock.time = SEVEN + HOUR
    await ledger.account()
    assert await states(ledger) == ["submitted"]
    (due,) = (await ledger.occurrences.page("A", 10))[0]
    assert due.state is State.DUE


async def test_finished_entries_expire_and_unfinished_ones_never(lab: Lab) -> None:
    ledger = await started(lab, timer(), Rules(keep=10 * DAY))
    await ledger.tick("T")
    lab.clock.advance(30 * DAY.total_seconds())
    assert await states(ledger) == ["submitted"]
    await lab.pump()
    await Ledger(lab.engine, [timer()], Rules(keep=10 * DAY)).account()
    found = await entries(ledger)
    assert found[0].state is State.COMPLETED
    await lab.settled(found[0].job_id or "", Status.COMPLETED)
    lab.clock.advance(10 * DAY.total_seconds())
    assert SEVEN not in [each.scheduled_at for each in await entries(ledger)]
