"""From an item to an article: what is taken from where, and what is one article."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.site.enriching import reading_minutes
from shared.domains.site.extractive import ExtractiveEnricher, escaped, presentable, topics_of
from shared.domains.site.markdown import rendered, words
from shared.domains.site.model import moment_of
from shared.domains.site.ports import Text
from shared.domains.site.sentences import sentences, telling
from shared.jobs.testing import MemoryApp
from support.examples import examples
from support.site import LONG, articles, enrich, item

STORY = (
    "The river rose by two metres on Friday. Dr. Jones of the U.S. weather service had warned of floods for days. "
    "Volunteers filled sandbags along the river all night. In the town of Hay, the floods reached the market hall. "
    "Sign up to our newsletter. The mayor thanked the volunteers, and said that the river had never been higher."
)


def test_sentences_end_where_they_do() -> None:
    found = sentences(STORY)
    assert found[1] == "Dr. Jones of the U.S. weather service had warned of floods for days."
    assert not any("newsletter" in each for each in found)
    assert sentences("Prices rose by 3.5 percent this year. Nobody knows why they did.")[0].endswith("year.")
    assert sentences("市场今天早上开放了、许多人来到这里购买新鲜的水果和蔬菜。第二天市场关闭了、因为下了很大的雨、没有人来购物。") == [
        "市场今天早上开放了、许多人来到这里购买新鲜的水果和蔬菜。", "第二天市场关闭了、因为下了很大的雨、没有人来购物。",
    ]  # fmt: skip


def test_a_summary_is_some_telling_sentences_in_their_order() -> None:
    said = telling(STORY, "Floods: the river rises", most=2)
    assert said[0] == "The river rose by two metres on Friday."
    assert len(said) == 2
    assert all(each in STORY for each in said)
    assert telling("", "A title") == []
    assert telling("The river rises", "The river rises") == []
    assert len(" ".join(telling("word " * 500))) <= 420


@examples(50)
@given(st.text(max_size=400), st.text(max_size=60))
def test_a_summary_says_nothing_that_the_text_does_not_and_shows_as_it_was(text: str, title: str) -> None:
    for each in telling(text, title):
        assert each.rstrip("…") in text
    shown = " ".join(text.split())
    assert words(escaped(shown)) == words("x " + escaped(shown))[2:] or not shown.isprintable()


@pytest.mark.parametrize(
    "text",
    ["1. not a list", "# no heading", "*a* _b_ [c](d) `e`", "<b>f</b> & g", "- h", "> i", "a | b", "1986\\. was"],
)
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    assert words(escaped(text)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**bold** and <script>alert(1)</script>", "<p><strong>bold</strong> and &lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n"),
        ("![x](https://a.example/p.png)", '<p>!<a href="https://a.example/p.png" rel="noopener noreferrer nofollow">x</a></p>\n'),
        ("# Title", "<h2>Title</h2>"),
        ("[a](https://a.example 'b')", '<p><a href="https://a.example" title="b" rel="noopener noreferrer nofollow">a</a></p>\n'),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"),
    ],
)  # fmt: skip
def test_markdown_is_shown_without_what_runs(text: str, expected: str) -> None:
    assert rendered(text) == expected


def test_thousands_of_brackets_take_no_time() -> None:
    for text in ("[" * 5_000, "> " * 1_000 + "x", "*a " * 2_000):
        assert rendered(text)


def test_topics_are_subjects_and_what_a_publisher_files_it_under() -> None:
    text = Text(
        "New telescope finds a black hole",
        "Astronomers say that the galaxy is far away.",
        ("Astronomy", "tvEpisode", "news"),
    )
    assert topics_of(text) == ("Space", "Astronomy")
    assert topics_of(Text("Nothing", "in particular")) == ()


@pytest.mark.parametrize(
    ("tag", "shown"),
    [("programming", "Programming"), ("iPhone", "iPhone"), ("machine_learning", "Machine learning"), ("a/b", None), ("2022", None),
     ("one two three four", None), ("epubBook", None), ("News", None), ("", None)],
)  # fmt: skip
def test_what_is_no_topic_is_left_out(tag: str, shown: str | None) -> None:
    assert presentable(tag) == shown


def test_reading_takes_whole_minutes_and_nobody_knows_of_half_a_text() -> None:
    assert reading_minutes("word " * 238) == 1
    assert reading_minutes("word " * 239) == 2
    assert reading_minutes("字" * 1001) == 3
    assert reading_minutes("") is None
    assert reading_minutes("The beginning of …") is None


def test_nothing_was_published_after_it_was_collected() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert moment_of(item(1, published="2026-01-04T10:00:00Z"), now) == "2026-01-04T10:00:00.000000Z"
    assert moment_of(item(1, published="2026-01-04"), now) == "2026-01-04T00:00:00.000000Z"
    for published in ("2031-01-01T00:00:00Z", None, "soon"):
        assert moment_of(item(1, published=published), now) == "2026-01-05T12:00:00.000000Z"


async def test_what_is_found_twice_is_one_article_with_two_sources(app: MemoryApp) -> None:
    url = "https://news.example/1"
    await enrich(
        app,
        [
            item(
                1,
                source="reddit",
                topic="technology",
                id="t3_abc",
                text="",
                url=url,
                title="Look at this",
            )
        ],
    )
    await enrich(app, [item(1, url=url)], "b")
    await enrich(
        app, [item(1, source="reddit", topic="technology", id="t3_abc", text="", url=url, title="Look at this")], "c"
    )
    (article,) = await articles(app)
    assert article.title == "Story number 1", "the one that says more"
    assert {each.topic for each in article.sources} == {"technology", item(1).topic}


async def test_an_item_that_its_source_changed_is_made_anew(app: MemoryApp) -> None:
    await enrich(app, [item(1)])
    (result,) = await enrich(app, [item(1, title="Story number 1, corrected")], "b")
    (article,) = await articles(app)
    assert (article.title, result["enriched"]) == ("Story number 1, corrected", 1)


async def test_an_extract_is_markdown_of_the_text() -> None:
    made = await ExtractiveEnricher().enrich(Text("The library", LONG))
    assert words(made.summary) == "The council met on Monday to talk about the new library."
