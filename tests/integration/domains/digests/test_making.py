"""Digests as jobs: made once a week for each user, skipped for a reason, changed by what users say."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.declarations import settings_of
from shared.domains.digests import api as digests
from shared.domains.digests.store import DigestStore
from shared.domains.digests.timers import WEEKLY
from shared.domains.taste.store import TasteStore
from shared.domains.users import api as users
from shared.jobs.model import Status
from shared.jobs.testing import Faults
from shared.jobs.timers.timer import Missed
from shared.ports import Query, Where
from shared.web.answers import Problem
from support import digests as world
from support.calls import call
from support.lab import Lab

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def monday(lab: Lab) -> None:
    lab.clock.time = MONDAY


async def make(
    lab: Lab, user_id: str = "ann", until: datetime | None = None, *, remake: bool = False
) -> dict[str, Any]:
    """One user's digest by its job."""
    job = await lab.run("user-digest", user_id=user_id, until=(until or lab.clock.now()).isoformat(), remake=remake)
    assert job.status is Status.COMPLETED, job.error
    assert isinstance(job.results, dict)
    return job.results


async def digest(lab: Lab, week: str = "2026-W48", user_id: str = "ann") -> dict[str, Any]:
    found = await lab.blobs.read(f"digests/{user_id}/{week}.json")
    assert found is not None
    made: dict[str, Any] = json.loads(found.data)
    return made


def names(made: dict[str, Any]) -> list[str]:
    return [each["item_id"] for each in made["suggestions"]]


async def say(lab: Lab, item_id: str, signal: str, name: str = "ann~2026-W48") -> int:
    body = json.dumps({"item_id": item_id, "signal": signal}).encode()
    answer = await digests.post_digest_feedback(lab.app, call(body, digest_id=name))
    await lab.pump()
    return answer.status


