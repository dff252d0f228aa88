"""A run may be a step of another run."""

from __future__ import annotations

from pydantic import BaseModel

from shared.jobs import JobContext, Status, job
from shared.jobs.testing import MemoryApp
from shared.workflows import Flow, workflow


class Number(BaseModel):
    number: int


@job("double")
async def double(payload: Number, job: JobContext) -> int:
    return payload.number * 2


@workflow("inner", payload=Number)
def inner(flow: Flow[Number]) -> None:
    flow.step("double", double, lambda run: run.payload)


@workflow("outer", payload=Number)
def outer(flow: Flow[Number]) -> None:
    first = flow.step("first", inner, lambda run: run.payload)
    flow.each("more", inner, over=first, items=lambda result: [{"number": n} for n in range(3)], width=2)


async def test_a_run_is_a_step_of_a_run() -> None:
    app = MemoryApp(outer, inner)
    run = await app.perform(outer, Number(number=4))
    assert run.status is Status.COMPLETED
    assert [each.status for each in await app.submitted(inner)] == [Status.COMPLETED] * 4
    assert [each.results for each in await app.submitted(double)] == [8, 0, 2, 4]


async def test_the_kinds_of_its_steps_come_with_it_however_deep() -> None:
    app = MemoryApp(outer)
    assert (await app.perform(outer, Number(number=1))).status is Status.COMPLETED
