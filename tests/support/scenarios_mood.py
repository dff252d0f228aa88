"""What the crash sweep does to moods: a first night, and one on which there is something to join, to merge and to forget."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from shared.domains.items.containers import ITEMS
from shared.domains.items.store import ItemStore
from shared.domains.moods.articles import content_key, of_item
from shared.domains.moods.containers import MOODS
from shared.domains.moods.evidence import collect, described, supported, unified
from shared.domains.moods.lexicon import read
from shared.domains.moods.memory import recall
from shared.domains.moods.model import Embedding, Mood, text_hash
from shared.domains.moods.store import MoodStore
from shared.domains.moods.vectors import HashingEmbedder, vector_of
from shared.jobs.model import Status
from shared.ports import Query
from support.lab import Lab
from support.moods import NIGHT, store_items
from support.scenarios import Scenario, Trial

SECOND_NIGHT = (
    ("Boho dresses are back", "Crochet tops, fringe bags and maxi dresses."),
    ("More cottagecore dresses", "Milkmaid tops and gingham skirts."),
)
_HALF_LIFE = timedelta(days=7)
_BEFORE: dict[str, list[Mood]] = {}
"""The moods before the act, by trial."""


async def _emptied(lab: Lab) -> None:
    for container in (ITEMS, MOODS):
        for document in (await lab.documents.query(container, Query(limit=1000))).items:
            await lab.documents.delete(container, document["pk"], document["id"])


async def _first_night(trial: Trial) -> None:
    lab = trial.lab
    await _emptied(lab)
    await store_items(lab.documents, lab.clock)
    _BEFORE[trial.key] = []
    await trial.take("process-moods")


async def _next_night(trial: Trial) -> None:
    """Two moods are known, one of them under two names; and there is more to read."""
    lab = trial.lab
    await _emptied(lab)
    await store_items(lab.documents, lab.clock)
    await lab.run("process-moods")
    store = MoodStore(lab.documents)
    (twin,) = [mood for mood in await store.current() if mood.id == "cottagecore"]
    await store.put_newer(replace(twin, id="cottage-style", name="Cottage Style", version=1))
    await store_items(lab.documents, lab.clock, SECOND_NIGHT, timedelta(hours=1))
    _BEFORE[trial.key] = await store.current()
    await trial.take("process-moods")


async def _run(trial: Trial) -> None:
    await trial.lab.pump()


async def _as_without_a_fault(trial: Trial) -> None:
    """The very documents that an undisturbed run leaves: each article is counted once, and each version grew by one."""
    lab = trial.lab
    await lab.settled(trial.ticket, Status.COMPLETED)
    articles = [of_item(item) async for item in ItemStore(lab.documents, lab.clock).recent()]
    moods, _ = unified(_BEFORE[trial.key], _HALF_LIFE)
    moods = described(supported(moods, collect((one, read(one)) for one in articles), _HALF_LIFE, 20))
    before = {mood.id: mood for mood in _BEFORE[trial.key]}
    expected = [_written(mood, before.get(mood.id)) for mood in moods.values()]
    assert await MoodStore(lab.documents).current() == sorted(expected, key=lambda mood: mood.id)
    keys = {key for one in articles for key in (one.key, content_key(one.title, one.text))}
    assert (await recall(lab.documents)).keys == keys
    assert len(articles) >= len(NIGHT)


def _written(mood: Mood, before: Mood | None) -> Mood:
    embedding: dict[str, Any] = {
        "vector": tuple(vector_of(mood.text)),
        "embedding": Embedding(HashingEmbedder.model, text_hash(mood.text)),
    }
    written = replace(mood, **embedding)
    version = before.version if before else 0
    return written if before == replace(written, version=version) else replace(written, version=version + 1)


SCENARIOS = (
    Scenario("moods, first night", _run, _as_without_a_fault, arrange=_first_night),
    Scenario("moods, next night", _run, _as_without_a_fault, arrange=_next_night),
)
