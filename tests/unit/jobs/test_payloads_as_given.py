"""A payload runs as it was given: nulls stay where they say something, and what JSON cannot say is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, JsonValue

from shared.jobs import FinalError, IdempotencyKey, JobContext, job
from shared.jobs.dead_letters.vault import Filter
from shared.jobs.envelope import Delivery
from shared.jobs.errors import InvalidPayloadError
from shared.jobs.model import Status
from shared.jobs.testing import MemoryApp


class Limits(BaseModel):
    """Some with a default, some without."""

    limit: int | None = 10
    note: str | None = None
    cutoff: float = 0.0
    extra: dict[str, JsonValue] = {}
    rows: list[dict[str, JsonValue]] = []


SEEN: list[Limits] = []


@job("limits", max_attempts=1)
async def limits(payload: Limits, job: JobContext) -> Any:
    SEEN.append(payload)
    if payload.note == "fail":
        raise FinalError("told to")
    return {"a": None, "b": [{"c": None}]}


GIVEN = {"limit": None, "extra": {"keep": None, "x": 1}, "rows": [{"a": None}]}


async def test_explicit_nulls_are_kept() -> None:
    app = MemoryApp(limits)
    done = await app.ended(await app.engine.submit("limits", GIVEN))
    assert SEEN[-1] == Limits.model_validate(GIVEN)
    assert done.results == {"a": None, "b": [{"c": None}]}


async def test_nulls_that_say_nothing_are_not_stored() -> None:
    app = MemoryApp(limits)
    ticket = await app.submit(limits, Limits(limit=3))
    assert ticket.job.payload == {"limit": 3, "cutoff": 0.0, "extra": {}, "rows": []}


async def test_explicit_nulls_survive_a_replay_with_an_edited_payload() -> None:
    app = MemoryApp(limits)
    await app.perform(limits, Limits(note="fail"))
    (letter,) = (await app.engine.vault.find(Filter(), 10))[0]
    result = await app.engine.replays.one(letter.id, payload=GIVEN)
    done = await app.ended(result.job_id or "")
    assert (done.status, SEEN[-1]) == (Status.COMPLETED, Limits.model_validate(GIVEN))


@pytest.mark.parametrize(
    ("given", "field"),
    [({"cutoff": "inf"}, "cutoff"), ({"cutoff": "nan"}, "cutoff"), ({"extra": {"a": "caf\udce9"}}, "extra")],
)
async def test_what_json_cannot_say_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidPayloadError) as refused:
        await MemoryApp(limits).engine.submit("limits", given)
    assert [problem.field for problem in refused.value.problems] == [field]


async def test_idempotency_keys_are_their_owners() -> None:
    app = MemoryApp(limits)
    keys = [IdempotencyKey("k", "f", 60, scope) for scope in ("client/ann", "client/ben", "replay", "client/ann")]
    tickets = [await app.submit(limits, Limits(), idempotency=key) for key in keys]
    assert len({ticket.job.job_id for ticket in tickets}) == 3
    assert tickets[0].job.job_id == tickets[3].job.job_id


async def test_a_zombie_of_a_life_that_is_over_files_no_letter_for_the_next() -> None:
    app: MemoryApp

    @job("late", max_attempts=1)
    async def late(payload: Limits, job: JobContext) -> None:
        if job.fence > 1:
            return
        current = await app.engine.get(job.job_id)
        app.clock.advance(3600)  # the lease has ended, and the host gives the message up
        await app.engine.record_or_put_back(given_up)
        letter = (await app.engine.get(current.value.job_id)).value.dead_letter_id
        await app.engine.replays.one(letter or "")
        raise FinalError("too late")

    app = MemoryApp(late)
    ticket = await app.submit(late, Limits())
    (message,) = await app.queues.peek("jobs")
    given_up = Delivery("jobs-poison", "", message.text.encode())
    done = await app.ended(ticket)
    assert (done.status, done.replays) == (Status.COMPLETED, 1)
    letters = (await app.engine.vault.find(Filter(), 10))[0]
    assert [len(letter.replays) for letter in letters] == [1]
