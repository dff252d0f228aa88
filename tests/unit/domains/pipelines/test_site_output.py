"""Items of pipelines as articles of the site."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.declarations import settings_of
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError
from shared.domains.site import contributing
from shared.domains.site.editions import Editions
from shared.domains.site.kinds import PublishSite, publish_site
from shared.domains.site.model import Article
from shared.domains.site.ports import Enriched, EnricherUnavailableError, Text
from shared.domains.site.store import ArticleStore
from shared.jobs import RetryLater
from shared.jobs.testing import MemoryApp
from support.executors import Bench, item

LONG = "The council met on Monday to talk about the new library. It has room for forty thousand books. " * 6


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    async def language(_settings: Any, _text: str) -> str:
        return "en"

    monkeypatch.setattr(contributing, "language_in", language)


async def articles(bench: Bench) -> list[Article]:
    return await ArticleStore(bench.documents, bench.clock, timedelta(days=90)).newest(100)


def report(**data: Any) -> Content:
    return item("annual report.pdf", **{"pdf_output": {"text": LONG}, **data})


async def test_what_a_pipeline_found_is_an_article() -> None:
    bench = Bench()
    given = {
        "title": "The *year*\x00 in books", "url": "https://Example.com/report?utm_source=mail", "summary": "Forty *thousand* books.\nA library.",
        "keywords": {"keywords": [{"term": "library", "score": 1}, {"term": "books", "score": 0.5}]}, "language": {"language": "en", "confidence": 1},
        "author": "A. Clerk", "published": "2020-03-01", "image": "https://example.com/cover.png",
    }  # fmt: skip
    (made,) = await bench.do("site_output", {"origin": "Annual reports"}, report(**given))
    (article,) = await articles(bench)
    assert made.summary_data == {"article_id": article.article_id}
    assert (article.title, article.url) == ("The *year* in books", "https://example.com/report")
    assert article.summary == "Forty \\*thousand\\* books\\.\n\nA library\\."
    assert article.topics == ("Library", "Books")
    assert (article.author, article.language, article.minutes) == ("A. Clerk", "en", 1)
    assert (article.at, article.image) == ("2020-03-01T00:00:00.000000Z", "https://example.com/cover.png")
    assert [(each.name, each.topic) for each in article.sources] == [("pipeline", "Annual reports")]


async def test_without_a_summary_the_site_makes_one_and_the_file_is_the_title() -> None:
    bench = Bench()
    await bench.do("site_output", {}, report(tags=["Libraries"]))
    (article,) = await articles(bench)
    assert article.title == "annual report.pdf"
    assert article.url is None
    assert "forty thousand books" in article.summary
    assert "Libraries" in article.topics
    assert article.sources[0].topic == "p"


async def test_the_same_item_changed_is_the_same_article_changed_and_another_is_another() -> None:
    bench = Bench()
    for summary in ("First.", "Second.", "Second."):
        await bench.do("site_output", {}, report(summary=summary))
    (article,) = await articles(bench)
    assert article.summary == "Second\\."
    assert len(article.sources) == 1
    await bench.do("site_output", {}, item("another.pdf", text=LONG, summary="Second."))
    assert len(await articles(bench)) == 2


async def test_a_summary_may_be_markdown() -> None:
    bench = Bench()
    await bench.do("site_output", {"summary_is_markdown": True}, report(summary="* one\n  * **two**\x00"))
    assert (await articles(bench))[0].summary == "* one\n  * **two**"


async def test_no_title_no_article() -> None:
    nameless = report()
    nameless.id.filename = None
    with pytest.raises(ContentError, match="title_fields"):
        await Bench().do("site_output", {}, nameless)


async def test_a_service_that_cannot_answer_now_is_asked_later_and_never_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Model:
        name, asked, there = "model", 0, False

        async def enrich(self, text: Text) -> Enriched:
            if not self.there:
                raise EnricherUnavailableError("busy", 7)
            self.asked += 1
            return Enriched(f"About {text.title}.", ("Books",))

    model, bench = Model(), Bench()
    monkeypatch.setattr(contributing, "enricher", lambda _: model)
    with pytest.raises(RetryLater, match="busy"):
        await bench.do("site_output", {}, report())
    model.there = True
    for _ in range(2):
        await bench.do("site_output", {}, report())
    assert model.asked == 1
    assert (await articles(bench))[0].topics == ("Books",)


async def test_the_next_edition_shows_it() -> None:
    app = MemoryApp(publish_site, settings=settings_of({}))
    bench = Bench(documents=app.documents, clock=app.clock)
    await bench.do("site_output", {"origin": "Annual <reports>"}, report(summary="A <b>library</b> of books."))
    ticket = await app.submit(publish_site, PublishSite())
    await app.drain()
    results: Any = (await app.job(ticket)).results
    assert results["items"] == 1
    editions = Editions(app.blobs, app.clock)
    manifest = await editions.manifest((await editions.shown()).value.current)
    (path,) = (path for path in manifest if path.startswith("items/"))
    found = await app.blobs.read(manifest[path].blob)
    assert found
    page = found.data.decode()
    assert "annual report.pdf" in page
    assert "Annual &lt;reports&gt;" in page
    assert "A &lt;b&gt;library&lt;/b&gt; of books." in page
