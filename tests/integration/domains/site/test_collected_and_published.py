"""The chain over real HTTP and storage: a feed is collected, the pages behind its items are read, and the site is published."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import feedparser

from shared.domains.collect.api import summary_womble
from shared.domains.site.editions import Editions
from shared.domains.site.store import ArticleStore
from support.calls import call
from support.lab import Lab
from support.sites import Site

STORY = (
    "<p>Der Fluss ist am Freitag um zwei Meter gestiegen, und die Feuerwehr hat die ganze Nacht Sandsäcke gefüllt. "
    "Die Bürgermeisterin dankte allen Helfern, die am Ufer gearbeitet haben.</p>"
)
PAGE = (
    "<html lang='de'><head><title>Hochwasser</title><meta property='og:image' content='/flood.jpg'><meta name='author' content='Ann Example'>"
    f"</head><body><article><h1>Hochwasser</h1>{STORY * 6}</article></body></html>"
)


def feed(site: Site) -> str:
    items = "".join(
        f"<item><title>{title}</title><link>{site.url(path)}</link><category>Wetter</category><description>Kurz.</description></item>"
        for title, path in (("Hochwasser am Fluss", "/flood"), ("Eine Seite, die es nicht gibt", "/gone"))
    )
    return site.serve(
        "/feed", f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>", kind="application/rss+xml"
    )


async def asked(lab: Lab, body: dict[str, Any]) -> dict[str, Any]:
    answer = await summary_womble(lab.app, call(json.dumps(body).encode()))
    return dict(json.loads(answer.body))


async def test_a_collection_is_published_if_that_is_asked_for(lab: Lab, site: Site) -> None:
    site.serve("/flood", PAGE, kind="text/html")
    ticket = await asked(lab, {"source": "rss", "topics": [feed(site)], "limit": 5, "then": "publish"})
    assert set(ticket) == {"job_id", "status", "message", "timestamp", "status_check_example"}
    status = {"action": "status", "job_id": ticket["job_id"]}
    await lab.pump()
    assert (await asked(lab, status))["status"] == "running"
    lab.clock.advance(61)
    await lab.pump()
    done = await asked(lab, status)
    assert done["status"] == "completed"
    assert (done["results"]["total_topics"], done["results"]["total_subreddits"]) == (2, 1)
    assert set(done["results"]["results"][0]) == {"subreddit", "topics_count", "blob_name", "status"}
    by_title = {each.title: each for each in await ArticleStore(lab.documents, lab.clock, timedelta(days=90)).newest(9)}
    flood, gone = by_title["Hochwasser am Fluss"], by_title["Eine Seite, die es nicht gibt"]
    assert (flood.language, flood.minutes, flood.image) == ("de", 1, site.url("/flood.jpg"))
    assert flood.summary.startswith("Der Fluss ist am Freitag um zwei Meter gestiegen")
    assert (gone.minutes, gone.topics) == (None, ("Wetter",))
    editions = Editions(lab.blobs, lab.clock)
    pages = await editions.manifest((await editions.shown()).value.current)
    parsed = feedparser.parse(await editions.page(pages["feed.xml"]))
    assert (parsed.bozo, parsed.version, len(parsed.entries)) == (False, "rss20", 2)
    assert {entry.title for entry in parsed.entries} == by_title.keys()
    as_json = json.loads(await editions.page(pages["feed.json"]) or b"")
    assert as_json["version"] == "https://jsonfeed.org/version/1.1"
    assert {each["title"] for each in as_json["items"]} == by_title.keys()
    assert all(each["url"] == each["id"] and each["date_published"] for each in as_json["items"])


async def test_a_chain_whose_collection_fails_says_why(lab: Lab, site: Site) -> None:
    ticket = await asked(lab, {"source": "rss", "topics": [site.url("/none")], "then": "publish"})
    await lab.pump()
    failed = await asked(lab, {"action": "status", "job_id": ticket["job_id"]})
    assert failed["status"] == "failed"
    assert "the server answered 404" in failed["error"]
