"""The triggers that are no routes: which there are, and what a timer says where nothing is due."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import azure.functions as func
import pytest

import shared.bootstrap
from blueprints import timers
from shared.declarations import settings_of
from shared.declarations import timers as declared
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryDocuments, MemoryQueues
from support.functions import functions


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """The clock of an app in memory, which is the app of this process."""
    clock = FakeClock()
    app = shared.bootstrap.compose(
        settings_of({}), MemoryBlobs(clock), MemoryQueues(clock), MemoryDocuments(clock), clock
    )
    monkeypatch.setattr(shared.bootstrap, "app", lambda: app)
    return clock


async def test_a_timer_that_is_fired_with_nothing_due_says_why_and_names_the_route(
    clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    fired = cast("func.TimerRequest", SimpleNamespace(past_due=False))
    app = shared.bootstrap.app()
    latest = app.ledger.schedule("PluckItWeeklyDigest").latest(clock.now())
    assert latest is not None
    clock.advance((latest - clock.now()).total_seconds() + 7 * 86400 + 3600)  # an hour after a Monday's
    with caplog.at_level("INFO", "nightshift.timers"):
        await timers.tick(fired, "PluckItWeeklyDigest")
    (line,) = [each.getMessage() for each in caplog.records if each.name == "nightshift.timers"]
    assert "nothing is due: timer=PluckItWeeklyDigest" in line
    assert "POST /api/timers/PluckItWeeklyDigest/run" in line
    assert (await app.ledger.occurrences.page("PluckItWeeklyDigest", 5))[0] == []


def triggers(sort: str) -> dict[str, Any]:
    found = {name: each.get_trigger() for name, each in functions().items()}
    return {name: trigger for name, trigger in found.items() if trigger is not None and trigger.type == sort}


def test_every_declared_timer_has_a_trigger_on_its_schedule() -> None:
    found = triggers("timerTrigger")
    own = {"SweepRecentJobs", "SweepAllJobs", "PurgeExpired"}
    assert set(found) == own | {timer.name for timer in declared()}
    for timer in declared():
        assert found[timer.name].schedule == timer.schedule(settings_of({}))


def test_every_queue_of_jobs_has_a_trigger_and_so_has_its_poison_queue() -> None:
    settings = settings_of({})
    pairs = [pair for section in (settings, *settings.sections) for pair in section.queues().items()]
    assert sorted(each.queue_name for each in triggers("queueTrigger").values()) == sorted(
        name for pair in pairs for name in pair
    )
