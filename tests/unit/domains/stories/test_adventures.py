from __future__ import annotations

import json
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from shared.domains.stories import api, services
from shared.domains.stories.generation.grammar_generator import GrammarGenerator
from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Brief, Draft, ServiceError, Spoken
from shared.domains.stories.speech.tones import ToneSpeech
from shared.jobs import Status
from shared.web.answers import Problem
from support.stories import ANN, StoryApp, call, told


@pytest.fixture
async def app() -> StoryApp:
    made = StoryApp()
    await made.with_user()
    return made


class FailingGenerator(GrammarGenerator):
    """Fails so many times."""

    def __init__(self, times: int, retry_after: float | None = None) -> None:
        self.left, self.retry_after = times, retry_after

    async def generate(self, brief: Brief) -> Draft:
        if self.left > 0:
            self.left -= 1
            raise ServiceError("the model answered 529", self.retry_after)
        return await super().generate(brief)


class FailingSpeech(ToneSpeech):
    """Fails so many times."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def speak(self, sentences: Any, language: Language) -> Spoken:
        if self.left > 0:
            self.left -= 1
            raise ServiceError("the voice answered 503")
        return await super().speak(sentences, language)


async def first(app: StoryApp, **changes: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A new adventure, and its first entry once it is complete."""
    begun = await app.begin(**changes)
    await app.drain()
    adventure = await app.adventure(begun["id"])
    return adventure, await app.entry(adventure["id"], adventure["entries"][0]["entry_id"])


async def test_an_adventure_waits_for_its_first_entry_and_is_active_with_it(app: StoryApp) -> None:
    answer = await api.create_adventure(app.app, call(ANN))
    begun = json.loads(answer.body)
    assert (answer.status, begun["status"]) == (201, "awaiting_first_entry")
    assert answer.headers["Location"].endswith(f"/adventures/{begun['id']}")
    assert await app.queues.depth("adventure-pipeline") == 1
    await app.drain()
    adventure = await app.adventure(begun["id"])
    entry = await app.entry(begun["id"], adventure["entries"][0]["entry_id"])
    assert (adventure["status"], entry["status"], entry["audio"]["status"]) == ("active", "complete", "ready")
    assert adventure["title"] == entry["title"]
    sentences = [sentence for paragraph in entry["paragraphs"] for sentence in paragraph]
    assert all(each["translation"] and each["tokens"] for each in sentences)
    assert all(choice["translation"] for choice in entry["choices"])
    assert entry["cost"]["characters"] > 200 < 10 * entry["cost"]["seconds"]


async def test_a_story_is_read_to_its_end(app: StoryApp) -> None:
    adventure, entry = await first(app)
    for number in (2, 3):
        answer = await api.decide_adventure(
            app.app, call({"entry_id": entry["id"], "choice": 1}, adventure_id=adventure["id"])
        )
        assert answer.status == 201
        assert told(answer)["status"] == "pending"
        await app.drain()
        adventure = await app.adventure(adventure["id"])
        entry = await app.entry(adventure["id"], adventure["entries"][-1]["entry_id"])
        assert (entry["number"], entry["status"]) == (number, "complete")
    assert (adventure["status"], entry["choices"]) == ("finished", [])
    with pytest.raises(Problem) as ended:
        await app.decide(adventure["id"], entry["id"])
    assert ended.value.status == 409


async def test_a_decision_that_is_sent_twice_gives_one_entry_and_another_one_a_branch(app: StoryApp) -> None:
    adventure, entry = await first(app)
    one, again = await app.decide(adventure["id"], entry["id"], 0), await app.decide(adventure["id"], entry["id"], 0)
    await app.drain()
    later = await app.decide(adventure["id"], entry["id"], 0)
    assert one["id"] == again["id"] == later["id"]
    assert len(await app.submitted()) == 2
    other = await app.decide(adventure["id"], entry["id"], 1)
    await app.drain()
    adventure = await app.adventure(adventure["id"])
    assert len({each["entry_id"] for each in adventure["entries"]}) == 3
    shown = await app.entry(adventure["id"], entry["id"])
    assert [choice["entry_id"] for choice in shown["choices"][:2]] == [one["id"], other["id"]]


async def test_an_entry_is_told_anew_beside_the_old_one(app: StoryApp) -> None:
    adventure, entry = await first(app)
    following = await app.decide(adventure["id"], entry["id"], 0)
    await app.drain()
    retold = told(
        await api.retell_adventure_entry(app.app, call(adventure_id=adventure["id"], entry_id=following["id"]))
    )
    with pytest.raises(Problem) as busy:
        await api.retell_adventure_entry(app.app, call(adventure_id=adventure["id"], entry_id=retold["id"]))
    assert busy.value.status == 409
    await app.drain()
    old, new = await app.entry(adventure["id"], following["id"]), await app.entry(adventure["id"], retold["id"])
    assert old["paragraphs"] != new["paragraphs"]
    assert (await app.decide(adventure["id"], entry["id"], 0))["id"] == retold["id"]


