"""Scenarios of digests for the crash sweep: in the end one digest, whole; feedback once; nothing of who was forgotten."""

from __future__ import annotations

import hashlib
import json

from shared.domains.digests import api as digests
from shared.domains.digests.page import render
from shared.domains.digests.store import MADE, DigestStore, Record
from shared.domains.digests.weeks import digest_id, json_name, page_name
from shared.domains.taste.store import TasteStore
from shared.domains.users import api as users
from shared.domains.users.store import UserStore
from shared.jobs.model import Status
from support import digests as world
from support.calls import call
from support.scenarios import Scenario, Trial


async def _wanted(trial: Trial) -> None:
    """There are items and a user, and the user's digest is asked for."""
    now = trial.lab.clock.now()
    await world.stock(trial.lab.app, now, 4)
    await world.user(trial.lab.app, _user(trial))
    await trial.take("user-digest", user_id=_user(trial), until=now.isoformat())


async def _opted_out(trial: Trial) -> None:
    await world.user(trial.lab.app, _user(trial), digest=False)
    await trial.take("user-digest", user_id=_user(trial), until=trial.lab.clock.now().isoformat())


async def _made(trial: Trial) -> None:
    await _wanted(trial)
    await trial.lab.pump()


async def _wanted_anew(trial: Trial) -> None:
    """There is a digest, and one item of it was turned down since."""
    await _made(trial)
    await _say(trial, "down")
    trial.lab.clock.advance(1)
    until = trial.lab.clock.now().isoformat()
    await trial.take("user-digest", user_id=_user(trial), until=until, remake=True)


async def _run(trial: Trial) -> None:
    await trial.lab.pump()


async def _like(trial: Trial) -> None:
    await _say(trial, "up")
    await trial.lab.pump()


async def _forget(trial: Trial) -> None:
    await users.delete_user(trial.lab.app, call(user_id=_user(trial)))


async def _one_digest(trial: Trial) -> None:
    """The record, the data and the page agree, and the job tells of them."""
    job = await trial.lab.settled(trial.ticket, Status.COMPLETED)
    record = await _record(trial)
    assert isinstance(job.results, dict)
    assert job.results == {
        "made": 1,
        "suggestions": record.suggestions,
        "digest_id": digest_id(record.user_id, record.week),
    }
    data = await trial.lab.blobs.read(json_name(record.user_id, record.week))
    page = await trial.lab.blobs.read(page_name(record.user_id, record.week))
    assert data is not None, "no data"
    assert page is not None, "no page"
    assert record.fingerprint == hashlib.sha256(data.data).hexdigest()[:24], "the record is of other data"
    assert page.data.decode() == render(json.loads(data.data)), "the page is of other data"


async def _one_digest_without_what_was_turned_down(trial: Trial) -> None:
    await _one_digest(trial)
    assert (await _record(trial)).suggestions == 3


async def _one_refusal(trial: Trial) -> None:
    job = await trial.lab.settled(trial.ticket, Status.COMPLETED)
    assert isinstance(job.results, dict)
    assert job.results["reason"] == "opted_out"
    records, _ = await _store(trial).page(_user(trial), 10, None)
    assert [record.reason for record in records] == ["opted_out"]


async def _heard_once(trial: Trial) -> None:
    opinions = await _store(trial).opinions(_user(trial))
    assert [one.up for one in opinions] == [True]
    profile = await TasteStore(trial.lab.documents, trial.lab.clock).read(_user(trial))
    assert (profile.ups, profile.items) == (1, 1), "taste did not hear of it once"


async def _nothing_is_left(trial: Trial) -> None:
    user_id = _user(trial)
    assert await UserStore(trial.lab.documents, trial.lab.clock).household(user_id) is None
    assert (await _store(trial).page(user_id, 10, None))[0] == []
    assert [blob.name async for blob in trial.lab.blobs.list(f"digests/{user_id}/")] == []


async def _say(trial: Trial, signal: str) -> None:
    """A signal on the first suggestion, by the name that the digest had when it was made."""
    record = await _record(trial)
    data = await trial.lab.blobs.read(json_name(record.user_id, record.week))
    assert data is not None
    item_id = json.loads(data.data)["suggestions"][0]["item_id"]
    body = json.dumps({"item_id": item_id, "signal": signal}).encode()
    await digests.post_digest_feedback(trial.lab.app, call(body, digest_id=digest_id(record.user_id, record.week)))


async def _record(trial: Trial) -> Record:
    """The one record, read beside the faults."""
    records, _ = await _store(trial).page(_user(trial), 10, None)
    assert [record.state for record in records] == [MADE], f"not one digest: {records}"
    return records[0]


def _store(trial: Trial) -> DigestStore:
    return DigestStore(trial.lab.documents, trial.lab.blobs, trial.lab.clock)


def _user(trial: Trial) -> str:
    return f"u{trial.key}"


SCENARIOS = (
    Scenario("digest", _run, _one_digest, arrange=_wanted),
    Scenario("digest for who opted out", _run, _one_refusal, arrange=_opted_out),
    Scenario("digest made anew", _run, _one_digest_without_what_was_turned_down, arrange=_wanted_anew),
    Scenario("digest feedback", _like, _heard_once, arrange=_made, insist=True),
    Scenario("forget a user", _forget, _nothing_is_left, arrange=_made, insist=True),
)
