"""Publishing: editions are whole, switched at once, made of what changed, gone back to, and purged."""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from typing import Any

import pytest

from shared.declarations import settings_of
from shared.domains.site.editions import Editions, Manifest, UnknownEditionError
from shared.domains.site.kinds import PublishSite, copy_site, enrich_item, publish_site
from shared.jobs.errors import InvalidPayloadError
from shared.jobs.model import Status
from shared.jobs.testing import Died, Faults, MemoryApp, crash_sweep
from shared.ports import StorageError
from support.site import articles, enrich, item, pages, shown

NOW = PublishSite()


def collected(number: int = 1) -> PublishSite:
    return PublishSite(succeeded=number)


async def publish(app: MemoryApp, payload: PublishSite = NOW) -> dict[str, Any]:
    job = await app.perform(publish_site, payload)
    assert job.status is Status.COMPLETED, job.error
    assert isinstance(job.results, dict)
    return job.results


async def test_an_edition_has_a_page_for_each_item_and_topic_and_what_machines_read(app: MemoryApp) -> None:
    await enrich(app, [item(1), item(2), item(3, tags=())])
    result = await publish(app)
    found = await pages(app)
    assert (result["items"], result["pages"], result["written"]) == (3, len(found), len(found))
    assert {f"items/{each.article_id}.html" for each in await articles(app)} < found.keys()
    assert {
        "index.html", "topics/libraries.html", "topics.html", "archive.html", "about.html", "404.html", "feed.xml", "feed.json", "sitemap.xml",
        "robots.txt", "style.css",
    } < found.keys()  # fmt: skip
    assert b"Story number 2" in found["index.html"]
    assert b"Story number 3" not in found["topics/libraries.html"]


async def test_only_what_changed_is_written(app: MemoryApp) -> None:
    await enrich(app, [item(1), item(2)])
    first = await publish(app)
    before = await Editions(app.blobs, app.clock).manifest(first["edition_id"])
    app.clock.advance(60)
    await enrich(app, [item(3)], "later")
    second = await publish(app)
    after = await Editions(app.blobs, app.clock).manifest(second["edition_id"])
    written = {path for path, page in after.items() if second["edition_id"] in page.blob}
    (new,) = {path for path in after if path.startswith("items/")} - before.keys()
    lists = {
        "index.html",
        "topics/libraries.html",
        "topics.html",
        "archive.html",
        "about.html",
        "feed.xml",
        "feed.json",
        "sitemap.xml",
    }
    assert written == {new, *lists}
    assert second["written"] == len(written)


async def test_where_nothing_changed_there_is_no_new_edition(app: MemoryApp) -> None:
    await enrich(app, [item(1)])
    first = await publish(app)
    app.clock.advance(60)
    await enrich(app, [item(1)], "the same again")
    assert (await publish(app)) == {**first, "written": 0}
    assert [each.edition_id for each in (await shown(app)).editions] == [first["edition_id"]]


async def test_collections_within_a_minute_make_one_edition_and_none_is_lost(app: MemoryApp) -> None:
    tickets = []
    for number in range(1, 6):
        await enrich(app, [item(number)], f"c{number}")
        tickets.append(await app.submit(publish_site, collected()))
        app.clock.advance(11)
    results = [(await app.ended(ticket)).results for ticket in tickets]
    (edition,) = (await shown(app)).editions
    assert edition.items == 5
    assert {each["edition_id"] for each in results if isinstance(each, dict)} == {edition.edition_id}


async def test_a_collection_that_ends_while_an_edition_is_made_leads_to_another(app: MemoryApp) -> None:
    await enrich(app, [item(1)])
    first = await app.ended(await app.submit(publish_site, collected()))
    await enrich(app, [item(2)], "meanwhile")
    second = await app.ended(await app.submit(publish_site, collected()))
    assert isinstance(first.results, dict)
    assert isinstance(second.results, dict)
    assert (first.results["items"], second.results["items"]) == (1, 2)


