"""The crash sweep finds a handler that cannot be run twice, and says which call broke it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import JobContext, job
from shared.jobs.testing import MODES, Died, Faults, MemoryApp, Mode, crash_sweep, handling
from shared.ports import AlreadyExistsError, StorageError


class Visit(BaseModel):
    """Who came."""

    name: str


@job("greet")
async def greet(payload: Visit, job: JobContext) -> dict[str, str]:
    """Safe to run twice: what it writes does not depend on how often."""
    try:
        await job.documents.create("guests", {"id": payload.name, "pk": payload.name, "visits": 1})
    except AlreadyExistsError:
        job.log.info("came before")
    return {"said": f"hello {payload.name}"}


@job("count")
async def count_visits(payload: Visit, job: JobContext) -> None:
    """Not safe: counts again what it has counted."""
    found = await job.documents.read("guests", payload.name, payload.name)
    if found is None:
        await job.documents.create("guests", {"id": payload.name, "pk": payload.name, "visits": 1})
    else:
        document, etag, _ = found
        await job.documents.replace("guests", {**document, "visits": document["visits"] + 1}, etag)


@job("forgets")
async def forgets(payload: Visit, job: JobContext) -> bool:
    """Not safe either: a second run takes its own work for somebody else's."""
    try:
        await job.documents.create("guests", {"id": payload.name, "pk": payload.name})
    except AlreadyExistsError:
        return False
    return True


async def visits(app: MemoryApp) -> Any:
    found = await app.documents.read("guests", "ann", "ann")
    return found and found[0].get("visits")


async def test_a_handler_that_is_safe_passes() -> None:
    report = await crash_sweep(handling(greet, Visit(name="ann")))
    report.check()
    assert report.broken == ()
    assert report.plays >= len(MODES) * report.calls >= len(MODES) * 4


async def test_one_that_counts_twice_is_found_by_what_it_left_behind() -> None:
    report = await crash_sweep(handling(count_visits, Visit(name="ann"), outcome=visits))
    assert {broken.mode for broken in report.broken} >= {Mode.FAIL_AFTER, Mode.DIE_AFTER}
    assert all("2 instead of 1" in broken.what for broken in report.broken)
    assert "guests.create" in {broken.call for broken in report.broken}
    with pytest.raises(AssertionError, match=r"guests\.create, dies after it: 2 instead of 1"):
        report.check()


async def test_one_that_mistakes_its_own_work_is_found_by_its_result() -> None:
    report = await crash_sweep(handling(forgets, Visit(name="ann")))
    assert ("guests.create", Mode.DIE_AFTER) in {(broken.call, broken.mode) for broken in report.broken}


async def test_what_is_arranged_is_not_disturbed() -> None:
    async def arrange(app: MemoryApp) -> None:
        await app.documents.create("guests", {"id": "ann", "pk": "ann", "visits": 5})

    report = await crash_sweep(handling(greet, Visit(name="ann"), arrange=arrange, outcome=visits))
    report.check()


async def test_some_of_the_calls_only() -> None:
    whole = await crash_sweep(handling(greet, Visit(name="ann")), [Mode.DIE_AFTER])
    third = await crash_sweep(handling(greet, Visit(name="ann")), [Mode.DIE_AFTER], every=3)
    assert whole.plays == whole.calls > third.plays > 0


async def test_a_scenario_without_a_call_tests_nothing() -> None:
    async def idle(faults: Faults) -> None:
        return None

    with pytest.raises(ValueError, match="makes no storage call"):
        await crash_sweep(idle)


async def test_what_a_scenario_raises_is_told_and_kept() -> None:
    async def fragile(faults: Faults) -> None:
        async def read() -> int:
            return 1

        await faults.around("blobs.read", read)

    async def guarded(faults: Faults) -> None:
        try:
            await fragile(faults)
        except Died as died:
            raise LookupError("gone") from died

    report = await crash_sweep(fragile, [Mode.FAIL_BEFORE])
    assert str(report).splitlines()[1].strip() == (
        "call 1, blobs.read, fails without effect: StorageError: injected: blobs.read fails without effect"
    )
    with pytest.raises(AssertionError) as caught:
        (await crash_sweep(guarded, [Mode.DIE_BEFORE])).check()
    assert isinstance(caught.value.__cause__, LookupError)
    assert isinstance(report.broken[0].cause, StorageError)
