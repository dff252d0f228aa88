from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.domains.moods import memory
from shared.domains.moods.articles import content_key, distinct, key_of
from shared.domains.moods.memory import Memory
from shared.domains.moods.ports import Article

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)


def article(number: int, age: timedelta = timedelta(0)) -> Article:
    url = f"https://a.example/{number}"
    title = f"Title {number}"
    return Article(key_of(url, title, ""), title, "", url, (), NOW - age)


def test_what_was_read_is_known_by_address_and_by_words() -> None:
    read = Memory().with_read([article(1)], NOW - timedelta(days=14))
    assert read.keys == {article(1).key, content_key("title  1", "")}
    assert read.with_read([article(1)], NOW - timedelta(days=14)) == read


def test_days_before_the_window_are_forgotten() -> None:
    both = Memory().with_read([article(1), article(2, timedelta(days=10))], NOW - timedelta(days=14))
    assert len(both.keys) == 4
    later = both.with_read([article(3)], NOW - timedelta(days=5))
    assert article(2).key not in later.keys
    assert {article(1).key, article(3).key} <= later.keys


def test_the_memory_is_bounded_and_forgets_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MOST_KEYS", 10)
    old, new = [article(n, timedelta(days=3)) for n in range(9)], [article(n) for n in range(20, 24)]
    full = Memory().with_read([*old, *new], NOW - timedelta(days=14))
    assert len(full.keys) == 10
    assert {one.key for one in new} <= full.keys


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/x?b=1&c=2",
        "https://www.a.example/x/?c=2&b=1",
        "https://a.example:443/x?b=1&utm_source=y&c=2#top",
    ],
)
def test_an_address_has_one_key_however_it_is_spelt(url: str) -> None:
    assert key_of(url, "", "") == key_of("https://a.example/x?b=1&c=2", "another title", "")
    assert key_of(url, "", "") != key_of("https://a.example/x?b=1", "", "")


def test_an_article_without_an_address_of_its_own_is_known_by_its_words() -> None:
    assert (
        key_of(None, "A  title", "text")
        == key_of("https://a.example/", "a title", "Text")
        == content_key("A title", "text")
    )
    assert key_of(None, "A title", "text") != key_of(None, "A title", "another text")


def test_of_articles_with_the_same_words_the_first_stays() -> None:
    copy = Article("other", "TITLE 1", "", "https://b.example/copy", (), NOW)
    assert distinct([article(1), copy, article(2), article(1)]) == [article(1), article(2)]
