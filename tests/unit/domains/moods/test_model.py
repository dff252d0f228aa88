from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.moods.model import (
    MOST_ARTICLES,
    MOST_COUNTED,
    Embedding,
    Mood,
    Signals,
    Support,
    counting,
    joined,
    similarity,
    text_hash,
)

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
EMPTY = Mood("coastal", "Coastal", "Coastal", NOW, NOW)


def support(number: int, *, age: timedelta = timedelta(0), weight: float = 1.0) -> Support:
    return Support(f"k{number}", f"Article {number}", f"https://a.example/{number}", NOW - age, weight, Signals())


articles = st.builds(
    support,
    st.integers(0, 900),
    age=st.integers(0, 60 * 24 * 14).map(lambda minutes: timedelta(minutes=minutes)),
    weight=st.sampled_from([0.5, 0.7, 0.95]),
)
batches = st.lists(st.lists(articles, max_size=30, unique_by=lambda one: one.key), max_size=4)


def agreed(drawn: list[list[Support]]) -> list[list[Support]]:
    """The batches, with one version of each article."""
    known = {one.key: one for batch in drawn for one in batch}
    return [[known[one.key] for one in batch] for batch in drawn]


def test_an_article_counts_half_after_a_half_life() -> None:
    mood = counting(EMPTY, [support(1, weight=0.8)], WEEK)
    assert mood.trend(NOW, WEEK) == pytest.approx(0.8)
    assert mood.trend(NOW + WEEK, WEEK) == pytest.approx(0.4)
    assert mood.trend(NOW + 3 * WEEK, WEEK) == pytest.approx(0.1)


def test_the_score_is_the_sum_of_what_each_article_still_counts() -> None:
    mood = counting(EMPTY, [support(1), support(2, age=WEEK), support(3, age=2 * WEEK, weight=0.5)], WEEK)
    assert mood.trend(NOW, WEEK) == pytest.approx(1 + 0.5 + 0.125)


def test_an_article_is_counted_once() -> None:
    once = counting(EMPTY, [support(1), support(1)], WEEK)
    assert once.trend(NOW, WEEK) == pytest.approx(1)
    again = counting(once, [support(1, weight=0.5), replace(support(1), title="Another title")], WEEK)
    assert again is once


@given(batches.map(agreed))
def test_evidence_is_a_set_in_whatever_order_and_how_often_it_comes(drawn: list[list[Support]]) -> None:
    forth, back = EMPTY, EMPTY
    for batch in drawn:
        forth = counting(forth, batch, WEEK)
    for batch in reversed(drawn):
        back = counting(counting(back, batch, WEEK), batch, WEEK)
    assert forth == back
    assert joined(forth, back, WEEK) == forth
    assert len({one.key for one in forth.counted}) == len(forth.counted)


@given(st.lists(articles, min_size=1, max_size=40), st.integers(0, 2000))
def test_which_mood_is_ahead_does_not_depend_on_when_one_looks(drawn: list[Support], hours: int) -> None:
    one = counting(EMPTY, drawn[::2], WEEK)
    other = counting(EMPTY, drawn[1::2], WEEK)
    later = NOW + timedelta(hours=hours)
    now, then = (one.trend(at, WEEK) - other.trend(at, WEEK) for at in (NOW, later))
    assert math.isclose(now, 0, abs_tol=1e-9) or (now > 0) == (then > 0)


def test_what_is_kept_is_bounded_and_what_fell_out_does_not_come_back() -> None:
    old = [support(number, age=timedelta(hours=500)) for number in range(50)]
    new = [support(number, age=timedelta(minutes=number)) for number in range(100, 100 + MOST_COUNTED)]
    full = counting(counting(EMPTY, old, WEEK), new, WEEK)
    assert len(full.counted) == MOST_COUNTED
    assert len(full.articles) == MOST_ARTICLES
    assert {one.key for one in full.counted} == {one.key for one in new}
    assert counting(full, old, WEEK) is full
    assert full.first_seen == old[0].at


def test_a_mood_reads_as_it_was_written() -> None:
    mood = replace(
        counting(EMPTY, [replace(support(1), signals=Signals(palette=("sand",), fabrics=("linen", "cotton")))], WEEK),
        description="Seaside ease.",
        sub_moods=("Resort", "Surf"),
        signals=Signals(palette=("sand", "white")),
        vector=(0.6, -0.8),
        version=3,
    )
    assert Mood.from_document(mood.to_document()) == mood


def test_the_status_of_the_vector_follows_the_text() -> None:
    assert EMPTY.embedding_status == "missing"
    embedded = replace(EMPTY, vector=(1.0,), embedding=Embedding("m", text_hash(EMPTY.text)))
    assert (embedded.embedding_status, embedded.embedded_by("m"), embedded.embedded_by("n")) == ("current", True, False)
    changed = replace(embedded, description="Something else.")
    assert (changed.embedding_status, changed.embedded_by("m")) == ("stale", False)


def test_the_same_look_in_another_order_is_the_same_text() -> None:
    one = replace(EMPTY, signals=Signals(palette=("sand", "white")))
    other = replace(EMPTY, signals=Signals(palette=("white", "sand")))
    assert one.text == other.text


def test_similarity_is_the_cosine() -> None:
    assert similarity((1, 0), (0, 2)) == 0
    assert similarity((1, 1), (2, 2)) == pytest.approx(1)
    assert similarity((1, 0), (-3, 0)) == pytest.approx(-1)
    assert similarity((1, 0), (1, 0, 0)) == similarity((), ()) == similarity((0, 0), (1, 0)) == 0