async def test_of_two_publications_at_once_one_is_shown_and_the_other_looks_again(
    app: MemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await enrich(app, [item(1)])
    write = Editions.write_manifest

    async def overtaken(self: Editions, edition_id: str, pages: Manifest) -> None:
        monkeypatch.undo()
        await write(self, edition_id, pages)
        assert (await app.perform(publish_site, NOW)).status is Status.COMPLETED

    monkeypatch.setattr(Editions, "write_manifest", overtaken)
    app.restart()
    result = await publish(app)
    (edition,) = (await shown(app)).editions
    assert result == {"edition_id": edition.edition_id, "items": 1, "pages": edition.pages, "written": 0, "removed": 0}


@pytest.mark.parametrize(("succeeded", "withheld"), [(0, True), (2, True), (3, False)])
async def test_too_few_items_are_not_published(succeeded: int, withheld: bool) -> None:
    settings = settings_of({"SITE_READ_PAGES": "false", "SITE_MIN_ITEMS": "3"})
    app = MemoryApp(enrich_item, publish_site, settings=settings)
    await enrich(app, [item(1)])
    result = await publish(app, collected(succeeded))
    assert ("withheld" in result) is withheld
    assert bool((await shown(app)).current) is not withheld


async def test_nothing_is_published_where_there_is_nothing(app: MemoryApp) -> None:
    assert (await publish(app))["reason"] == "nothing"
    assert (await shown(app)).current == ""


async def test_the_site_goes_back_to_an_edition_and_is_held_there_until_somebody_publishes_by_hand(
    app: MemoryApp,
) -> None:
    await enrich(app, [item(1)])
    first = (await publish(app))["edition_id"]
    app.clock.advance(60)
    await enrich(app, [item(2)], "later")
    second = (await publish(app))["edition_id"]
    editions = Editions(app.blobs, app.clock)
    await editions.go_back(first, hold=True)
    assert b"Story number 2" not in (await pages(app))["index.html"]
    app.clock.advance(60)
    await enrich(app, [item(3)], "latest")
    assert (await publish(app, collected()))["reason"] == "held"
    assert (await shown(app)).current == first
    third = await publish(app, PublishSite(release=True))
    state = await shown(app)
    assert (state.current, state.held) == (third["edition_id"], False)
    assert [each.edition_id for each in state.editions] == [third["edition_id"], second, first]
    with pytest.raises(UnknownEditionError):
        await editions.go_back("20200101T000000-nothing", hold=True)


async def test_a_release_shows_the_same_articles_again_as_a_new_edition(app: MemoryApp) -> None:
    await enrich(app, [item(1)])
    first = (await publish(app))["edition_id"]
    await Editions(app.blobs, app.clock).go_back(first, hold=True)
    app.clock.advance(60)
    released = await publish(app, PublishSite(release=True))
    assert released["edition_id"] != first
    assert not (await shown(app)).held


async def test_old_editions_go_and_what_newer_ones_have_of_them_stays() -> None:
    settings = settings_of({"SITE_READ_PAGES": "false", "SITE_KEEP_EDITIONS": "2"})
    app = MemoryApp(enrich_item, publish_site, settings=settings)
    made = []
    for number in range(1, 6):
        await enrich(app, [item(number)], f"c{number}")
        made.append((await publish(app))["edition_id"])
        app.clock.advance(7200)
    kept = [each.edition_id for each in (await shown(app)).editions]
    assert kept == [made[4], made[3]]
    for edition_id in kept:
        assert (
            len([path for path in await pages(app, edition_id) if path.startswith("items/")])
            == made.index(edition_id) + 1
        )
    with pytest.raises(UnknownEditionError):
        await pages(app, made[0])
    blobs = [name for name in app.blobs.names() if name.startswith("site/pages/")]
    needed = {page.blob for each in kept for page in (await Editions(app.blobs, app.clock).manifest(each)).values()}
    young = {name for name in blobs if made[4] in name}
    assert set(blobs) == needed | young


async def test_what_a_dead_attempt_left_is_cleared(app: MemoryApp) -> None:
    await enrich(app, [item(1)])
    await publish(app)
    editions = Editions(app.blobs, app.clock)
    await editions.write_page("of-the-dead", "index.html", b"half")
    assert await editions.clear() == 0, "it may be in the making"
    app.clock.advance(3700)
    assert await editions.clear() == 1
    assert await pages(app)


async def test_a_copy_for_a_static_website_follows_and_leaves_alone_what_is_not_its_own() -> None:
    settings = settings_of({"SITE_READ_PAGES": "false", "SITE_WEB_CONTAINER": "$web"})
    app = MemoryApp(enrich_item, publish_site, copy_site, settings=settings)
    web = app.containers("$web")
    await web.create("other.html", b"not of the site")
    await enrich(app, [item(1), item(2, tags=("Libraries", "Books"))])
    await publish(app)
    await app.drain()
    copied = {info.name async for info in web.list("")}
    assert copied == {*await pages(app), "other.html"}
    await Editions(app.blobs, app.clock).go_back((await shown(app)).current, hold=False)
    (job,) = await app.submitted(copy_site)
    assert job.results == {"written": len(copied) - 1, "deleted": 0}
    app.clock.advance(100 * 86400)
    await enrich(app, [item(7)], "much later")
    await publish(app)
    await app.drain()
    after = {info.name async for info in web.list("")}
    assert after == {*await pages(app), "other.html"}
    assert copied - after, "pages of what has expired are gone"
    front = await web.read("index.html")
    assert front is not None
    assert front.data == (await pages(app))["index.html"]


@pytest.mark.parametrize("again", [False, True], ids=["first edition", "next edition, and the oldest goes"])
async def test_no_crash_shows_half_an_edition(again: bool) -> None:
    settings = settings_of({"SITE_READ_PAGES": "false", "SITE_KEEP_EDITIONS": "2", "SITE_TOPIC_MIN_ITEMS": "9"})

    before = MemoryApp(enrich_item, publish_site, settings=settings)
    for number in range(1, 4 if again else 1):
        await enrich(before, [item(number)], f"c{number}")
        await publish(before)
        before.clock.advance(7200)
    await enrich(before, [item(5)], "last")

    async def play(faults: Faults) -> object:
        app = MemoryApp(enrich_item, publish_site, settings=settings)
        app.clock.time, app._submissions = before.clock.time, before._submissions
        for mine, theirs in ((app.blobs, before.blobs), (app.documents, before.documents)):
            vars(mine).update({name: copy(each) for name, each in vars(theirs).items() if name != "_clock"})
        ticket = await app.submit(publish_site, NOW)
        app.restart(faults)
        with suppress(StorageError, Died):
            await app.ended(ticket)
        if (await shown(app)).current:
            for edition in (await shown(app)).editions:
                assert await pages(app, edition.edition_id), "whole, at the moment of the crash"
        app.restart()
        await app.recover()
        assert (await app.job(ticket)).status is Status.COMPLETED
        return await pages(app)

    report = await crash_sweep(play)
    report.check()
    assert report.plays >= 4 * report.calls >= 80


def test_the_payload_of_an_enrichment_names_what_a_collection_wrote_and_nothing_else() -> None:
    for name in ("jobs/x/status.json", "../20260101_000000_a.json", "20260101_000000_/a.json", "site/current.json"):
        with pytest.raises(InvalidPayloadError, match="blob_name"):
            enrich_item.parse({"blob_name": name, "number": 0}, 1)