async def test_what_nobody_writes_or_translates_is_refused(app: StoryApp) -> None:
    for changes, named in (
        ({"native_language": "it"}, "native_language"), ({"native_language": "fr"}, "native_language"),
        ({"language": "pl"}, "language"), ({"level": "D1"}, "level"), ({"length": 1}, "length"),
    ):  # fmt: skip
        with pytest.raises(Problem) as refused:
            await app.begin(**changes)
        assert refused.value.status == 422
        assert named in [each.field for each in refused.value.errors]
    with pytest.raises(Problem) as unknown:
        await app.begin(user_id="nobody")
    assert unknown.value.status == 404
    assert await app.submitted() == []


async def test_a_request_that_is_sent_again_gives_the_adventure_that_it_made(app: StoryApp) -> None:
    one, again = await app.begin({"idempotency-key": "k1"}), await app.begin({"idempotency-key": "k1"})
    assert one["id"] == again["id"] != (await app.begin({"idempotency-key": "k2"}))["id"]
    listed = told(await api.list_adventures(app.app, call(query={"user_id": "ann"})))
    assert len(listed["items"]) == 2


async def test_the_newest_adventures_come_first_in_pages(app: StoryApp) -> None:
    made = []
    for _ in range(5):
        made.append((await app.begin())["id"])
        app.clock.advance(60)
    page = told(await api.list_adventures(app.app, call(query={"user_id": "ann", "limit": "3"})))
    rest = told(
        await api.list_adventures(app.app, call(query={"user_id": "ann", "limit": "3", "cursor": page["cursor"]}))
    )
    assert [each["id"] for each in (*page["items"], *rest["items"])] == made[::-1]
    assert rest["cursor"] is None