async def test_a_digest_is_data_and_a_page_under_the_names_of_user_and_week(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    await world.mood(lab.app, MONDAY - timedelta(days=1))
    await world.user(lab.app, "ann", name="Ann")
    await world.likes(lab.app, "ann", "navy linen shirt")
    assert await make(lab) == {"made": 1, "suggestions": 10, "digest_id": "ann~2026-W48"}
    made = await digest(lab)
    page = await lab.blobs.read("digests/ann/2026-W48.html")
    assert page is not None
    assert all(each["title"] in page.data.decode() for each in made["suggestions"])
    assert made["moods"][0]["palette"] == [{"name": "navy", "hex": "#16213f"}, {"name": "white", "hex": "#fafafa"}]
    reasons = {
        part["of"] for each in made["suggestions"] for part in each["contributions"] if part["text"] in each["reasons"]
    }
    assert {"taste", "mood", "wardrobe"} <= reasons


async def test_every_user_gets_one_and_a_second_run_adds_nothing(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    for n in range(7):
        await world.user(lab.app, f"u{n}", digest=n != 3)
    job = await lab.submit("weekly-digest", scheduled_at=MONDAY.isoformat())
    await lab.recover()
    done = await lab.settled(job.job.job_id, Status.COMPLETED)
    assert isinstance(done.results, dict)
    assert done.results["outcome"] == "completed"
    first = done.results["tally"]
    assert first == {"made": 6, "suggestions": 60, "skipped": 1, "opted_out": 1}
    before = {info.name: info.etag async for info in lab.blobs.list("digests/")}
    assert len(before) == 12

    again = await lab.submit("weekly-digest", scheduled_at=(MONDAY + timedelta(hours=1)).isoformat())
    await lab.recover()
    done = await lab.settled(again.job.job_id, Status.COMPLETED)
    assert isinstance(done.results, dict)
    assert done.results["tally"] == {"skipped": 7, "made_before": 6, "opted_out": 1}
    assert {info.name: info.etag async for info in lab.blobs.list("digests/")} == before


async def test_on_monday_the_timer_has_them_made_once(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    for _ in range(2):  # two instances
        await lab.app.ledger.tick(WEEKLY.name, past_due=False)
    await lab.recover()
    jobs = (await lab.app.documents.query("jobs", Query((Where("kind", "=", "weekly-digest"),)))).items
    assert [job["status"] for job in jobs] == ["completed"]
    assert (await digest(lab))["until"] == "2026-11-23T09:00:00.000000Z"


async def test_running_twice_writes_the_same(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    first = await make(lab)
    data = await lab.blobs.read("digests/ann/2026-W48.json")
    assert await make(lab) == first
    await make(lab, remake=True)
    assert await lab.blobs.read("digests/ann/2026-W48.json") == data


async def test_what_is_found_later_is_for_the_next_digest_and_what_was_told_is_not_told_again(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY, 12)
    await world.user(lab.app, "ann")
    late = world.item(100, MONDAY + timedelta(minutes=3))
    await lab.app.documents.create("items", late.to_document() | {"expires_at": "9"})
    await make(lab)
    lab.clock.time = MONDAY + WEEK
    await world.stock(lab.app, MONDAY + WEEK, 12, first=200)
    await make(lab)
    first, second = names(await digest(lab)), names(await digest(lab, "2026-W49"))
    assert late.item_id not in first
    assert not set(first) & set(second)
    assert (await digest(lab, "2026-W49"))["considered"] == 13


async def test_who_opted_out_gets_none_and_it_is_said(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann", digest=False)
    assert (await make(lab))["reason"] == "opted_out"
    assert (await make(lab, remake=True))["reason"] == "opted_out"
    assert [info.name async for info in lab.blobs.list("digests/")] == []
    listed = json.loads((await digests.list_digests(lab.app, call(user_id="ann"))).body)["items"]
    assert [(each["state"], each["reason"], each["detail"]) for each in listed] == [
        ("skipped", "opted_out", "the user opted out of digests")
    ]


async def test_where_nothing_changed_there_is_none_and_it_is_said(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    await make(lab)
    lab.clock.advance(WEEK.total_seconds())
    assert (await make(lab))["reason"] == "unchanged"
    lab.clock.advance(WEEK.total_seconds())
    assert (await make(lab))["reason"] == "unchanged", "also after a week that was skipped"
    await world.likes(lab.app, "ann", "red dress")
    lab.clock.advance(WEEK.total_seconds())
    skipped = await make(lab)
    assert (skipped["reason"], skipped["detail"]) == ("few_items", "0 new since the last digest; at least 3 make one")


async def test_too_few_items_wait_for_the_next_digest(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY, 20)
    await world.user(lab.app, "ann")
    await make(lab)
    lab.clock.time = MONDAY + WEEK
    few = await world.stock(lab.app, MONDAY + WEEK, 2, first=300)
    assert (await make(lab))["reason"] == "few_items"
    lab.clock.time = MONDAY + 2 * WEEK
    more = await world.stock(lab.app, MONDAY + 2 * WEEK, 1, first=400)
    assert (await make(lab))["made"] == 1
    assert set(names(await digest(lab, "2026-W50"))) == {each.item_id for each in (*few, *more)}


async def test_a_run_by_hand_takes_what_there_is(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY, 1)
    await world.user(lab.app, "ann")
    assert (await make(lab))["reason"] == "few_items"
    lab.clock.advance(60)
    answer = await digests.run_digest(lab.app, call(user_id="ann"))
    await lab.pump()
    assert answer.status == 202
    assert len(names(await digest(lab))) == 1
    with pytest.raises(Problem, match="no such user"):
        await digests.run_digest(lab.app, call(user_id="nobody"))


async def test_a_down_is_never_suggested_again(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY, 30)
    await world.user(lab.app, "ann")
    await make(lab)
    before = await digest(lab)
    down = before["suggestions"][0]
    assert await say(lab, down["item_id"], "down") == 200
    lab.clock.advance(60)
    await make(lab, remake=True)
    after = await digest(lab)
    assert down["item_id"] not in names(after)
    assert len(names(after)) == len(names(before))


async def test_what_was_turned_down_anywhere_in_the_product_is_not_suggested(lab: Lab) -> None:
    items = await world.stock(lab.app, MONDAY, 12)
    await world.user(lab.app, "ann")
    await world.likes(lab.app, "ann", items[0].title, "down", items[0].item_id)
    await make(lab)
    assert items[0].item_id not in names(await digest(lab))


async def test_an_up_becomes_a_taste_job_and_changes_the_next_digest(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY, 40)
    await world.user(lab.app, "ann")
    await make(lab)
    made = await digest(lab)
    liked = next(each for each in made["suggestions"] if "colour" in each["facets"])
    assert await say(lab, liked["item_id"], "up") == 202
    profile = await TasteStore(lab.app.documents, lab.clock).read("ann")
    assert profile.ups == 1
    assert set(liked["facets"]["colour"]) <= set(profile.facets["colour"])
    lab.clock.time = MONDAY + WEEK
    await world.stock(lab.app, MONDAY + WEEK, 40, first=500)
    await make(lab)
    texts = [part["text"] for each in (await digest(lab, "2026-W49"))["suggestions"] for part in each["contributions"]]
    assert f"Like “{liked['title']}”, which you liked" in texts
    assert any(text.endswith("you liked 1 of 1") for text in texts)


async def test_feedback_that_is_repeated_counts_once_and_the_last_word_stands(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    await make(lab)
    item_id = names(await digest(lab))[0]
    assert [await say(lab, item_id, "up") for _ in range(3)] == [202, 202, 202]
    opinions = await _store(lab).opinions("ann")
    assert [(one.item_id, one.up) for one in opinions] == [(item_id, True)]
    lab.clock.advance(5)
    assert await say(lab, item_id, "down") == 202, "taste hears that the liking is taken back"
    assert [one.up for one in await _store(lab).opinions("ann")] == [False]
    profile = await TasteStore(lab.app.documents, lab.clock).read("ann")
    assert (profile.ups, profile.downs) == (0, 1)


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("ann", {"item_id": "x", "signal": "up"}, 422),
        ("ann~2026-W48", {"item_id": "not-in-it", "signal": "up"}, 422),
        ("ann~2026-W48", {"item_id": "x", "signal": "sideways"}, 422),
        ("ann~2026-W48", {"item_id": "x"}, 422),
        ("ann~2026-W01", {"item_id": "x", "signal": "up"}, 404),
        ("bob~2026-W48", {"item_id": "x", "signal": "up"}, 404),
    ],
)
async def test_feedback_that_does_not_fit_is_a_problem(lab: Lab, name: str, body: dict[str, str], status: int) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    await make(lab)
    with pytest.raises(Problem) as caught:
        await digests.post_digest_feedback(lab.app, call(json.dumps(body).encode(), digest_id=name))
    assert caught.value.status == status


async def test_the_latest_is_answered_once_and_then_by_its_tag(lab: Lab) -> None:
    with pytest.raises(Problem, match="no digest"):
        await digests.get_latest_digest(lab.app, call(user_id="ann"))
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    await make(lab)
    lab.clock.advance(WEEK.total_seconds())
    await make(lab)  # skipped: the one before stays the latest
    answer = await digests.get_latest_digest(lab.app, call(user_id="ann"))
    assert json.loads(answer.body) == await digest(lab)
    again = await digests.get_latest_digest(
        lab.app, call(user_id="ann", headers={"if-none-match": answer.headers["ETag"]})
    )
    assert (again.status, again.body) == (304, b"")
    page = await digests.get_latest_digest(lab.app, call(user_id="ann", headers={"accept": "text/html,*/*;q=0.8"}))
    assert page.content_type == "text/html"
    assert "script" not in page.headers["Content-Security-Policy"]
    assert page.headers["ETag"] != answer.headers["ETag"]
    with pytest.raises(Problem, match="nothing is new"):
        await digests.get_digest(lab.app, call(user_id="ann", week="2026-W49"))


async def test_a_user_who_is_deleted_leaves_nothing(lab: Lab) -> None:
    await world.stock(lab.app, MONDAY)
    for name in ("ann", "anna"):
        await world.user(lab.app, name)
        await make(lab, name)
    await say(lab, names(await digest(lab))[0], "down")
    assert (await users.delete_user(lab.app, call(user_id="ann"))).status == 204
    assert [info.name async for info in lab.blobs.list("digests/")] == [
        "digests/anna/2026-W48.html",
        "digests/anna/2026-W48.json",
    ]
    assert await _store(lab).opinions("ann") == ()
    assert await _store(lab).latest("ann") is None
    assert (await make(lab))["reason"] == "gone"


async def test_a_user_who_is_deleted_while_the_digest_is_made_leaves_nothing(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.stock(lab.app, MONDAY)
    await world.user(lab.app, "ann")
    keep = DigestStore.keep

    async def deleted_meanwhile(self: DigestStore, *arguments: Any) -> None:
        await users.delete_user(lab.app, call(user_id="ann"))
        await keep(self, *arguments)

    monkeypatch.setattr(DigestStore, "keep", deleted_meanwhile)
    assert (await make(lab))["reason"] == "gone"
    assert [info.name async for info in lab.blobs.list("digests/")] == []
    assert await _store(lab).latest("ann") is None


async def test_what_a_digest_costs(lab: Lab) -> None:
    """The figures of docs/explanation/digests.md: the shelf is read once, and each digest is eight reads and writes more than its job."""
    await world.stock(lab.app, MONDAY, 120)
    await world.mood(lab.app, MONDAY)
    for n in range(2):
        await world.user(lab.app, f"u{n}")
    faults = Faults()
    lab.start(faults)
    await make(lab, "u0", MONDAY)
    first = list(faults.calls)
    faults.calls.clear()
    await make(lab, "u1", MONDAY)
    own = [call for call in faults.calls if call.split(".")[0] in ("users", "digests", "taste", "items", "moods")]
    blobs = [call for call in faults.calls if call == "blobs.create"]
    assert sorted(own) == [
        "digests.create",
        "digests.query",
        "digests.query",
        "taste.query",
        "taste.read",
        "users.query",
        "users.read",
    ]
    assert len(blobs) == 2 + 1, "the digest's, and the job's receipt"
    assert [call for call in first if call.startswith(("items", "moods"))] == [
        "items.query",
        "items.query",
        "moods.query",
    ]


def test_a_missed_monday_is_not_made_up() -> None:
    assert (WEEKLY.missed, WEEKLY.healthy_for) == (Missed.SKIP, None)
    assert WEEKLY.schedule(settings_of({})) == "0 0 9 * * 1"


def _store(lab: Lab) -> DigestStore:
    return DigestStore(lab.app.documents, lab.app.blobs, lab.clock)
