"""The pages of an edition: which there are, what each is made of, and how it is made."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared import folding
from shared.domains.site import feeds
from shared.domains.site.markdown import rendered, words
from shared.domains.site.model import Article, Source
from shared.domains.site.sentences import cut
from shared.fetch.urls import canonical, host_of

if TYPE_CHECKING:
    from jinja2 import Environment

    from shared.domains.site.settings import SiteSettings

HTML, CSS, TEXT = "text/html", "text/css", "text/plain"
_TEMPLATES = Path(__file__).parent / "templates"
_ON_THE_FRONT, _OF_A_TOPIC, _IN_A_FEED, _IN_THE_MENU = 31, 100, 50, 12
_LONGEST_DESCRIPTION = 200

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """A page before it is made."""

    path: str
    content_type: str
    made_of: str
    """A hash of all that it is made of, the code aside that makes it: that is what templates are for."""
    make: Callable[[], str]


@dataclass(frozen=True, slots=True)
class SiteOf:
    """What holds for all pages."""

    title: str
    description: str
    about: str
    address: str
    """Ends in a slash."""
    topic_min_items: int

    @classmethod
    def of(cls, settings: SiteSettings) -> SiteOf:
        """As the settings have it."""
        address = settings.address if settings.address.endswith("/") else f"{settings.address}/"
        return cls(settings.title, settings.description, settings.about, address, settings.topic_min_items)

    @property
    def path(self) -> str:
        """The path of the address."""
        return urlsplit(self.address).path


def drafts(site: SiteOf, articles: Sequence[Article]) -> Iterator[Draft]:
    """The pages of an edition that shows these articles, newest first."""
    topics = _topics(articles, site.topic_min_items)
    menu = [{"name": each["name"], "href": each["href"]} for each in topics[:_IN_THE_MENU]]
    hrefs = {each["key"]: each["href"] for each in topics}
    cards = {each.article_id: _card(each, hrefs) for each in articles}
    about = {"title": site.title, "description": site.description, "address": site.address}
    listed = [cards[each.article_id] for each in articles]

    def page(path: str, template: str, **content: Any) -> Draft:
        root = site.path if path == "404.html" else "../" * path.count("/")
        context = {"site": about, "menu": menu, "root": root, "path": path, **content}
        return _draft(path, HTML, [_version(), template, context], lambda: _render(template, context))

    yield page("index.html", "index.html", cards=listed[:_ON_THE_FRONT], total=len(listed))
    for article in articles:
        yield page(f"items/{article.article_id}.html", "item.html", item=_item(article, cards[article.article_id]))
    for topic in topics:
        shown = [cards[article_id] for article_id in topic["of"][:_OF_A_TOPIC]]
        yield page(topic["href"], "topic.html", topic={"name": topic["name"], "count": len(topic["of"])}, cards=shown)
    yield page("topics.html", "topics.html", topics=[{**each, "of": len(each["of"])} for each in topics])
    yield page("archive.html", "archive.html", days=_days(listed))
    yield page("about.html", "about.html", text=rendered(site.about) if site.about else "", total=len(listed))
    yield page("404.html", "404.html")
    yield _draft("style.css", CSS, [_version()], lambda: (_TEMPLATES / "style.css").read_text(encoding="utf-8"))
    yield _draft(
        "robots.txt", TEXT, [site.address], lambda: f"User-agent: *\nAllow: /\nSitemap: {site.address}sitemap.xml\n"
    )
    yield from _feeds(about, articles[:_IN_A_FEED], cards, list(_addresses(articles, topics)))


def _feeds(about: Json, articles: Sequence[Article], cards: Json, addresses: list[Json]) -> Iterator[Draft]:
    entries = [{**cards[each.article_id], "author": each.author, "words": words(each.summary)} for each in articles]
    for path, kind, make, content in (
        ("feed.xml", feeds.RSS, feeds.rss, entries),
        ("feed.json", feeds.JSON_FEED, feeds.json_feed, entries),
        ("sitemap.xml", feeds.XML, feeds.sitemap, addresses),
    ):
        yield _draft(path, kind, [feeds.VERSION, about, content], partial(make, about, content))


def _addresses(articles: Sequence[Article], topics: Sequence[Json]) -> Iterator[Json]:
    newest = articles[0].at if articles else None
    yield {"href": "", "at": newest}
    yield from ({"href": each["href"], "at": each["at"]} for each in topics)
    yield from ({"href": f"items/{each.article_id}.html", "at": each.at} for each in articles)
    yield from ({"href": path, "at": None} for path in ("topics.html", "archive.html", "about.html"))


def _draft(path: str, content_type: str, made_of: Any, make: Callable[[], str]) -> Draft:
    told = json.dumps(made_of, sort_keys=True, ensure_ascii=False)
    return Draft(path, content_type, hashlib.sha256(told.encode(errors="replace")).hexdigest()[:24], make)


def _topics(articles: Sequence[Article], least: int) -> list[Json]:
    """The topics that have pages, those of most articles first. Spellings that fold to one are one, under the most usual."""
    of: dict[str, list[Article]] = {}
    spelt: dict[str, Counter[str]] = {}
    for article in articles:
        for name in article.topics:
            key = topic_key(name)
            if not of.get(key) or of[key][-1] is not article:
                of.setdefault(key, []).append(article)
                spelt.setdefault(key, Counter())[name] += 1
    names = {key: max(each.items(), key=lambda one: (one[1], one[0]))[0] for key, each in spelt.items()}
    found = [
        {"key": key, "name": names[key], "href": f"topics/{slug_of(names[key])}.html",
         "of": [each.article_id for each in those], "at": those[0].at}
        for key, those in of.items() if len(those) >= least
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-len(each["of"]), each["name"]))


def topic_key(name: str) -> str:
    """What all spellings of a topic have in common."""
    return " ".join(map(folding.stem, folding.words(name)))


def slug_of(name: str) -> str:
    """A topic in an address: its words where they are Latin letters, else with a hash."""
    folded = "-".join(folding.words(name))
    slug = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")
    if slug and slug == folded:
        return slug
    return "-".join(filter(None, (slug, hashlib.sha256(folded.encode()).hexdigest()[:8])))


def _card(article: Article, hrefs: dict[str, str]) -> Json:
    """An article as lists show it."""
    return {
        "id": article.article_id,
        "href": f"items/{article.article_id}.html",
        "title": article.title,
        "at": article.at,
        "minutes": article.minutes,
        "language": article.language,
        "image": web_address(article.image),
        "summary": rendered(article.summary) if article.summary else "",
        "host": _host(article),
        "topics": [{"name": name, "href": hrefs.get(topic_key(name))} for name in article.topics],
    }


def _item(article: Article, card: Json) -> Json:
    """An article as its own page shows it."""
    found = [{"label": label, "href": href} for label, href in map(_found_in, article.sources)]
    link = web_address(article.url) or next((each["href"] for each in found if each["href"]), None)
    said = words(article.summary)
    return {
        **card, "author": article.author, "link": link, "found": found, "description": cut(said, _LONGEST_DESCRIPTION) if said else ""
    }  # fmt: skip


def _found_in(source: Source) -> tuple[str, str | None]:
    """A source in words, and where it leads."""
    if source.name == "reddit":
        kind, _, number = source.item_id.partition("_")
        post = f"https://www.reddit.com/comments/{number}" if kind == "t3" and number.isalnum() else None
        return f"r/{source.topic} on Reddit", post or f"https://www.reddit.com/r/{source.topic}"
    if source.name == "pipeline":
        return source.topic, None
    host = host_of(source.topic).removeprefix("www.")
    return (f"the feed of {host}" if source.name == "rss" else host), web_address(source.topic)


def _host(article: Article) -> str:
    if article.url:
        return host_of(article.url).removeprefix("www.")
    return _found_in(article.sources[0])[0]


def web_address(url: str | None) -> str | None:
    """An address that may be linked to; None for whatever is none of the web."""
    return canonical(url) if url else None


def _days(cards: Sequence[Json]) -> list[Json]:
    return [
        {"day": day, "cards": [{name: each[name] for name in ("href", "title", "host", "language")} for each in those]}
        for day, those in groupby(cards, key=lambda card: card["at"][:10])
    ]


def _render(template: str, context: Json) -> str:
    return str(_environment().get_template(template).render(context))


@cache
def _version() -> str:
    """A hash of all templates and styles: where one changes, so do the pages."""
    files = sorted(path for path in _TEMPLATES.iterdir() if path.suffix in (".html", ".css"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()


@cache
def _environment() -> Environment:
    from datetime import datetime

    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True, loader=FileSystemLoader(_TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )  # fmt: skip

    def day(text: str) -> str:
        moment = datetime.fromisoformat(text)
        return f"{moment.day} {moment:%B %Y}"

    environment.filters["day"] = day
    return environment
