"""The chain, in virtual time: collect, enrich each item, publish; one item that fails stops nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.declarations import settings_of
from shared.domains.collect import kinds as collecting
from shared.domains.collect.model import Harvest, Item
from shared.domains.collect.payload import CollectJob
from shared.domains.site import enriching
from shared.domains.site.kinds import enrich_item
from shared.domains.site.workflows import content_site
from shared.jobs import FinalError
from shared.jobs.model import Status
from shared.jobs.testing import MemoryApp
from shared.workflows import result_of
from support.site import TOPIC, item, pages, shown

WANTED = CollectJob(source="rss", topics=[TOPIC])


class Feed:
    """A source that has what tests say."""

    items: tuple[Item, ...] = ()

    def label(self, topic: str) -> str:
        return topic

    def slug(self, topic: str) -> str:
        del topic
        return "news"

    def host(self, topic: str) -> str:
        del topic
        return "news.example"

    async def collect(self, topic: str, sort: str, limit: int) -> Harvest:
        del sort, limit
        return Harvest(topic, len(self.items), self.items)


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Feed:
    made = Feed()
    monkeypatch.setattr(collecting, "sources", lambda _settings: {"rss": made})
    return made


@pytest.fixture
def chain() -> MemoryApp:
    return MemoryApp(content_site, settings=settings_of({"SITE_READ_PAGES": "false"}))


async def test_a_collection_ends_as_a_published_edition(chain: MemoryApp, feed: Feed) -> None:
    feed.items = (item(1), item(2), item(3))
    begun = chain.clock.now()
    run = await chain.perform(content_site, WANTED)
    assert run.status is Status.COMPLETED, run.error
    assert (await shown(chain)).editions[0].items == 3
    assert b"Story number 1" in (await pages(chain))["index.html"]
    assert 60 <= (chain.clock.now() - begun).total_seconds() <= 70
    collected = await result_of(chain.blobs, run.job_id, "collect")
    assert {name: collected[name] for name in ("total_topics", "total_subreddits")} == {
        "total_topics": 3,
        "total_subreddits": 1,
    }
    assert await result_of(chain.blobs, run.job_id, "nothing of the kind") is None
    assert await result_of(chain.blobs, "no-such-run", "collect") is None


async def test_an_item_that_fails_stops_nothing(chain: MemoryApp, feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    feed.items = (item(1), item(2, title="Broken"), item(3))
    made = enriching.made

    async def breaking(job: Any, enricher: Any, it: enriching.Collected) -> Any:
        if it.item.title == "Broken":
            raise FinalError("on purpose")
        return await made(job, enricher, it)

    monkeypatch.setattr("shared.domains.site.kinds.made", breaking)
    run = await chain.perform(content_site, WANTED)
    assert run.results == {
        "outcome": "completed with failures",
        "steps": {"collect": "completed", "enrich": "completed", "publish": "completed"},
    }
    assert (await shown(chain)).editions[0].items == 2


async def test_many_collections_within_a_minute_make_one_edition(chain: MemoryApp, feed: Feed) -> None:
    tickets = []
    for number in range(1, 7):
        feed.items = (item(number),)
        tickets.append(await chain.submit(content_site, WANTED))
        await chain.drain()
        chain.clock.advance(8)
    for ticket in tickets:
        assert (await chain.ended(ticket)).status is Status.COMPLETED
    (edition,) = (await shown(chain)).editions
    assert edition.items == 6


async def test_the_model_is_not_asked_again_for_what_is_known(chain: MemoryApp, feed: Feed) -> None:
    feed.items = (item(1),)
    await chain.perform(content_site, WANTED)
    chain.clock.advance(3600)
    feed.items = (item(1, score=99), item(2))
    await chain.perform(content_site, WANTED)
    results = [job.results for job in await chain.submitted(enrich_item)]
    assert [next(iter(result.keys() - {"article_id"})) for result in results if isinstance(result, dict)] == [
        "enriched", "known", "enriched"
    ]  # fmt: skip


async def test_nothing_collected_publishes_nothing(chain: MemoryApp, feed: Feed) -> None:
    run = await chain.perform(content_site, WANTED)
    assert run.status is Status.COMPLETED
    assert (await shown(chain)).current == ""
    assert json.dumps(run.results)
    del feed
