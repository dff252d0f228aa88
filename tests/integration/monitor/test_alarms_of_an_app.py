"""Alarms over a whole app: what sets each off, and that each change is told exactly once, whatever breaks."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta

import pytest

from shared.containers import OPERATIONS
from shared.domains.webhooks.message import WebhookJob
from shared.jobs.errors import FinalError
from shared.jobs.testing import Died, Faults, Mode
from shared.monitor.alarms import Alarm
from shared.ports import StorageError
from support.lab import Work
from support.watched import HOOK, Watched

POISON = "jobs-poison"


async def lay_down(watched: Watched) -> None:
    """Put a message on a poison queue, and let nobody record it."""
    await watched.lab.storage_queues.send(POISON, "bm8gZW52ZWxvcGU=")


async def clear(watched: Watched) -> None:
    (message,) = await watched.lab.storage_queues.receive(POISON)
    await watched.lab.storage_queues.delete(POISON, message)


async def evaluate_only(watched: Watched, minutes: float = 5) -> set[str]:
    """Evaluate without letting the host deliver, which would record what lies on a poison queue."""
    watched.lab.clock.advance(minutes * 60)
    board = await watched.lab.app.monitor.watch.evaluate()
    return {alarm.value for alarm, each in board.standings.items() if each.on}


async def test_an_app_that_is_well_has_no_alarm(watched: Watched) -> None:
    await watched.lab.run()
    assert await watched.evaluate() == {}
    assert watched.told == []


async def test_start_and_end_are_logged_and_told(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nightshift.alarms")
    await lay_down(watched)
    assert await evaluate_only(watched, 14) == set()
    assert await evaluate_only(watched, 1) == {"poison-failing"}
    assert await evaluate_only(watched) == {"poison-failing"}
    await clear(watched)
    assert await watched.evaluate() != {}
    assert await watched.evaluate() != {}
    assert await watched.evaluate() == {}
    assert watched.messages == ["alarm.on poison-failing", "alarm.off poison-failing"]
    (_, on), (_, off) = watched.told
    assert on.url == HOOK
    assert on.data["runbook"] == "docs/runbooks/poison-failing.md"
    assert on.data["facts"] == {POISON: 1, "put_back": 0}
    assert on.timestamp < off.timestamp
    lines = [record.getMessage() for record in caplog.records if record.name == "nightshift.alarms"]
    assert [line.split(" change=")[0] for line in lines] == [
        "alarm on: alarm=poison-failing", "alarm off: alarm=poison-failing",
    ]  # fmt: skip


async def test_dead_letters_above_what_is_usual(watched: Watched) -> None:
    async def fail(payload: Work, _: object) -> None:
        if payload.n:
            raise FinalError("no")

    watched.lab.script = fail
    for n in [0] * 100 + [1] * 5:
        await watched.lab.run(n=n)
    assert await watched.evaluate(0) == {}  # 5 of 105 are not more than 5 %
    await watched.lab.run(n=1)
    assert "6 dead letters" in (await watched.evaluate(0))["dead-letter-ratio"]
    assert watched.messages == ["alarm.on dead-letter-ratio"]
    await watched.evaluate(130)
    assert await watched.evaluate(11) == {}
    assert watched.messages[1:] == ["alarm.off dead-letter-ratio"]


async def test_a_monday_that_was_missed(watched: Watched) -> None:
    ledger = watched.lab.app.ledger
    monday = timedelta(hours=21, minutes=10)
    watched.lab.clock.advance(monday.total_seconds())
    assert "missed-digest" not in await watched.evaluate(0)  # within its grace
    watched.lab.clock.advance(3600)
    await ledger.account()
    assert "PluckItWeeklyDigest" in (await watched.evaluate(0))["missed-digest"]
    assert "timer-silent" not in await watched.evaluate(0)


async def test_a_daily_timer_without_success_for_36_hours(watched: Watched) -> None:
    assert "timer-silent" not in await watched.evaluate(36 * 60)
    reason = (await watched.evaluate(1))["timer-silent"]
    assert "PluckItScraper" in reason
    assert "PluckItMoodProcessor" in reason


async def test_a_queue_that_nobody_takes_from(watched: Watched) -> None:
    await watched.lab.submit()
    assert await evaluate_only(watched, 24 * 60) - {"timer-silent", "missed-digest"} == set()
    assert "queue-stuck" not in await evaluate_only(watched)
    assert "queue-stuck" in await evaluate_only(watched)
    await watched.lab.pump()
    await watched.evaluate()
    assert "queue-stuck" not in await watched.evaluate(11)
    assert [each for each in watched.messages if "stuck" in each] == ["alarm.on queue-stuck", "alarm.off queue-stuck"]


async def test_two_instances_tell_it_once(watched: Watched) -> None:
    await lay_down(watched)
    watched.lab.clock.advance(1000)
    first = watched.lab.app
    second = watched.lab.start()
    await asyncio.gather(*(app.monitor.watch.evaluate() for app in (first, second, first, second)))
    await watched.lab.pump()
    assert watched.messages == ["alarm.on poison-failing"]


@pytest.mark.parametrize("mode", list(Mode))
async def test_a_change_is_told_once_whatever_breaks_where(watched: Watched, mode: Mode) -> None:
    """An alarm starts and ends, with one fault at each storage call from the first write of either evaluation on."""
    calls = await _start_and_end(watched, Faults(), Faults())
    first = next(n for n, call in enumerate(calls) if call in ("operations.create", "operations.replace"))
    for at in range(first, len(calls) + 2):
        for faults in ((Faults(at, mode), Faults()), (Faults(), Faults(at, mode))):
            await _start_and_end(watched, *faults)
            told = sorted((each.data["change"], each.type) for _, each in watched.told if _is_poison(each))
            changes, types = zip(*told, strict=True)
            assert types == ("alarm.on", "alarm.off"), f"call {at} {mode}: {[each.struck for each in faults]}"
            assert changes[1] == changes[0] + 1


async def _start_and_end(watched: Watched, *faults: Faults) -> list[str]:
    """Let an alarm start and end; where an evaluation breaks, there is another with storage well, as by the next sweep."""
    lab = watched.lab
    watched.told.clear()
    await lay_down(watched)
    lab.clock.advance(1000)
    for each in faults:
        lab.start(each)
        with suppress(StorageError, Died):
            await lab.app.monitor.watch.evaluate()
        lab.start()
        await lab.app.monitor.watch.evaluate()
        if each is faults[0]:
            await clear(watched)
            await lab.app.monitor.watch.evaluate()
            lab.clock.advance(601)
    await lab.recover(4)  # a job whose message could not be sent is left to the sweep
    return faults[0].calls


def _is_poison(message: WebhookJob) -> bool:
    return message.data["alarm"] == Alarm.POISON_FAILING.value


async def test_a_board_that_is_fresh_costs_one_call(watched: Watched) -> None:
    faults = Faults()
    lab = watched.lab
    lab.start(faults)
    await lab.app.monitor.watch.board()
    faults.calls.clear()
    await lab.app.monitor.watch.board()
    assert faults.calls == ["operations.read"]
    lab.clock.advance(60)
    await lab.app.monitor.watch.board()
    assert len(faults.calls) < 40


async def test_an_alarm_that_this_code_does_not_know_is_left_alone(watched: Watched) -> None:
    await watched.evaluate()
    found = await watched.lab.documents.read(OPERATIONS, "alarms", "alarms")
    assert found is not None
    document, etag, _ = found
    document["standings"]["of-the-future"] = document["standings"]["queue-stuck"]
    await watched.lab.documents.replace(OPERATIONS, document, etag)
    board = await watched.lab.app.monitor.watch.last()
    assert set(board.standings) == set(Alarm)
