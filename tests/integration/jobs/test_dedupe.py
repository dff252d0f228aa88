"""Duplicates share a ticket, over real documents and blobs."""

from __future__ import annotations

import asyncio

import pytest

from shared.containers import DEDUPE
from shared.jobs.dedupe import id_of
from shared.jobs.model import Status
from shared.jobs.testing import Faults, Mode
from shared.ports import StorageError
from support.lab import Lab


async def test_a_duplicate_gets_the_first_ticket(lab: Lab) -> None:
    first = await lab.submit("once", key="a", n=1)
    second = await lab.submit("once", key="a", n=2)
    assert (first.duplicate, second.duplicate) == (False, True)
    assert second.job.job_id == first.job.job_id
    await lab.pump()
    third = await lab.submit("once", key="a")
    assert third.job.status is Status.COMPLETED
    assert len(lab.runs) == 1


async def test_another_key_makes_another_job(lab: Lab) -> None:
    first, second = await lab.submit("once", key="a"), await lab.submit("once", key="b")
    assert first.job.job_id != second.job.job_id


async def test_another_fingerprint_makes_a_job_and_takes_over_the_key(lab: Lab) -> None:
    first = await lab.submit("once", key="a", note="up")
    second = await lab.submit("once", key="a", note="down")
    assert second.job.job_id != first.job.job_id
    assert (await lab.submit("once", key="a", note="down")).job.job_id == second.job.job_id
    assert (await lab.submit("once", key="a", note="up")).job.job_id != first.job.job_id


async def test_a_marker_expires_by_its_own_timestamp(lab: Lab) -> None:
    first = await lab.submit("once", key="a")
    marker_id = id_of("once", "a")
    found = await lab.documents.read(DEDUPE, marker_id, marker_id)
    assert found is not None
    marker, etag, _ = found
    del marker["ttl"]  # a store that deletes late: the marker is still there
    await lab.documents.replace(DEDUPE, marker, etag)
    lab.clock.advance(3599)
    assert (await lab.submit("once", key="a")).job.job_id == first.job.job_id
    lab.clock.advance(2)
    assert await lab.documents.read(DEDUPE, marker_id, marker_id) is not None
    assert (await lab.submit("once", key="a")).job.job_id != first.job.job_id


async def test_a_marker_whose_job_was_never_made_is_adopted(lab: Lab) -> None:
    faults = Faults(only="blobs.create".__eq__)
    lab.start(faults)
    with pytest.raises(StorageError):
        await lab.submit("once", key="a", n=1)
    marker_id = id_of("once", "a")
    found = await lab.documents.read(DEDUPE, marker_id, marker_id)
    assert found is not None
    lab.start()
    ticket = await lab.submit("once", key="a", n=2)
    assert (ticket.job.job_id, ticket.duplicate) == (found[0]["job_id"], False)
    await lab.pump()
    assert (await lab.settled(ticket.job.job_id, Status.COMPLETED)).results == {"n": 2}


async def test_a_cancelled_first_job_does_not_stand_in_the_way(lab: Lab) -> None:
    first = await lab.submit("once", key="a")
    await lab.engine.cancel(first.job.job_id)
    second = await lab.submit("once", key="a")
    assert (second.duplicate, second.job.job_id != first.job.job_id) == (False, True)
    assert (await lab.submit("once", key="a")).job.job_id == second.job.job_id


async def test_concurrent_submissions_make_one_job(lab: Lab) -> None:
    tickets = await asyncio.gather(*(lab.submit("once", key="a") for _ in range(50)))
    assert len({ticket.job.job_id for ticket in tickets}) == 1
    await lab.pump()
    assert len(lab.runs) == 1


async def test_dedupe_needs_its_markers(lab: Lab) -> None:
    """Without the marker nobody can say whether it is a duplicate: no ticket is handed out, and no job is made."""
    lab.start(Faults(only="dedupe.create".__eq__, mode=Mode.FAIL_BEFORE))
    with pytest.raises(StorageError):
        await lab.submit("once", key="a")
    assert [info async for info in lab.blobs.list("jobs/")] == []
