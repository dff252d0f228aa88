"""What machines read of the site: RSS 2.0, JSON Feed 1.1 and a sitemap."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from xml.etree import ElementTree as ET

RSS, XML, JSON_FEED = "application/rss+xml", "application/xml", "application/feed+json"
VERSION = 1
"""To be raised where the same content is to be told in another way: feeds are made anew only if what they are made of changed."""
_ATOM, _DC, _SITEMAP = "http://www.w3.org/2005/Atom", "http://purl.org/dc/elements/1.1/", "http://www.sitemaps.org/schemas/sitemap/0.9"  # fmt: skip
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Json = dict[str, Any]


def rss(site: Json, entries: Sequence[Json]) -> str:
    """RSS 2.0 with the latest entries, newest first."""
    for prefix, uri in (("atom", _ATOM), ("dc", _DC)):
        ET.register_namespace(prefix, uri)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    address = site["address"]
    _put(channel, "title", site["title"])
    _put(channel, "link", address)
    _put(channel, "description", site["description"])
    ET.SubElement(channel, f"{{{_ATOM}}}link", href=f"{address}feed.xml", rel="self", type=RSS)
    if entries:
        _put(channel, "lastBuildDate", _mail_date(entries[0]["at"]))
    for entry in entries:
        item = ET.SubElement(channel, "item")
        _put(item, "title", entry["title"])
        _put(item, "link", f"{address}{entry['href']}")
        _put(item, "guid", f"{address}{entry['href']}")
        _put(item, "pubDate", _mail_date(entry["at"]))
        if entry["summary"]:
            _put(item, "description", entry["summary"])
        if entry["author"]:
            _put(item, f"{{{_DC}}}creator", entry["author"])
        for topic in entry["topics"]:
            _put(item, "category", topic["name"])
    return _document(root)


def json_feed(site: Json, entries: Sequence[Json]) -> str:
    """JSON Feed 1.1 with the latest entries, newest first."""
    address = site["address"]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": site["title"],
        "home_page_url": address,
        "feed_url": f"{address}feed.json",
        "description": site["description"],
        "items": [_json_item(address, entry) for entry in entries],
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode(errors="replace").decode()


def sitemap(site: Json, addresses: Sequence[Json]) -> str:
    """The addresses of all pages."""
    ET.register_namespace("", _SITEMAP)
    root = ET.Element(f"{{{_SITEMAP}}}urlset")
    for each in addresses:
        url = ET.SubElement(root, f"{{{_SITEMAP}}}url")
        _put(url, f"{{{_SITEMAP}}}loc", f"{site['address']}{each['href']}")
        if each["at"]:
            _put(url, f"{{{_SITEMAP}}}lastmod", each["at"])
    return _document(root)


def _json_item(address: str, entry: Json) -> Json:
    given = {
        "image": entry["image"],
        "authors": [{"name": entry["author"]}] if entry["author"] else None,
        "tags": [topic["name"] for topic in entry["topics"]],
        "language": entry["language"],
    }
    return {
        "id": f"{address}{entry['href']}",
        "url": f"{address}{entry['href']}",
        "title": entry["title"],
        "content_html": entry["summary"] or "",
        "summary": entry["words"],
        "date_published": entry["at"],
    } | {name: value for name, value in given.items() if value}


def _mail_date(text: str) -> str:
    return format_datetime(datetime.fromisoformat(text).replace(microsecond=0), usegmt=True)


def _put(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = _UNWRITABLE.sub("", text)


def _document(root: ET.Element) -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'
