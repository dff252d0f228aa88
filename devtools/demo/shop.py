"""A small shop: the items that the demo's users judge, and a server for their pictures that can be slow or broken."""

from __future__ import annotations

import asyncio
import io
from typing import Any, Self

from aiohttp import web

Item = dict[str, Any]

ITEMS: dict[str, Item] = {
    "midnight-gown": {
        "title": "Midnight velvet evening gown",
        "description": "Floor-length gown in deep navy velvet, elegant and classic.",
        "category": "gown", "occasion": "formal affair", "colours": ["navy"], "size": "8", "brand": "Aurelia",
    },
    "meadow-dress": {
        "title": "Floral meadow dress",
        "description": "Romantic bohemian midi dress with a floral print in green and cream.",
        "category": "dress", "occasion": "wedding", "colours": ["green", "cream"], "size": "8", "brand": "Fern & Hay",
    },
    "city-blazer": {
        "title": "Tailored wool blazer",
        "description": "Minimalist charcoal blazer, sharp shoulders, for the office.",
        "category": "blazer", "occasion": "work", "colours": ["charcoal"], "size": "10", "brand": "Norden",
    },
    "racer-jacket": {
        "title": "Leather racer jacket",
        "description": "Edgy black leather biker jacket with silver zips.",
        "category": "jacket", "occasion": "party", "colours": ["black"], "size": "M", "brand": "Norden",
    },
    "loft-sweater": {
        "title": "Chunky knit sweater",
        "description": "Relaxed casual sweater in burgundy lambswool.",
        "category": "sweater", "occasion": "everyday", "colours": ["burgundy"], "size": "M", "brand": "Fern & Hay",
    },
    "court-sneakers": {
        "title": "White court sneakers",
        "description": "Sporty minimalist leather trainers.",
        "category": "sneakers", "occasion": "everyday", "colours": ["white"], "size": "42", "brand": "Norden",
    },
    "storm-coat": {
        "title": "Storm trench coat",
        "description": "Classic beige trench coat for rain and wind.",
        "category": "coat", "occasion": "work", "colours": ["beige"], "size": "10", "brand": "Aurelia",
    },
}  # fmt: skip

_PAINT = {
    "midnight-gown": ("#14213d", "#27406e"),
    "meadow-dress": ("#4f772d", "#f2e8cf"),
    "city-blazer": ("#36454f", "#5a6872"),
    "racer-jacket": ("#111111", "#c0c0c0"),
    "loft-sweater": ("#6d071a", "#8f2a3c"),
    "court-sneakers": ("#fafafa", "#d9d9d9"),
    "storm-coat": ("#d8c3a5", "#a58d6a"),
}


FEEDS = ("arrivals", "classics", "sale")
"""The feeds that the shop has."""


class Shop:
    """Serves `/{item}.png` and `/{feed}.xml` on a free port of the loopback interface, from entry to exit."""

    def __init__(self) -> None:
        self.slow: frozenset[str] = frozenset()
        """Items whose pictures wait until `hurry` is set."""
        self.hurry = asyncio.Event()
        self.broken: set[str] = set()
        """Items whose pictures answer 500."""
        self.shut = {"winter"}
        """Feeds that are not open yet."""
        self.asked: set[str] = set()
        """Items whose pictures were asked for."""
        self.host = ""

    async def __aenter__(self) -> Self:
        """Open."""
        app = web.Application()
        app.router.add_get("/{item}.png", self._picture)
        app.router.add_get("/{name}.xml", self._feed)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
        host, port = self._runner.addresses[0][:2]
        self.host = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self._runner.cleanup()

    def picture_of(self, item_id: str) -> str:
        """The address of an item's picture."""
        return f"http://{self.host}/{item_id}.png"

    def feed_of(self, name: str) -> str:
        """The address of a feed."""
        return f"http://{self.host}/{name}.xml"

    async def _feed(self, request: web.Request) -> web.Response:
        """A feed of what the shop sells; it takes its time, so that progress can be seen."""
        await asyncio.sleep(0.8)
        name = request.match_info["name"]
        if name not in (*FEEDS, "winter") or name in self.shut:
            raise web.HTTPNotFound
        items = "".join(
            f"<item><title>{item['title']}</title><link>http://{self.host}/{name}/{item_id}</link></item>"
            for item_id, item in ITEMS.items()
        )
        feed = f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'
        return web.Response(text=feed, content_type="application/rss+xml")

    async def _picture(self, request: web.Request) -> web.Response:
        item_id = request.match_info["item"]
        self.asked.add(item_id)
        if item_id in self.slow:
            await self.hurry.wait()
        if item_id in self.broken:
            raise web.HTTPInternalServerError
        if item_id not in _PAINT:
            raise web.HTTPNotFound
        return web.Response(body=_draw(*_PAINT[item_id]), content_type="image/png")


def _draw(ground: str, stripe: str) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (320, 480), ground)
    ImageDraw.Draw(image).rectangle((90, 0, 150, 480), fill=stripe)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
