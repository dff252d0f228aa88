"""A small web made of real pages: feeds, subreddits, shops and articles, served on this machine.

The pages are years old, and what is years old is news to nobody. So their dates are moved: the newest entry of a feed is
of today, and a year of a subreddit's best posts is told as if it were two weeks.
"""

from __future__ import annotations

import csv
import gzip
import html
import io
import itertools
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any, Self
from xml.sax.saxutils import escape

from aiohttp import web

from devtools.environment import TroubleError

PRODUCTS_OF_A_SHOP = 40
SHOPS = 8
ARTICLES = 24
_COLOURS = {
    "Black": "#1b1b1b", "White": "#f4f4f2", "Blue": "#2f5d9b", "Navy Blue": "#1d2a4d", "Red": "#b3262e", "Green": "#3c7a4b",
    "Grey": "#8b8d90", "Brown": "#6f4a2f", "Pink": "#e08da7", "Purple": "#6b3f87", "Yellow": "#e5c04b", "Beige": "#d8c3a5",
    "Cream": "#f2e8cf", "Maroon": "#5d1728", "Olive": "#6b6b2a", "Orange": "#dd7a34", "Silver": "#c0c0c0", "Gold": "#c9a227",
}  # fmt: skip
_YEAR_IN_DAYS = 30
"""How much faster time goes by for old posts."""
_DATE = re.compile(rb"(?<=>)\w{3}, \d{1,2} \w{3} \d{4} [\d:]{5,8} [^<]{1,6}(?=<)")
"""A date as RSS writes it."""
_SELECTORS = {"item": "li.product", "title": "h3", "link": "a", "image": "img", "price": ".price"}
Page = tuple[str, bytes]
Json = dict[str, Any]


