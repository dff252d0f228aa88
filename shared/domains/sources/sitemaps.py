"""Sitemaps: lists of a site's pages, and indexes of such lists; XML or plain text."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from shared.domains.sources.model import Found
from shared.fetch import Fetched
from shared.fetch.dates import read_date
from shared.fetch.decoding import decode
from shared.fetch.errors import ContentRefusedError
from shared.fetch.text import line
from shared.fetch.tidying import tidied
from shared.fetch.urls import canonical

ACCEPT = ("application/xml", "text/", "application/", "*/*")
_LONGEST_TEXT = 3_000
_LONGEST_LIST = 50_000
"""Addresses of one sitemap, by its standard; what comes after is not read."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """A list of pages, or of further sitemaps, newest first; what has no date comes last, in the order of the list."""

    total: int
    """Addresses that it holds."""
    pages: tuple[Found, ...] = ()
    sitemaps: tuple[str, ...] = ()
    refused: Mapping[str, int] = field(default_factory=dict)
    """Of these, how many are no addresses (`bad-url`), or of a site that the source does not speak for (`other-site`)."""


def parse_sitemap(fetched: Fetched, most: int, site: str = "") -> Sitemap:
    """Read a sitemap: its newest addresses, at most so many. Of what is longer than is read, the beginning counts.

    Args:
        fetched: the sitemap.
        most: pages, or files, that are taken.
        site: an address of the site that it speaks for, where it does not live there itself.

    Raises:
        ContentRefusedError: it is none.
    """
    text = decode(fetched.body, fetched.charset).lstrip("\ufeff \t\r\n")
    reading = _Reading(fetched.url, frozenset((_site(fetched.url), _site(site or fetched.url))))
    if not text.startswith("<"):
        return _listed(text, reading, most)
    return _parsed(tidied(text), reading, most)


@dataclass(slots=True)
class _Reading:
    """One sitemap: what its addresses are relative to, whose it may name, and what was refused."""

    base: str
    sites: frozenset[str]
    refused: Counter[str] = field(default_factory=Counter)

    def page(self, url: str | None) -> str | None:
        """The canonical address of a page of the site; None, and counted, for any other."""
        found = self.file(url)
        if found and _site(found) not in self.sites:
            self.refused["other-site"] += 1
            return None
        return found

    def file(self, url: str | None) -> str | None:
        """The canonical address of a further file, wherever it lives."""
        found = canonical(url, self.base)
        if found is None:
            self.refused["bad-url"] += 1
        return found


def _listed(text: str, reading: _Reading, most: int) -> Sitemap:
    lines = [each.strip() for each in text.splitlines()[:_LONGEST_LIST] if each.startswith("http")]
    pages = [Found(url, page=True) for each in lines if (url := reading.page(each))]
    if not pages:
        raise ContentRefusedError("no sitemap: neither XML nor a list of addresses of its site")
    return Sitemap(len(lines), tuple(pages[:most]), refused=dict(reading.refused))


def _parsed(text: str, reading: _Reading, most: int) -> Sitemap:
    kind = ""
    entries: list[dict[str, str]] = []
    for kind_of_entry, fields in _entries(text.encode()):
        kind = kind or kind_of_entry
        if len(entries) >= _LONGEST_LIST:
            break
        entries.append(fields)
    if not kind and not _is_empty_list(text):
        raise ContentRefusedError("no sitemap: it lists no addresses")
    if kind == "sitemap":
        dated = [(read_date(each.get("lastmod")), reading.file(each.get("loc"))) for each in entries]
        files = [(date, url) for date, url in dated if url]
        files.sort(key=lambda each: each[0] or _LONG_AGO, reverse=True)
        named = tuple(dict.fromkeys(url for _, url in files))
        return Sitemap(len(entries), sitemaps=named[:most], refused=dict(reading.refused))
    pages = [page for fields in entries if (page := _page(fields, reading))]
    pages.sort(key=lambda page: page.published_at or _LONG_AGO, reverse=True)
    return Sitemap(len(entries), tuple(pages[:most]), refused=dict(reading.refused))


def _entries(body: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """The texts of each `url` or `sitemap`, the first of each name, whatever namespaces it has or lacks.

    The parser goes neither to files nor to the network, expands no entity, and takes broken XML as far as it goes.
    """
    from lxml import etree

    parsing = etree.iterparse(
        io.BytesIO(body), events=("end",), recover=True, encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        for _, element in parsing:
            name = _local(element.tag)
            if name in ("url", "sitemap") and len(element):
                yield name, _texts(element)
                _forget(element)
    except etree.XMLSyntaxError:
        return


def _texts(element: Any) -> dict[str, str]:
    texts: dict[str, str] = {}
    for each in element.iter():
        if isinstance(each.tag, str) and each is not element and (text := (each.text or "").strip()[:_LONGEST_TEXT]):
            parent = _local(each.getparent().tag)
            name = _local(each.tag)
            texts.setdefault(name if parent in ("url", "sitemap") else f"{parent}:{name}", text)
    return texts


def _forget(element: Any) -> None:
    """Free what was read: a list of 50,000 addresses need not be in memory as a tree."""
    element.clear()
    while element.getprevious() is not None:
        del element.getparent()[0]


def _page(fields: dict[str, str], reading: _Reading) -> Found | None:
    """A page of the list. One in a list of news says its title itself; of any other, the page has to be read."""
    url = reading.page(fields.get("loc"))
    if url is None:
        return None
    title = fields.get("news:title", "")
    published = fields.get("news:publication_date") or fields.get("lastmod")
    words = (line(word, 60) for word in fields.get("news:keywords", "").split(","))
    return Found(
        url=url,
        title=line(title),
        image_url=canonical(fields.get("image:loc"), reading.base),
        tags=tuple(dict.fromkeys(word for word in words if word))[:20],
        published_at=read_date(published),
        page=not title,
    )


def _site(url: str) -> str:
    return urlsplit(url).netloc.lower().removeprefix("www.")


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def _is_empty_list(text: str) -> bool:
    return "urlset" in text[:2000] or "sitemapindex" in text[:2000]


def newest(sitemaps: Iterable[Sitemap], most: int) -> tuple[Found, ...]:
    """The newest pages of several lists, each once."""
    pages = {page.url: page for sitemap in sitemaps for page in sitemap.pages}
    return tuple(sorted(pages.values(), key=lambda page: page.published_at or _LONG_AGO, reverse=True)[:most])
