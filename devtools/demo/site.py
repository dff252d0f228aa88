"""The end of the demo's night: its items, published as a site."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING

from devtools.demo import real
from devtools.demo.terminal import say

if TYPE_CHECKING:
    from devtools.demo.client import Json
    from devtools.demo.stage import Stage
    from devtools.demo.terminal import Story
    from devtools.demo.world import World

SETTINGS: Mapping[str, str] = {
    "SITE_DEBOUNCE_SECONDS": "1",
    "SITE_READ_PAGES": "false",
    "SITE_TITLE": "The Night's Items",
}
"""What the feeds link to is out on the web, and years old."""
_FEEDS, _ITEMS = 12, 10
_PATIENCE = 600.0


async def tell(stage: Stage, story: Story, world: World) -> list[str]:
    """Collect some of the feeds twice at once, and have both published; return where to look at the site."""
    story.chapter("The night's items, published")
    feeds = [source["url"] for source in islice(world.feeds(), _FEEDS)]
    half = len(feeds) // 2
    begun = [await _collect(stage, topics) for topics in (feeds[:half], feeds[half:])]
    left = await real.wait(stage, {ticket["job_id"] for ticket in begun}, time.monotonic() + _PATIENCE)
    story.expect("two collections went through the chain: collected, enriched, published", held=not left)
    editions = (await stage.client.get("site-editions"))["items"]
    newest: Json = editions[0] if editions else {"items": 0, "pages": 0}
    story.expect(f"{newest['items']} items on {newest['pages']} pages", held=newest["items"] >= _FEEDS)
    await _looked_through(stage, story)
    return ["site/", "site/feed.xml"]


async def _collect(stage: Stage, topics: list[str]) -> Json:
    body = {"source": "rss", "topics": topics, "limit": _ITEMS, "then": "publish"}
    return await stage.client.send("POST", "summarywomble", body)


async def _looked_through(stage: Stage, story: Story) -> None:
    """Follow every link of the front page, and read the feed as a feed reader does."""
    import feedparser

    front = await stage.client.text("site/")
    links = {link for link in re.findall(r'href="([^"#]+)"', front) if "://" not in link}
    pages = [await stage.client.text(f"site/{link}") for link in sorted(links)]
    story.expect(f"all {len(pages)} pages that the front page leads to are there", held=all(pages))
    feed = feedparser.parse(await stage.client.text("site/feed.xml"))
    story.expect(
        f"its feed is one: {feed.version}, {len(feed.entries)} entries", held=not feed.bozo and bool(feed.entries)
    )
    for entry in feed.entries[:3]:
        say(f"  {entry.title[:90]}")
