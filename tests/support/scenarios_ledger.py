"""Scenarios of the ledger for the crash sweep: no occurrence is lost, and none has two jobs."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.jobs.errors import FinalError
from shared.jobs.model import Status
from shared.jobs.testing import Died, Faults, Mode
from shared.jobs.timers.ledger import Ledger
from shared.jobs.timers.occurrence import Occurrence, State, Trigger
from shared.jobs.timers.timer import Missed, Timer
from support.lab import Work, succeed
from support.scenarios import Scenario, Step, Trial

_DAY = timedelta(days=1)
_ENDED = (State.COMPLETED, State.FAILED, State.SKIPPED, State.MISSED)


def _timer(trial: Trial, missed: Missed) -> Timer:
    return Timer(
        f"{missed}-{trial.key}",
        schedule=lambda settings: "0 0 7 * * *",
        kind="work",
        missed=missed,
        meaning="Works.",
        payload=lambda scheduled_at: {"n": 7, "note": scheduled_at.isoformat()},
    )


def _ledger(trial: Trial) -> Ledger:
    """The ledger of a process that has just started."""
    return Ledger(trial.lab.engine, (_timer(trial, Missed.ONCE), _timer(trial, Missed.SKIP)))


def _name(trial: Trial, missed: Missed) -> str:
    return _timer(trial, missed).name


def _first(trial: Trial) -> datetime:
    """The moment of the first occurrence of a trial."""
    start: datetime = vars(trial)["start"]
    return start


async def _known(trial: Trial) -> None:
    """An hour before the first occurrence, the timers are known."""
    clock = trial.lab.clock
    first = (datetime.now(UTC) + _DAY).replace(hour=7, minute=0, second=0, microsecond=0)
    vars(trial)["start"] = first
    clock.time = first - timedelta(hours=1)
    await _ledger(trial).account()
    clock.time = first


async def _gap(trial: Trial) -> None:
    """Two occurrences were missed, and the third is three hours late."""
    await _known(trial)
    trial.lab.clock.time += 2 * _DAY + timedelta(hours=3)


async def _missed(trial: Trial) -> None:
    await _gap(trial)
    await _ledger(trial).account()


async def _ran(trial: Trial) -> None:
    await _known(trial)
    await _ledger(trial).tick(_name(trial, Missed.ONCE))
    await trial.lab.pump()


async def _left(trial: Trial) -> None:
    """The process died between the receipt of an occurrence and its job."""
    await _known(trial)
    trial.lab.start(Faults(only="blobs.create".__eq__, mode=Mode.DIE_BEFORE))
    with suppress(Died):
        await _ledger(trial).tick(_name(trial, Missed.ONCE))
    trial.lab.start()
    trial.lab.clock.advance(300)


async def _replayed(trial: Trial) -> None:
    """Its job failed, which the ledger has noted; then it was replayed."""

    async def refuse(payload: Work, job: Any) -> Any:
        raise FinalError("on purpose")

    lab = trial.lab
    lab.script = refuse
    await _ran(trial)
    await _ledger(trial).account()
    (entry,) = await _entries(trial, Missed.ONCE)
    assert entry.state is State.FAILED
    lab.script = succeed
    await lab.engine.replays.one((await lab.job(entry.job_id or "")).dead_letter_id or "")
    await lab.pump()
    lab.clock.advance(600)


def _tick(missed: Missed, *, past_due: bool = False) -> Step:
    async def act(trial: Trial) -> None:
        await _ledger(trial).tick(_name(trial, missed), past_due=past_due)

    return act


async def _account(trial: Trial) -> None:
    await _ledger(trial).account()


async def _run(trial: Trial) -> None:
    ticket = await _ledger(trial).run(_name(trial, Missed.SKIP))
    trial.tickets.append(ticket.job.job_id)


async def _make_up(trial: Trial) -> None:
    ticket = await _ledger(trial).run(_name(trial, Missed.SKIP), _first(trial) + _DAY)
    trial.tickets.append(ticket.job.job_id)


async def _entries(trial: Trial, missed: Missed) -> list[Occurrence]:
    found, _ = await _ledger(trial).occurrences.page(_name(trial, missed), 50)
    return found[::-1]


async def _calm(trial: Trial, missed: Missed) -> list[Occurrence]:
    """A timer's entries once all are settled. Each job is one entry's and ended well, and nothing ran beside them."""
    for _ in range(12):
        await trial.lab.engine.sweep()
        await _ledger(trial).account()
        await trial.lab.pump()
        if all(each.state in _ENDED for each in await _everything(trial)):
            break
        trial.lab.clock.advance(310)
    everything = await _everything(trial)
    jobs = [each.job_id for each in everything if each.job_id]
    assert len(jobs) == len(set(jobs))
    assert {job_id for job_id, _ in trial.lab.runs} == set(jobs)
    for each in everything:
        assert (each.job_id is None) == each.state.passed_over, each
        if each.job_id:
            assert (await trial.lab.settled(each.job_id, Status.COMPLETED)).results == {"n": 7}
    return await _entries(trial, missed)


async def _everything(trial: Trial) -> list[Occurrence]:
    return [each for missed in Missed for each in await _entries(trial, missed)]


def _expect(missed: Missed, *states: State, trigger: Trigger | None = None) -> Step:
    """Occurrences from the first one on, in these states; the last of them begun for this reason."""

    async def check(trial: Trial) -> None:
        entries = await _calm(trial, missed)
        assert [each.state for each in entries] == list(states)
        assert [each.scheduled_at for each in entries] == [_first(trial) + n * _DAY for n in range(len(states))]
        assert trigger in (None, entries[-1].trigger)

    return check


async def _on_time_or_missed(trial: Trial) -> None:
    """By the time that all is calm again it may be too late to begin: then nothing ran."""
    (entry,) = await _calm(trial, Missed.SKIP)
    assert entry.state in (State.COMPLETED, State.MISSED)


async def _by_hand(trial: Trial) -> None:
    """One run, whoever asked twice, beside the occurrence itself."""
    entries = [each for each in await _calm(trial, Missed.SKIP) if each.schedule is None]
    assert [each.state for each in entries] == [State.COMPLETED]
    assert set(trial.tickets) == {entries[0].job_id}


async def _quarter_past(trial: Trial) -> None:
    await _known(trial)
    trial.lab.clock.advance(-900)


async def _made_up(trial: Trial) -> None:
    entries = await _calm(trial, Missed.SKIP)
    expected = [State.MISSED, State.COMPLETED, State.MISSED]
    assert [each.state for each in entries] == expected
    assert entries[1].trigger is Trigger.MANUAL
    assert set(trial.tickets) == {entries[1].job_id}


_S = State
SCENARIOS = (
    Scenario("tick", _tick(Missed.ONCE), _expect(Missed.ONCE, _S.COMPLETED), arrange=_known),
    Scenario("tick of a timer that skips", _tick(Missed.SKIP), _on_time_or_missed, arrange=_known),
    Scenario(
        "tick after a gap", _tick(Missed.ONCE, past_due=True),
        _expect(Missed.ONCE, _S.SKIPPED, _S.SKIPPED, _S.COMPLETED, trigger=Trigger.CATCH_UP), arrange=_gap,
    ),
    Scenario(
        "tick after a gap of a timer that skips", _tick(Missed.SKIP, past_due=True),
        _expect(Missed.SKIP, _S.MISSED, _S.MISSED, _S.MISSED), arrange=_gap,
    ),
    Scenario(
        "account for a gap", _account,
        _expect(Missed.ONCE, _S.SKIPPED, _S.SKIPPED, _S.COMPLETED, trigger=Trigger.CATCH_UP), arrange=_gap,
    ),
    Scenario("account for a job that ended", _account, _expect(Missed.ONCE, _S.COMPLETED), arrange=_ran),
    Scenario("account for an occurrence left behind", _account, _expect(Missed.ONCE, _S.COMPLETED), arrange=_left),
    Scenario("account for a replayed job", _account, _expect(Missed.ONCE, _S.COMPLETED), arrange=_replayed),
    Scenario("run a timer by hand", _run, _by_hand, arrange=_quarter_past, insist=True),
    Scenario("make up a missed occurrence", _make_up, _made_up, arrange=_missed, insist=True),
)  # fmt: skip
