"""Sources over HTTP: making, changing, running and following them, and the items that they brought."""

from __future__ import annotations

import json
from collections.abc import Awaitable
from typing import Any

import pytest

from shared.domains.sources import api as sources
from shared.domains.sources.store import SourceStore
from shared.web.answers import Answer, Problem
from support.calls import call
from support.scraping import Night, feed


def read(answer: Answer, status: int = 200) -> Any:
    assert answer.status == status, answer.body
    return json.loads(answer.body)


async def refused(call: Awaitable[Answer]) -> Problem:
    with pytest.raises(Problem) as caught:
        await call
    return caught.value


def fields(problem: Problem) -> list[str]:
    assert problem.status == 422
    return [each.field for each in problem.errors]


def body(**content: Any) -> bytes:
    return json.dumps(content).encode()


async def test_a_source_is_made_once(night: Night) -> None:
    request = body(kind="rss", url="https://shop.example/feed?utm_source=x", tags=["New"])
    answer = await sources.create_source(night.lab.app, call(request))
    made = read(answer, 201)
    assert answer.headers["Location"] == f"http://app/api/sources/{made['id']}"
    assert (made["url"], made["label"], made["tags"]) == ("https://shop.example/feed", "shop.example", ["new"])
    assert (made["health"], made["owner"], made["last_run"]) == ("new", "system", None)
    again = await refused(sources.create_source(night.lab.app, call(request)))
    assert (again.status, made["id"] in again.detail) == (409, True)


async def test_what_does_not_fit_is_named(night: Night) -> None:
    app = night.lab.app
    assert fields(await refused(sources.create_source(app, call(body(kind="rss"))))) == ["url"]
    assert fields(await refused(sources.create_source(app, call(body(kind="rss", url="http://10.0.0.1/"))))) == ["url"]
    assert (await refused(sources.create_source(app, call(b"[]")))).status == 400
    assert fields(await refused(sources.list_sources(app, call(query={"kind": "atom"})))) == ["kind"]
    assert fields(await refused(sources.list_sources(app, call(query={"health": "ill"})))) == ["health"]
    assert fields(await refused(sources.list_items(app, call(query={"source": "x"})))) == ["source"]
    assert fields(await refused(sources.list_items(app, call(query={"since": "x"})))) == ["since"]
    assert fields(await refused(sources.list_subscriptions(app, call(user_id="a b")))) == ["user_id"]
    for source in ("rss_000000000000", "x", "a\\b"):
        assert (await refused(sources.get_source(app, call(source_id=source)))).status == 404
        assert (await refused(sources.change_source(app, call(b"{}", source_id=source)))).status == 404
        assert (await refused(sources.delete_source(app, call(source_id=source)))).status == 404
        assert (await refused(sources.run_source(app, call(source_id=source)))).status == 404
        assert (await refused(sources.subscribe(app, call(user_id="ann", source_id=source)))).status == 404


async def test_a_source_is_shown_with_an_etag_and_changed_under_it(night: Night) -> None:
    app, source = night.lab.app, await night.add("reddit", subreddit="streetwear")
    answer = await sources.get_source(app, call(source_id=source))
    etag = answer.headers["ETag"]
    assert (await sources.get_source(app, call(source_id=source, headers={"if-none-match": etag}))).status == 304
    changed = await sources.change_source(
        app,
        call(
            body(label="Street", sort="new", poll_interval_seconds=3600), source_id=source, headers={"if-match": etag}
        ),
    )
    view = read(changed)
    assert (view["label"], view["sort"], view["poll_interval_seconds"]) == ("Street", "new", 3600)
    assert view == read(await sources.get_source(app, call(source_id=source)))
    assert (
        await refused(sources.change_source(app, call(body(label="x"), source_id=source, headers={"if-match": etag})))
    ).status == 412
    assert (await refused(sources.delete_source(app, call(source_id=source, headers={"if-match": etag})))).status == 412
    assert read(await sources.change_source(app, call(body(label="y"), source_id=source)))["label"] == "y"
    assert fields(await refused(sources.change_source(app, call(body(selectors={"item": "a"}), source_id=source)))) == [
        "selectors"
    ]
    assert fields(
        await refused(sources.change_source(app, call(body(url="https://x.example/"), source_id=source)))
    ) == ["url"]
    assert fields(await refused(sources.change_source(app, call(body(label=None), source_id=source)))) == ["label"]


