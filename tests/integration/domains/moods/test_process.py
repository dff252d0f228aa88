"""The mood processor as a job, over real documents."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters import opening
from shared.domains.collect.sources import sources
from shared.domains.items.store import ItemStore
from shared.domains.moods import lexicon, processor, services
from shared.domains.moods.lexicon import LexiconExtractor
from shared.domains.moods.model import Mood
from shared.domains.moods.ports import Article, Finding, Findings, MoodServiceError
from shared.domains.moods.settings import MoodSettings
from shared.domains.moods.store import MoodStore
from shared.jobs.envelope import Delivery
from shared.jobs.model import Status
from shared.jobs.testing import Faults
from shared.settings import load
from support.cosmos import KEY, CosmosProcess
from support.lab import Lab
from support.moods import NIGHT, WatchedEmbedder, item, store_items, unavailable
from support.sites import Site, open_site

COTTAGE = ("cottagecore", "dark-academia", "streetwear")


async def moods_of(lab: Lab) -> dict[str, Mood]:
    return {mood.id: mood for mood in await MoodStore(lab.documents).current()}


async def run(lab: Lab) -> dict[str, Any]:
    job = await lab.run("process-moods")
    assert job.status is Status.COMPLETED, job.error
    assert isinstance(job.results, dict)
    return job.results


def add(lab: Lab, title: str, text: str = "", **options: Any) -> Any:
    found = item(title, text, lab.clock.now() - timedelta(hours=1), **options)
    return ItemStore(lab.documents, lab.clock).put(found)


async def test_moods_are_found_with_the_articles_that_carry_them(lab: Lab) -> None:
    await store_items(lab.documents, lab.clock)
    assert await run(lab) == {
        "articles": 4, "new_articles": 4, "waiting": 0, "extraction_failed": 0, "moods": 3, "changed": 3, "merged": 0, "embedded": 3,
        "embedding_failed": 0, "feeds_failed": 0,
    }  # fmt: skip
    moods = await moods_of(lab)
    assert tuple(moods) == COTTAGE
    cottagecore = moods["cottagecore"]
    assert [(one.title, one.url) for one in cottagecore.articles] == [
        (NIGHT[0][0], "https://mode.example/cottagecore-dresses-are-everywhere-this-spring")
    ]
    assert cottagecore.signals.key_pieces[:2] == ("prairie dress", "straw hat")
    assert cottagecore.embedding_status == "current"
    assert cottagecore.version == 1


async def test_a_second_run_on_the_same_items_writes_nothing(lab: Lab) -> None:
    await store_items(lab.documents, lab.clock)
    await run(lab)
    before = await moods_of(lab)
    lab.clock.advance(3600)
    faults = Faults()
    lab.start(faults)
    results = await run(lab)
    assert (results["articles"], results["new_articles"], results["changed"], results["embedded"]) == (4, 0, 0, 0)
    assert await moods_of(lab) == before
    assert [call for call in faults.calls if call.startswith("moods.")] == ["moods.query", "moods.read"]


async def test_an_article_is_counted_once_under_every_spelling_of_its_address(lab: Lab) -> None:
    await add(lab, "Cottagecore dresses", "Prairie dresses.", url="https://www.mode.example/a/?utm_source=x&b=1")
    await run(lab)
    await add(lab, "Cottagecore dresses, updated", "Prairie skirts.", url="http://mode.example/a?b=1")
    await add(lab, "Cottagecore  DRESSES", "Prairie dresses.", url="https://another.example/copied")
    results = await run(lab)
    assert (results["new_articles"], results["changed"]) == (0, 0)
    assert len((await moods_of(lab))["cottagecore"].counted) == 1


async def test_a_sub_mood_has_a_document_and_counts_for_its_primary_mood(lab: Lab) -> None:
    await add(lab, "Gorpcore jackets are in every shop")
    await run(lab)
    moods = await moods_of(lab)
    assert tuple(moods) == ("gorpcore", "sporty")
    assert (moods["gorpcore"].primary, moods["sporty"].sub_moods) == ("Sporty", ("Gorpcore",))
    assert moods["gorpcore"].counted == moods["sporty"].counted


async def test_all_changed_moods_are_embedded_in_one_call(lab: Lab, embedder: WatchedEmbedder) -> None:
    await store_items(lab.documents, lab.clock)
    await run(lab)
    assert len(embedder.calls) == 1
    assert sorted(embedder.calls[0]) == sorted(mood.text for mood in (await moods_of(lab)).values())
    await add(lab, "Coastal looks: breton tops and espadrilles")
    await add(lab, "Boho dresses with a fringe bag")
    await run(lab)
    assert [len(call) for call in embedder.calls] == [3, 2]
    await run(lab)
    assert len(embedder.calls) == 2


async def test_an_article_that_does_not_change_the_text_embeds_nothing(lab: Lab, embedder: WatchedEmbedder) -> None:
    await add(lab, "Streetwear hoodies are back")
    await run(lab)
    await add(lab, "Streetwear hoodies again")
    results = await run(lab)
    assert (results["changed"], results["embedded"], len(embedder.calls)) == (1, 0, 1)


@pytest.mark.parametrize(
    "bend",
    [
        unavailable,
        lambda vectors: vectors[:-1],
        lambda vectors: [*vectors, vectors[0]],
        lambda vectors: [],
        lambda vectors: [[], *vectors[1:]],
        lambda vectors: [[float("nan")] * 256, *vectors[1:]],
    ],
    ids=["unavailable", "too few", "too many", "none", "an empty one", "not a number"],
)
async def test_old_vectors_stay_until_the_next_run_that_can_embed(
    lab: Lab, embedder: WatchedEmbedder, bend: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await add(lab, "Cottagecore dresses in gingham")
    await run(lab)
    before = (await moods_of(lab))["cottagecore"]
    embedder.bend = bend
    await add(lab, "Cottagecore dresses with ditsy florals and a wicker cardigan", "Rust corduroy and a prairie dress.")
    await add(lab, "Grandmacore cardigans are everywhere")
    results = await run(lab)
    assert (results["changed"], results["embedded"], results["embedding_failed"]) == (2, 0, 2)
    assert "moods not embedded: count=2" in caplog.text
    moods = await moods_of(lab)
    kept = moods["cottagecore"]
    assert (kept.vector, kept.embedding_status, len(kept.counted)) == (before.vector, "stale", 3)
    assert moods["grandmacore"].embedding_status == "missing"

    embedder.bend = lambda vectors: vectors
    results = await run(lab)
    assert (results["new_articles"], results["embedded"], results["embedding_failed"]) == (0, 2, 0)
    moods = await moods_of(lab)
    assert {mood.embedding_status for mood in moods.values()} == {"current"}
    assert moods["cottagecore"].vector != before.vector


async def test_another_embedder_embeds_everything_anew(lab: Lab, embedder: WatchedEmbedder) -> None:
    await store_items(lab.documents, lab.clock)
    await run(lab)
    embedder.model = "another"
    assert (await run(lab))["embedded"] == 3
    assert (await run(lab))["embedded"] == 0


async def test_duplicates_are_merged_into_the_mood_that_they_are(lab: Lab) -> None:
    await add(lab, "Boho dresses")
    await run(lab)
    store = MoodStore(lab.documents)
    mood = (await moods_of(lab))["bohemian"]
    await add(lab, "Bohemian dresses for summer")
    more = replace(mood.counted[0], key="another")
    await store.put_newer(replace(mood, id="boho", name="Boho", version=4, counted=(*mood.counted, more)))
    await store.put_newer(replace(mood, id="boho-chic", name="bohó chic", version=1))
    results = await run(lab)
    assert (results["merged"], results["moods"]) == (2, 1)
    moods = await moods_of(lab)
    assert tuple(moods) == ("bohemian",)
    assert (moods["bohemian"].name, len(moods["bohemian"].counted)) == ("Bohemian", 3)
    assert (await run(lab))["changed"] == 0


async def test_two_runs_at_once_count_each_article_once(lab: Lab) -> None:
    await store_items(lab.documents, lab.clock)
    await lab.submit("process-moods")
    await lab.submit("process-moods")
    messages = await lab.storage_queues.receive(lab.settings.queue_normal)
    deliveries = [Delivery(lab.settings.queue_normal, one.message_id, one.text.encode()) for one in messages]
    assert len(deliveries) == 2
    await asyncio.gather(*map(lab.engine.process, deliveries))
    moods = await moods_of(lab)
    assert {name: len(mood.counted) for name, mood in moods.items()} == dict.fromkeys(COTTAGE, 1)


async def test_what_another_run_wrote_meanwhile_is_joined(lab: Lab, embedder: WatchedEmbedder) -> None:
    await add(lab, "Streetwear hoodies are back")
    await run(lab)
    await add(lab, "Streetwear sneakers for summer")
    store = MoodStore(lab.documents)

    async def meddle(texts: Any) -> Any:
        """Write, while the run embeds."""
        mood = (await moods_of(lab))["streetwear"]
        theirs = replace(mood.counted[0], key="theirs")
        await store.put_newer(replace(mood, version=2, counted=(*mood.counted, theirs)))
        return await WatchedEmbedder.embed_documents(embedder, texts)

    await add(lab, "Grunge jeans and skater sneakers")
    embedder.embed_documents = meddle  # type: ignore[method-assign]
    await run(lab)
    mood = (await moods_of(lab))["streetwear"]
    assert (mood.version, len(mood.counted)) == (3, 4)
    assert "theirs" in {one.key for one in mood.counted}


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


def with_feeds(lab: Lab, site: Site, *urls: str) -> None:
    here = replace(lab.settings, fetch_allowed_hosts=site.host, fetch_host_interval_seconds=0.0)
    lab.settings = here.having(MoodSettings(feeds=urls))
    sources.cache_clear()
    lab.start()


def feed(*entries: tuple[str, str, str]) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>{link}</link>{f'<pubDate>{date}</pubDate>' if date else ''}</item>"
        for title, link, date in entries
    )
    return f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"


async def test_feeds_are_read_and_a_broken_one_stops_nothing(lab: Lab, site: Site) -> None:
    now = lab.clock.now()
    yesterday, tomorrow, last_year = (
        (now + timedelta(days=days)).strftime("%a, %d %b %Y %H:%M:%S GMT") for days in (-1, 1, -365)
    )
    good = feed(
        ("Cottagecore dresses", "https://mode.example/cottage", yesterday),
        ("Streetwear sneakers", "https://mode.example/street?utm_source=feed", yesterday),
        ("Goth dresses of the future", "https://mode.example/goth", tomorrow),
        ("Gorpcore jackets of last year", "https://mode.example/gorp", last_year),
        ("Preppy blazers without a date", "https://mode.example/prep", ""),
    )
    url = site.serve("/good.xml", good, kind="application/rss+xml")
    with_feeds(lab, site, url, site.serve("/bad.xml", "no feed"), site.url("/missing.xml"))
    await add(lab, "Streetwear sneakers, as an item", url="http://www.mode.example/street")
    results = await run(lab)
    assert (results["feeds_failed"], results["new_articles"], results["articles"]) == (2, 2, 2)
    moods = await moods_of(lab)
    assert {name: len(mood.counted) for name, mood in moods.items()} == {"cottagecore": 1, "streetwear": 1}
    assert (await run(lab))["changed"] == 0


class Refusing:
    """An extractor of which every second batch fails."""

    batch = 1
    at_once = 2
    most: int | None = None

    def __init__(self, failing: bool) -> None:
        self.failing = failing

    async def extract(self, articles: list[Article]) -> list[Findings]:
        if self.failing or "streetwear" in articles[0].title:
            raise MoodServiceError("busy", retry_after=90)
        return await LexiconExtractor().extract(articles)


async def test_articles_that_were_not_read_are_read_by_the_next_run(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await store_items(lab.documents, lab.clock)
    monkeypatch.setattr(services, "extractor", lambda settings: Refusing(failing=False))
    results = await run(lab)
    assert (results["new_articles"], results["extraction_failed"], results["moods"]) == (3, 1, 2)
    monkeypatch.undo()
    results = await run(lab)
    assert (results["new_articles"], results["extraction_failed"], results["moods"]) == (1, 0, 3)


async def test_a_run_that_could_read_nothing_is_tried_again_when_the_service_says(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_items(lab.documents, lab.clock)
    monkeypatch.setattr(services, "extractor", lambda settings: Refusing(failing=True))
    job = await lab.run("process-moods")
    assert job.status is Status.QUEUED
    assert job.due_at - lab.clock.now() == timedelta(seconds=90)
    monkeypatch.undo()
    lab.clock.advance(91)
    await lab.pump()
    assert (await lab.job(job.job_id)).status is Status.COMPLETED
    assert len(await moods_of(lab)) == 3


class Inventive:
    """An extractor that makes up names, as models do."""

    batch = 100
    at_once = 1
    most: int | None = None

    async def extract(self, articles: list[Article]) -> list[Findings]:
        names = ("Tangerine Girl", "tangerine-girls", "Tangerine girl aesthetic")
        rare = (Finding("Lone Wolf", "Edgy", 0.9), Finding("Anything", "No such primary", 0.9))
        return [(Finding(names[n % 3], "coastal", 0.8), *(rare if n == 0 else ())) for n, _ in enumerate(articles)]


async def test_a_new_name_becomes_one_document_once_it_is_named_often_enough(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_items(lab.documents, lab.clock)
    monkeypatch.setattr(services, "extractor", lambda settings: Inventive())
    await run(lab)
    moods = await moods_of(lab)
    assert tuple(moods) == ("coastal", "edgy", "tangerinegirl")
    assert (moods["tangerinegirl"].name, moods["tangerinegirl"].primary) == ("Tangerine Girl", "Coastal")
    assert moods["coastal"].sub_moods == ("Tangerine Girl",)
    assert len(moods["coastal"].counted) == len(moods["tangerinegirl"].counted) == 4


async def test_a_run_never_holds_up_the_loop(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other work goes on while a batch is read, and nothing that takes long runs on the loop's thread."""
    text = "The prairie dress is worn with a cardigan and boots in this season's cottagecore look. " * 10
    await store_items(
        lab.documents, lab.clock, tuple((f"Cottagecore dresses, part {n}", f"{n} {text}") for n in range(200))
    )
    threads: set[int] = set()
    ticks, during = [0], []
    read, batch, fold = lexicon.read, LexiconExtractor.extract, processor._Run.fold

    def watched_read(article: Article) -> Findings:
        threads.add(threading.get_ident())
        return read(article)

    def watched_fold(*arguments: Any) -> Any:
        threads.add(threading.get_ident())
        return fold(*arguments)

    async def watched_batch(self: LexiconExtractor, articles: Any) -> Any:
        before = ticks[0]
        found = await batch(self, articles)
        during.append(ticks[0] - before)
        return found

    async def tick() -> None:
        while True:
            ticks[0] += 1
            await asyncio.sleep(0)

    monkeypatch.setattr(lexicon, "read", watched_read)
    monkeypatch.setattr(processor._Run, "fold", watched_fold)
    monkeypatch.setattr(LexiconExtractor, "extract", watched_batch)
    ticker = asyncio.create_task(tick())
    try:
        assert (await run(lab))["new_articles"] == 200
    finally:
        ticker.cancel()
    assert threading.get_ident() not in threads
    assert len(during) == 2
    assert min(during) > 5


async def test_the_timer_submits_a_run(lab: Lab) -> None:
    await store_items(lab.documents, lab.clock)
    occurrence = await lab.app.ledger.tick("PluckItMoodProcessor")
    assert occurrence is not None
    await lab.pump()
    assert tuple(await moods_of(lab)) == COTTAGE


async def test_over_cosmos_moods_are_the_same(lab: Lab, cosmos: CosmosProcess) -> None:
    documents = opening.open_documents(load({"COSMOS_ENDPOINT": cosmos.endpoint, "COSMOS_KEY": KEY}))
    try:
        await store_items(documents, lab.clock)
        await store_items(lab.documents, lab.clock)
        await run(lab)
        expected = await moods_of(lab)
        sqlite, lab.documents = lab.documents, documents  # type: ignore[assignment]
        lab.start()
        await run(lab)
        assert await moods_of(lab) == expected
        assert (await run(lab))["changed"] == 0
        lab.documents = sqlite
    finally:
        await documents.close()
