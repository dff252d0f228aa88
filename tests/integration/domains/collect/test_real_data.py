"""Real input: feeds of eleven readers' own tests, listings as Reddit sent them, articles that people marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bench import collect as bench
from bench import default_data
from shared.domains.collect.payload import MOST_TOPICS
from shared.jobs.model import Status
from support.azurite import AzuriteProcess
from support.lab import close_lab, open_lab


@pytest.fixture
def data() -> Path:
    folder = default_data()
    if absent := bench.missing(folder):
        pytest.skip(f"no real input at {folder / absent[0]}; set NIGHTSHIFT_DATA")
    return folder


def refusals(outcomes: list[bench.CollectionResult]) -> list[str]:
    return [one.refused for one in outcomes if one.refused]


async def test_feeds_are_collected_or_refused_with_a_reason(data: Path) -> None:
    outcomes = await bench.collect_all(bench.feeds(data), "rss")
    figures = bench.figures_of("feed", outcomes)
    assert figures["collect_feeds_with_items"] > 200
    assert figures["collect_feed_agreement"] >= 0.97
    assert figures["collect_feed_kept_whole"] >= 0.97
    assert figures["collect_feed_slowest_seconds"] < bench.SLOWEST_SECONDS
    assert set(refusals(outcomes)) <= {"unreadable: no feed: neither RSS nor Atom"}
    assert not [one.document.name for one in outcomes if one.refused and one.document.items]


async def test_listings_are_collected(data: Path) -> None:
    outcomes = await bench.collect_all(bench.listings(data), "reddit")
    figures = bench.figures_of("listing", outcomes)
    assert figures["collect_listings"] > 50
    assert figures["collect_listing_agreement"] == 1
    assert figures["collect_listing_slowest_seconds"] < bench.SLOWEST_SECONDS
    assert refusals(outcomes) == []


def test_articles_agree_with_what_people_marked(data: Path) -> None:
    figures = bench.measure_articles(data / bench.ARTICLES)
    assert figures["collect_articles"] > 100
    assert figures["collect_article_token_f1"] >= 0.96
    assert figures["collect_article_benchmark_f1"] >= 0.96


async def test_no_feed_crashes_a_job(data: Path, azurite: AzuriteProcess, unique: str, tmp_path: Path) -> None:
    """Every fourth feed through the engine, as many to a job as it takes: what jobs say is what the sources say."""
    documents = bench.feeds(data)[::4]
    async with bench.served(documents) as (address, settings):
        lab = await open_lab(
            azurite.connection_string,
            unique,
            tmp_path,
            FETCH_ALLOWED_HOSTS=settings.fetch_allowed_hosts,
            FETCH_HOST_INTERVAL_SECONDS="0",
        )
        results: list[dict[str, Any]] = []
        topics = [f"{address}/feeds/{number}" for number in range(len(documents))]
        for start in range(0, len(topics), MOST_TOPICS):
            batch = topics[start : start + MOST_TOPICS]
            job = await lab.run("collect-content", source="rss", topics=batch, limit=100)
            assert job.status is Status.COMPLETED
            assert isinstance(job.results, dict)
            results += dict[str, Any](job.results)["results"]
        await close_lab(lab)
    same = sum(
        one["topics_count"] == min(document.items, 100) for one, document in zip(results, documents, strict=True)
    )
    assert same / len(documents) >= 0.97
    assert all(one["error"] for one in results if one["status"] == "error")