async def test_a_service_that_fails_twice_is_waited_for_and_its_entry_is_made(
    app: StoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = FailingGenerator(2)
    monkeypatch.setattr(services, "generator", lambda _: failing)
    begun = await app.begin()
    job_id = begun["entries"][0]["job_id"]
    waits = []
    for _ in range(2):
        await app.drain()
        entry = await app.entry(begun["id"], begun["entries"][0]["entry_id"])
        assert entry["status"] == "generating"
        moment = app.queues.next_at()
        assert moment is not None
        waits.append((moment - app.clock.now()).total_seconds())
        app.clock.time = moment
    await app.drain()
    assert 30 <= waits[0] <= 60 <= waits[1] <= 90
    assert (await app.job(job_id)).status is Status.COMPLETED
    assert (await app.adventure(begun["id"]))["status"] == "active"


async def test_only_after_the_third_attempt_it_is_an_error_and_a_replay_takes_it_up_again(
    app: StoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = FailingGenerator(3)
    monkeypatch.setattr(services, "generator", lambda _: failing)
    begun = await app.begin()
    entry_id, job_id = begun["entries"][0]["entry_id"], begun["entries"][0]["job_id"]
    job = await app.ended(job_id)
    entry, adventure = await app.entry(begun["id"], entry_id), await app.adventure(begun["id"])
    assert (job.status, job.attempt) == (Status.FAILED, 3)
    assert (entry["status"], adventure["status"]) == ("error", "error")
    assert entry["error"] == {"type": "ServiceError", "message": "the model answered 529"}
    assert job.dead_letter_id is not None
    await app.engine.replays.one(job.dead_letter_id)
    await app.drain()
    entry = await app.entry(begun["id"], entry_id)
    assert (entry["status"], entry["error"], (await app.adventure(begun["id"]))["status"]) == (
        "complete",
        None,
        "active",
    )


async def test_a_service_that_says_when_is_left_alone_until_then(
    app: StoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = FailingGenerator(1, 600.0)
    monkeypatch.setattr(services, "generator", lambda _: failing)
    await app.begin()
    await app.drain()
    moment = app.queues.next_at()
    assert moment is not None
    assert timedelta(seconds=600) <= moment - app.clock.now() <= timedelta(seconds=630)


async def test_a_voice_that_fails_costs_the_entry_its_audio_for_a_while_and_nothing_else(
    app: StoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = FailingSpeech(3)
    monkeypatch.setattr(services, "speech", lambda _: failing)
    adventure, entry = await first(app)
    assert (adventure["status"], entry["status"], entry["audio"]["status"]) == ("active", "complete", "unavailable")
    with pytest.raises(Problem) as silent:
        await api.get_adventure_audio(app.app, call(adventure_id=adventure["id"], entry_id=entry["id"]))
    assert silent.value.status == 404
    (speaking,) = [job for job in await app.submitted() if job.kind == "speak_adventure_entry"]
    assert (await app.ended(speaking)).failures == 2
    assert (await app.entry(adventure["id"], entry["id"]))["audio"]["status"] == "ready"


async def test_an_entry_whose_job_was_cancelled_says_so(app: StoryApp) -> None:
    begun = await app.begin()
    await app.engine.cancel(begun["entries"][0]["job_id"])
    await app.drain()
    app.clock.advance(60)
    entry = await app.entry(begun["id"], begun["entries"][0]["entry_id"])
    assert (entry["status"], (await app.adventure(begun["id"]))["status"]) == ("error", "error")


async def test_audio_is_had_whole_and_in_parts(app: StoryApp) -> None:
    adventure, entry = await first(app)

    async def audio(**headers: str) -> tuple[int, bytes, dict[str, str]]:
        asked = call(
            headers={name.replace("_", "-"): text for name, text in headers.items()},
            adventure_id=adventure["id"],
            entry_id=entry["id"],
        )
        answer = await api.get_adventure_audio(app.app, asked)
        return answer.status, answer.body, dict(answer.headers)

    status, data, headers = await audio()
    assert (status, len(data), data[:4], headers["Accept-Ranges"]) == (200, entry["audio"]["bytes"], b"RIFF", "bytes")
    for wanted, part in (
        ("bytes=0-9", data[:10]),
        ("bytes=100-", data[100:]),
        ("bytes=-7", data[-7:]),
        (f"bytes=5-{10**9}", data[5:]),
    ):
        status, body, told_ = await audio(range=wanted)
        assert (status, body) == (206, part), wanted
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", told_["Content-Range"])
        assert found
        assert data[int(found[1]) : int(found[2]) + 1] == part
        assert int(found[3]) == len(data)
    assert (await audio(range=f"bytes={len(data)}-"))[0] == 416
    assert (await audio(range="lines=1-2"))[:2] == (200, data)
    assert (await audio(range="bytes=0-1", if_range='"another"'))[:2] == (200, data)
    assert (await audio(if_none_match=headers["ETag"]))[:2] == (304, b"")


async def test_the_marks_tell_where_each_sentence_is_heard(app: StoryApp) -> None:
    _, entry = await first(app)
    marks = [mark for mark in entry["audio"]["marks"] if mark["word"] is None]
    sentences = [sentence["text"] for paragraph in entry["paragraphs"] for sentence in paragraph]
    assert [mark["sentence"] for mark in marks] == list(range(len(sentences)))
    assert all(before["end"] <= after["start"] for before, after in pairwise(marks))
    assert marks[-1]["end"] <= entry["audio"]["seconds"]
    words = [mark for mark in entry["audio"]["marks"] if mark["sentence"] == 0 and mark["word"] is not None]
    assert len(words) == len(sentences[0].split())


async def test_words_are_counted_once_for_each_entry_and_come_due_until_they_are_known(app: StoryApp) -> None:
    await first(app)

    async def words(**query: str) -> dict[str, Any]:
        return told(
            await api.list_vocabulary(app.app, call(query={"language": "fr", "limit": "200", **query}, user_id="ann"))
        )

    met = await words()
    assert met["total"] == len(met["items"]) > 20
    assert (met["known"], met["due"]) == (0, 0)
    app.clock.advance(601)
    due = await words(state="due")
    assert due["due"] == len(due["items"]) > 20
    word = due["items"][0]["word"]
    known = told(
        await api.put_vocabulary_word(app.app, call({"language": "fr", "known": True}, user_id="ann", word=word))
    )
    assert (known["known"], known["due_at"]) == (True, None)
    assert word not in [each["word"] for each in (await words(state="due"))["items"]]
    assert [each["word"] for each in (await words(state="known"))["items"]] == [word]
    told(
        await api.put_vocabulary_word(app.app, call({"language": "fr", "known": False}, user_id="ann", word="boussole"))
    )
    assert "boussole" in [each["word"] for each in (await words(state="due"))["items"]]
    page = await words(limit="10")
    rest = await words(limit="200", cursor=page["cursor"])
    assert len(page["items"]) + len(rest["items"]) == rest["total"]


async def test_what_is_deleted_is_gone_and_an_entry_on_its_way_is_not_made(app: StoryApp) -> None:
    adventure, entry = await first(app)
    await app.decide(adventure["id"], entry["id"], 0)
    for _ in range(2):
        assert (await api.delete_adventure(app.app, call(adventure_id=adventure["id"]))).status == 204
    await app.drain()
    assert [job.results for job in await app.submitted()][1] == {"skipped": 1, "reason": "gone"}
    assert [name for name in app.blobs.names() if name.startswith("adventures/")] == []
    with pytest.raises(Problem) as gone:
        await app.adventure(adventure["id"])
    assert gone.value.status == 404


async def test_a_user_who_is_forgotten_leaves_nothing(app: StoryApp) -> None:
    from shared.domains.users.api import delete_user

    await first(app)
    await delete_user(app.app, call(user_id="ann"))
    assert [name for name in app.blobs.names() if name.startswith("adventures/")] == []
    assert told(await api.list_adventures(app.app, call(query={"user_id": "ann"})))["items"] == []
    assert told(await api.list_vocabulary(app.app, call(query={"language": "fr"}, user_id="ann")))["total"] == 0
