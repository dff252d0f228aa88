"""Sources of a site on this machine, scraped by an app: what tests ask of it, and pages to serve."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from shared.domains.items.model import Item
from shared.domains.items.store import ItemStore
from shared.domains.sources import api as over_http
from shared.domains.sources.model import Source
from shared.domains.sources.store import SourceStore
from shared.jobs.model import Job, Status
from support.calls import call
from support.lab import Lab
from support.sites import Site


@dataclass
class Night:
    """An app that scrapes a site."""

    lab: Lab
    site: Site

    async def add(self, kind: str, path: str = "", **fields: Any) -> str:
        """Make a source of something that the site serves; return its id."""
        request = {"kind": kind, **({"url": self.site.url(path)} if path else {}), **fields}
        answer = await over_http.create_source(self.lab.app, call(json.dumps(request).encode()))
        assert answer.status == 201, answer.body
        return str(json.loads(answer.body)["id"])

    async def source(self, source_id: str) -> Source:
        """A source as it stands."""
        current = await SourceStore(self.lab.documents).get(source_id)
        assert current is not None
        return current.value

    async def scrape(self, source_id: str, *, force: bool = True) -> dict[str, Any]:
        """Scrape one source; return its job's results."""
        return self.results(await self.lab.run("scrape-source", source_id=source_id, force=force))

    async def all(self) -> dict[str, Any]:
        """Scrape what is due, as the timer does; return the parent's results."""
        ticket = await self.lab.submit("scrape-sources")
        return self.results(await self.ended(ticket.job.job_id))

    async def ended(self, job_id: str) -> Job:
        """A job once it has ended, with the host at work and time passing."""
        for _ in range(60):
            await self.lab.pump()
            if (job := await self.lab.job(job_id)).status.final:
                return job
            self.lab.clock.advance(2)
        raise AssertionError(f"not ended: {await self.lab.job(job_id)}")

    def results(self, job: Job) -> dict[str, Any]:
        """The results of a job that is completed."""
        assert job.status is Status.COMPLETED, (job.status, job.error, [each.event for each in job.history])
        assert isinstance(job.results, dict)
        return dict(job.results)

    async def items(self, source_id: str | None = None) -> list[Item]:
        """Every item, newest first."""
        store = ItemStore(self.lab.documents, self.lab.clock)
        return [item async for item in store.recent(source_id=source_id)]

    def serve_conditionally(self, path: str, body: str, kind: str, etag: str = '"v1"') -> None:
        """Serve something that answers 304 to whoever has it."""

        async def handler(request: web.Request) -> web.Response:
            if request.headers.get("If-None-Match") == etag:
                return web.Response(status=304)
            return web.Response(body=body.encode(), content_type=kind, headers={"ETag": etag})

        self.site.handlers[path] = handler


def feed(*entries: tuple[str, str], link: str = "https://shop.example/{}") -> str:
    """A feed of entries: a name and a title each."""
    items = "".join(
        f"<item><title>{title}</title><link>{link.format(name)}</link><guid>{name}</guid></item>"
        for name, title in entries
    )
    return f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"


def sitemap(*urls: tuple[str, str], tag: str = "urlset", entry: str = "url") -> str:
    """A sitemap of addresses with their dates."""
    listed = "".join(f"<{entry}><loc>{url}</loc><lastmod>{date}</lastmod></{entry}>" for url, date in urls)
    return f'<{tag} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{listed}</{tag}>'


def product(name: str, **offer: Any) -> str:
    """A page of a product, described for machines."""
    told = {"@type": "Product", "name": name, "image": "/i.jpg", "offers": {"@type": "Offer", **offer}}
    return (
        f"<html><head><script type='application/ld+json'>{json.dumps(told)}</script></head><body>{name}</body></html>"
    )
