"""Taste over HTTP: the real app over SQLite, with blobs and queues in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.app import App
from shared.bootstrap import compose
from shared.declarations import settings_of
from shared.domains.taste.api import delete_taste, get_taste_profile, post_taste_feedback
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.store import PriorStore, TasteStore
from shared.domains.taste.words import analyse_words
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryQueues
from shared.web.answers import Problem
from support.calls import call


@pytest.fixture
async def app(tmp_path: Path, clock: FakeClock) -> AsyncIterator[App]:
    documents = SqliteDocuments(tmp_path / "taste.db", clock)
    yield compose(settings_of({}), MemoryBlobs(clock), MemoryQueues(clock), documents, clock)
    await documents.close()


async def like(app: App, user: str, item: int = 1) -> None:
    job = TasteJob.model_validate(
        {
            "user_id": user,
            "item_id": str(item),
            "signal": "up",
            "item": {"colours": ["teal"]},
            "occurred_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=item),
        }
    )
    store = TasteStore(app.documents, app.clock)
    await store.record(Evidence.of(job, analyse_words(job.item), ImageNote("none")))
    await store.fold(user)


async def test_feedback_becomes_a_job_of_now(app: App) -> None:
    body = {"user_id": "u", "item_id": "i", "signal": "up", "item": {"title": "gown"}}
    answer = await post_taste_feedback(app, call(json.dumps(body).encode()))
    assert (answer.status, answer.headers["Retry-After"]) == (202, "2")
    job = (await app.engine.get(json.loads(answer.body)["job_id"])).value
    payload = TasteJob.model_validate(job.payload)
    assert (job.kind, payload.item.title, payload.occurred_at) == ("taste-analysis", "gown", app.clock.now())
    assert await app.queues.depth("taste-analysis-jobs") == 1


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b"not json", 400, set()),
        (b"[]", 400, set()),
        (b"\xff", 400, set()),
        (b" " * (1024 * 1024 + 1), 413, set()),
        (b"{}", 422, {"user_id", "item_id", "signal"}),
        (b'{"user_id":"u","item_id":"i","signal":"up","image_url":"http://192.168.1.1/a"}', 422, {"image_url"}),
        (b'{"user_id":"u","item_id":"i","signal":"up","item":{"sise":"m"}}', 422, {"item.sise"}),
    ],
)
async def test_what_does_not_fit_makes_no_job(app: App, body: bytes, status: int, named: set[str]) -> None:
    with pytest.raises(Problem) as caught:
        await post_taste_feedback(app, call(body))
    assert caught.value.status == status
    assert {one.field for one in caught.value.errors} == named
    assert b"192.168" not in caught.value.answer().body
    assert await app.queues.depth("taste-analysis-jobs") == 0


async def test_a_new_user_has_a_sensible_profile(app: App) -> None:
    answer = await get_taste_profile(app, call(user_id="new"))
    content = json.loads(answer.body)
    assert content["evidence"] == {"ups": 0, "downs": 0, "items": 0, "oldest": None, "newest": None}
    assert len(content["facets"]["colour"]) == 10
    assert content["others"] == {"users": 0}


async def test_a_profile_says_what_it_stands_on_and_can_be_cached(app: App) -> None:
    await like(app, "u")
    answer = await get_taste_profile(app, call(user_id="u"))
    content = json.loads(answer.body)
    assert (content["user_id"], content["evidence"]["ups"]) == ("u", 1)
    first = content["facets"]["colour"][0]
    assert (first["value"], first["n_up"], first["n_down"]) == ("teal", 1, 0)
    etag = answer.headers["ETag"]
    assert (await get_taste_profile(app, call(user_id="u", headers={"if-none-match": etag}))).status == 304
    await like(app, "u", 2)
    assert (await get_taste_profile(app, call(user_id="u", headers={"if-none-match": etag}))).status == 200


async def test_what_others_like_changes_the_etag_too(app: App, clock: FakeClock) -> None:
    etag = (await get_taste_profile(app, call(user_id="u"))).headers["ETag"]
    for number in range(6):
        await like(app, f"other{number}")
    await PriorStore(app.documents, app.clock).refresh()
    clock.advance(301)
    answer = await get_taste_profile(app, call(user_id="u", headers={"if-none-match": etag}))
    assert answer.status == 200
    assert json.loads(answer.body)["facets"]["colour"][0]["value"] == "teal"


async def test_a_user_can_be_forgotten(app: App) -> None:
    await like(app, "u")
    assert (await delete_taste(app, call(user_id="u"))).status == 204
    assert (await delete_taste(app, call(user_id="u"))).status == 204
    assert json.loads((await get_taste_profile(app, call(user_id="u"))).body)["evidence"]["ups"] == 0


@pytest.mark.parametrize("user_id", ["", "~prior", "a b", "..", "a/b", "a" * 129, "a\n"])
async def test_what_is_no_user_id_is_refused(app: App, user_id: str) -> None:
    for answer in (get_taste_profile(app, call(user_id=user_id)), delete_taste(app, call(user_id=user_id))):
        with pytest.raises(Problem) as caught:
            await answer
        assert caught.value.errors[0].field == "user_id"