class World:
    """Serves what it found in a data folder, and knows the source of each part of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._subreddits = {path.name.removesuffix(".csv.gz"): path for path in _found(folder, "reddit/top1000_2013")}
        self._feeds = {f"/feeds/{path.stem}-{path.parent.name[:4]}.xml": path for path in _feeds(folder)}
        self._shops = _shops(folder / "catalogue/styles.csv.gz")
        self._articles = _articles(folder / "html/article-extraction-benchmark/html")
        self._port = 0
        self._runner: web.AppRunner | None = None
        self.asked = 0
        """How many requests were answered."""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/robots.txt", self._robots)
        app.router.add_get("/r/{name}/{sort}.json", self._listing)
        app.router.add_get("/images/{colour}/{id}.png", self._image)
        app.router.add_get("/articles/sitemap.xml", self._sitemap)
        app.router.add_get("/{path:.*}", self._page)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    @property
    def host(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.host}"

    def sources(self) -> Iterator[Json]:
        """What to scrape: the bodies of `POST /api/sources`."""
        yield from self.feeds()
        for name in self._subreddits:
            yield {"kind": "reddit", "subreddit": name}
        for path in self._shops:
            yield {"kind": "brand_site", "url": self.url + path, "label": Path(path).name, "selectors": _SELECTORS}
        if self._articles:
            yield {"kind": "sitemap", "url": f"{self.url}/articles/sitemap.xml", "label": "articles"}

    def feeds(self) -> Iterator[Json]:
        """Of these, the feeds."""
        for path in self._feeds:
            yield {"kind": "rss", "url": self.url + path, "label": Path(path).stem}

    async def _robots(self, _: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nAllow: /\n")

    async def _listing(self, request: web.Request) -> web.Response:
        path = self._subreddits.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        self.asked += 1
        limit = int(request.query.get("limit", 25))
        posts = _moved([_post(row) for row in itertools.islice(_rows(path), limit)])
        children = [{"kind": "t3", "data": post} for post in posts]
        return web.json_response({"kind": "Listing", "data": {"children": children, "after": None}})

    async def _sitemap(self, _: web.Request) -> web.Response:
        self.asked += 1
        addresses = "".join(f"<url><loc>{escape(self.url + path)}</loc></url>" for path in self._articles)
        text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{addresses}</urlset>'
        return web.Response(text=text, content_type="application/xml")

    async def _image(self, request: web.Request) -> web.Response:
        paint = _COLOURS.get(request.match_info["colour"], "#b8b4ae")
        return web.Response(body=_draw(paint, int(request.match_info["id"])), content_type="image/png")

    async def _page(self, request: web.Request) -> web.Response:
        self.asked += 1
        kind, body = self._read("/" + request.match_info["path"])
        return web.Response(body=body, headers={"Content-Type": kind})

    def _read(self, path: str) -> Page:
        if path in self._feeds:
            return "application/rss+xml", _today(self._feeds[path].read_bytes())
        if path in self._shops:
            return "text/html; charset=utf-8", _shop(path, self._shops[path]).encode()
        if path in self._articles:
            data = self._articles[path].read_bytes()
            return "text/html; charset=utf-8", gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        raise web.HTTPNotFound


def _found(folder: Path, under: str) -> list[Path]:
    paths = sorted((folder / under).glob("*.csv.gz"))
    if not paths:
        raise TroubleError(f"no data in {folder / under}")
    return paths


def _feeds(folder: Path) -> list[Path]:
    return sorted((folder / "feeds/real").rglob("*.xml"))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _post(row: dict[str, str]) -> Json:
    numbers = {name: int(float(row[name] or 0)) for name in ("score", "ups", "downs", "num_comments")}
    flags = {name: row[name] == "True" for name in ("over_18", "is_self")}
    texts = {name: row[name] for name in ("id", "name", "title", "url", "permalink", "selftext", "domain", "thumbnail")}
    return {**texts, **numbers, **flags, "created_utc": float(row["created_utc"] or 0)}


def _moved(posts: list[Json]) -> list[Json]:
    newest = max((post["created_utc"] for post in posts), default=0.0)
    return [{**post, "created_utc": time.time() - (newest - post["created_utc"]) / _YEAR_IN_DAYS} for post in posts]


def _today(feed: bytes) -> bytes:
    """A feed with its dates moved by as much as brings the newest to the present."""
    found = {match: moment for match in _DATE.findall(feed) if (moment := _moment(match))}
    if not found:
        return feed
    shift = datetime.now(UTC) - max(found.values())
    return _DATE.sub(lambda match: _written(found, match[0], shift), feed)


def _moment(text: bytes) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text.decode())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _written(found: dict[bytes, datetime], text: bytes, shift: timedelta) -> bytes:
    return format_datetime(found[text] + shift).encode() if text in found else text


def _shops(path: Path) -> dict[str, list[dict[str, str]]]:
    """The shops: products of one usage and season each."""
    if not path.exists():
        return {}
    shops: defaultdict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(path):
        shop = shops[f"/shops/{row['usage']}-{row['season']}".lower().replace(" ", "-")]
        if len(shop) < PRODUCTS_OF_A_SHOP and row["masterCategory"] == "Apparel":
            shop.append(row)
    full = {name: rows for name, rows in sorted(shops.items()) if len(rows) == PRODUCTS_OF_A_SHOP}
    return dict(itertools.islice(full.items(), SHOPS))


def _shop(path: str, rows: list[dict[str, str]]) -> str:
    items = "\n".join(_product(path, row) for row in rows)
    return f"<!doctype html><title>{html.escape(path)}</title><ul>{items}</ul>"


def _product(path: str, row: dict[str, str]) -> str:
    image = f"/images/{row['baseColour']}/{row['id']}.png"
    return (
        f'<li class="product"><a href="{path}/{row["id"]}"><h3>{html.escape(row["productDisplayName"])}</h3></a>'
        f'<img src="{html.escape(image)}" alt=""></li>'
    )


def _articles(folder: Path) -> dict[str, Path]:
    paths = sorted(path for path in folder.glob("*") if path.is_file())[:ARTICLES]
    return {f"/articles/{path.name.split('.')[0]}.html": path for path in paths}


def _draw(paint: str, seed: int) -> bytes:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (320, 400), paint)
    draw = ImageDraw.Draw(image)
    for step in range(4):
        left = (seed * (step + 3) * 37) % 280
        draw.line((left, 0, (left + seed % 90) % 320, 400), fill="#00000022" if step % 2 else "#ffffff", width=2 + step)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