async def test_a_change_of_what_is_read_is_read_although_the_server_knows_of_none(night: Night) -> None:
    night.serve_conditionally("/new", "<a class=p href=/1><h2>Coat</h2><i>Wool</i></a>", "text/html")
    source = await night.add("brand_site", "/new", selectors={"item": ".p"})
    await night.scrape(source)
    assert (await night.scrape(source))["not_modified"] == 1
    await sources.change_source(night.lab.app, call(body(selectors={"item": ".p", "title": "i"}), source_id=source))
    assert (await night.scrape(source))["changed"] == 1
    assert [item.title for item in await night.items()] == ["Wool"]


async def test_switched_off_and_on(night: Night) -> None:
    app, source = night.lab.app, await night.add("reddit", subreddit="streetwear")
    assert read(await sources.change_source(app, call(body(active=False), source_id=source)))["health"] == "inactive"
    assert [each async for each in SourceStore(app.documents).due(night.lab.clock.now())] == []
    read(await sources.change_source(app, call(body(active=True), source_id=source)))
    assert [each.id async for each in SourceStore(app.documents).due(night.lab.clock.now())] == [source]


async def test_sources_are_listed_page_by_page(night: Night) -> None:
    for number in range(5):
        await night.add("reddit", subreddit=f"sub{number}")
    await night.add("rss", "/feed")
    seen, cursor = [], ""
    while True:
        page = read(await sources.list_sources(night.lab.app, call(query={"limit": "4", "cursor": cursor})))
        seen += [each["id"] for each in page["items"]]
        if not (cursor := page["cursor"]):
            break
    assert seen == sorted(set(seen))
    assert len(seen) == 6
    only = read(await sources.list_sources(night.lab.app, call(query={"kind": "rss", "health": "new"})))["items"]
    assert [each["kind"] for each in only] == ["rss"]


async def test_a_run_by_hand_is_a_ticket(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen")), kind="application/rss+xml")
    source = await night.add("rss", "/feed", active=False)
    ticket = read(await sources.run_source(night.lab.app, call(source_id=source)), 202)
    job = await night.ended(ticket["job_id"])
    assert night.results(job)["new"] == 1
    view = read(await sources.get_source(night.lab.app, call(source_id=source)))
    assert view["last_run"]["job_id"] == ticket["job_id"]
    assert (view["last_run"]["outcome"], view["last_run"]["new"]) == ("scraped", 1)


async def test_items_are_listed_newest_first(night: Night) -> None:
    app = night.lab.app
    night.site.serve("/feed", feed(*((f"{n}", f"Title {n}") for n in range(5))), kind="application/rss+xml")
    source = await night.add("rss", "/feed")
    await night.scrape(source)
    first = read(await sources.list_items(app, call(query={"limit": "3", "source": source})))
    rest = read(await sources.list_items(app, call(query={"limit": "3", "source": source, "cursor": first["cursor"]})))
    assert len({each["item_id"] for each in first["items"] + rest["items"]}) == 5
    assert rest["cursor"] is None
    assert first["items"][0]["sources"] == [{"source_id": source, "kind": "rss", "label": night.site.host}]
    since = night.lab.clock.now().isoformat()
    night.lab.clock.advance(3600)
    night.site.serve("/feed", feed(("new", "New")), kind="application/rss+xml")
    await night.scrape(source)
    newer = read(await sources.list_items(app, call(query={"since": since})))["items"]
    assert [each["title"] for each in newer if each["title"] == "New"] == ["New"]
    assert read(await sources.list_items(app, call(query={"since": "2100-01-01"})))["items"] == []


async def test_following_and_not(night: Night) -> None:
    app = night.lab.app
    ids = sorted([await night.add("reddit", subreddit="streetwear"), await night.add("rss", "/feed")])
    for source in (*ids, ids[0]):
        assert (await sources.subscribe(app, call(user_id="ann", source_id=source))).status == 204
    assert (await sources.unsubscribe(app, call(user_id="ben", source_id=ids[0]))).status == 204
    followed = read(await sources.list_subscriptions(app, call(user_id="ann")))
    assert [each["source_id"] for each in followed["items"]] == ids
    assert read(await sources.list_subscriptions(app, call(user_id="ben")))["items"] == []
    await sources.unsubscribe(app, call(user_id="ann", source_id=ids[0]))
    assert [
        each["source_id"] for each in read(await sources.list_subscriptions(app, call(user_id="ann")))["items"]
    ] == ids[1:]


async def test_a_source_that_is_deleted_and_comes_back_brings_no_item_twice(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen")), kind="application/rss+xml")
    source = await night.add("rss", "/feed")
    await night.scrape(source)
    assert (await sources.delete_source(night.lab.app, call(source_id=source))).status == 204
    assert (await refused(sources.get_source(night.lab.app, call(source_id=source)))).status == 404
    assert await night.add("rss", "/feed") == source
    assert (await night.scrape(source))["new"] == 0
    assert len(await night.items()) == 1
