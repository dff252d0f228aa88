"""Jobs that handlers submit: one for each payload and key, whatever happens to the attempts that submit them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import BaseModel

from shared.jobs import Dedupe, JobContext, Priority, Status, job
from shared.jobs.testing import MemoryApp, crash_sweep, handling


class Order(BaseModel):
    number: int


def by_number(payload: Order) -> Dedupe:
    return Dedupe(str(payload.number))


@job("mail", dedupe_ttl_seconds=60, dedupe=by_number)
async def mail(payload: Order, job: JobContext) -> dict[str, int]:
    return {"mailed": payload.number}


@job("order", max_attempts=3, base_backoff_seconds=1)
async def order(payload: Order, job: JobContext) -> dict[str, list[str]]:
    first = await job.submit(mail, payload)
    again = await job.submit(mail, payload)
    assert (again.job.job_id, again.duplicate) == (first.job.job_id, True)
    if job.attempt < payload.number:
        raise ConnectionError
    return {"mails": [first.job.job_id]}


@job("orders")
async def orders(payload: Order, job: JobContext) -> None:
    for number in range(payload.number):
        later = job.clock.now() + timedelta(hours=1)
        await job.submit(order, Order(number=1), key=str(number), priority=Priority.LOW, not_before=later)


@pytest.fixture
def app() -> MemoryApp:
    return MemoryApp(mail, order, orders)


async def test_a_handler_that_runs_again_submits_nothing_twice(app: MemoryApp) -> None:
    done = await app.perform(order, Order(number=3))
    assert (done.status, done.attempt) == (Status.COMPLETED, 3)
    (mailed,) = await app.submitted(mail)
    assert done.results == {"mails": [mailed.job_id]}


async def test_another_job_submits_a_job_of_its_own(app: MemoryApp) -> None:
    first, second = await app.perform(order, Order(number=1)), await app.perform(order, Order(number=2))
    assert first.results != second.results
    assert len(await app.submitted(mail)) == 2


async def test_a_key_tells_equal_payloads_apart_and_options_are_kept(app: MemoryApp) -> None:
    done = await app.perform(orders, Order(number=3))
    found = await app.submitted(order)
    assert len({each.job_id for each in found}) == 3
    assert {each.priority for each in found} == {Priority.LOW}
    assert all(each.due_at == done.created_at + timedelta(hours=1) for each in found)


async def test_it_is_one_job_wherever_the_worker_dies(app: MemoryApp) -> None:
    report = await crash_sweep(handling(order, Order(number=1), mail))
    assert not report.broken, report
