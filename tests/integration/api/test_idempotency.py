"""`Idempotency-Key`: a request that is sent again gets the first ticket, whatever happened to the first answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.containers import DEDUPE
from shared.jobs import dedupe
from shared.jobs.dedupe import IN_FLIGHT
from shared.jobs.errors import InFlightError, KeyReusedError
from shared.jobs.kinds import Dedupe
from shared.jobs.model import Status
from shared.jobs.testing import Died, Faults, Mode
from shared.jobs.ticket import IdempotencyKey, Options
from support.azurite import AzuriteProcess
from support.lab import Lab, close_lab, open_lab
from support.tickets import Desk


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = await open_lab(azurite.connection_string, unique, tmp_path)
    yield opened
    await close_lab(opened)


def keyed(key: str = "the key", fingerprint: str = "the body", ttl_seconds: int = 3600) -> Options:
    return Options(idempotency=IdempotencyKey(key, fingerprint, ttl_seconds))


@pytest.mark.parametrize("form", ['"{}"', "{}"])
async def test_the_same_request_gets_the_same_ticket(desk: Desk, form: str) -> None:
    key = {"Idempotency-Key": form.format(uuid.uuid4().hex)}
    first = await desk.submit("echo", key, payload={"text": "x"}, priority="low")
    await desk.until(first.json()["job_id"])
    again = await desk.http.post(
        "/api/jobs/echo", headers=key, content=b'{ "priority": "low", "payload": {"text":"x"}, "dedupe_key": null }'
    )
    assert (again.status_code, again.json()["job_id"]) == (202, first.json()["job_id"])
    assert again.json()["duplicate"]
    assert again.json()["status"] == "completed"


async def test_another_request_under_the_same_key_is_refused(desk: Desk) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    await desk.submit("echo", key, payload={"text": "x"})
    for kind, body in (("echo", {"payload": {"text": "y"}}), ("fails", {"payload": {}})):
        answer = await desk.http.post(f"/api/jobs/{kind}", headers=key, json=body)
        assert (answer.status_code, answer.json()["title"]) == (422, "Idempotency key reused")


@pytest.mark.parametrize("key", ["", '""', "k" * 256])
async def test_what_is_no_key(desk: Desk, key: str) -> None:
    answer = await desk.submit("echo", {"Idempotency-Key": key}, payload={"text": "x"})
    assert (answer.status_code, answer.json()["title"]) == (400, "Not an idempotency key")


async def test_a_key_that_is_not_ascii_does_not_get_past_the_host(desk: Desk) -> None:
    headers = [(b"Idempotency-Key", "caf\xe9".encode("latin-1"))]
    answer = await desk.http.post("/api/jobs/echo", headers=headers, json={"payload": {"text": "x"}})
    assert (answer.status_code, answer.content) == (400, b"")


async def test_a_body_that_does_not_fit_leaves_the_key_unused(desk: Desk) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    assert (await desk.submit("echo", key, payload={"text": 7})).status_code == 422
    assert (await desk.submit("echo", key, payload={"text": "x"})).status_code == 202


async def test_many_at_once_make_one_job(desk: Desk) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = await asyncio.gather(*(desk.submit("echo", key, payload={"text": "x"}) for _ in range(40)))
    taken = {answer.json()["job_id"] for answer in answers if answer.status_code == 202}
    early = [answer for answer in answers if answer.status_code != 202]
    assert len(taken) == 1
    assert all(answer.status_code == 409 and 1 <= int(answer.headers["retry-after"]) <= 10 for answer in early)


async def test_a_request_under_way_is_waited_for_and_a_dead_one_is_finished(lab: Lab) -> None:
    lab.start(Faults(only="blobs.create".__eq__, mode=Mode.DIE_BEFORE))
    with pytest.raises(Died):
        await lab.submit(options=keyed(), n=1)
    lab.start()
    with pytest.raises(InFlightError) as caught:
        await lab.submit(options=keyed(), n=1)
    assert caught.value.seconds == IN_FLIGHT.total_seconds()
    lab.clock.advance(IN_FLIGHT.total_seconds())
    marker_id = dedupe.id_of("~idempotency/replay", "the key")
    found = await lab.documents.read(DEDUPE, marker_id, marker_id)
    assert found is not None
    ticket = await lab.submit(options=keyed(), n=1)
    assert ticket.job.job_id == found[0]["job_id"]
    assert (await lab.submit(options=keyed(), n=1)).job.job_id == ticket.job.job_id
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 1


async def test_a_key_is_forgotten_after_its_time(lab: Lab) -> None:
    first = await lab.submit(options=keyed(ttl_seconds=60))
    lab.clock.advance(59)
    assert (await lab.submit(options=keyed(ttl_seconds=60))).job.job_id == first.job.job_id
    with pytest.raises(KeyReusedError):
        await lab.submit(options=keyed(fingerprint="other", ttl_seconds=60))
    lab.clock.advance(2)
    assert (await lab.submit(options=keyed(ttl_seconds=60))).job.job_id != first.job.job_id


async def test_a_key_and_a_dedupe_key_lead_to_the_same_job_for_good(lab: Lab) -> None:
    first = await lab.submit("once", key="thing")
    keyed_ticket = await lab.submit("once", keyed(ttl_seconds=86400), key="thing")
    assert keyed_ticket.job.job_id == first.job.job_id
    lab.clock.advance(timedelta(hours=2).total_seconds())  # the dedupe key has expired, the idempotency key has not
    assert (await lab.submit("once", keyed(ttl_seconds=86400), key="thing")).job.job_id == first.job.job_id


async def test_dedupe_and_idempotency_keys_do_not_meet(lab: Lab) -> None:
    markers = dedupe.Markers(lab.documents, lab.clock)
    await markers.own("work", Dedupe("the key"), 3600, "some job")
    assert not (await lab.submit(options=keyed())).duplicate
