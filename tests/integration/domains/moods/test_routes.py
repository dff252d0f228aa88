"""Moods over HTTP, as the web layer answers them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from shared.domains.moods.api import get_mood, list_moods, list_similar_moods
from shared.domains.moods.views import MoodList, MoodView, SimilarMoods
from shared.domains.moods.vocabulary import PRIMARIES
from shared.web.answers import Answer, Problem
from support.calls import call
from support.lab import Lab
from support.moods import store_items

TEXTS = (
    ("Cottagecore dresses for spring", "Prairie dresses in gingham, with straw hats."),
    ("Cottagecore skirts for summer", "Linen and florals."),
    ("Streetwear hoodies and sneakers", ""),
    ("Gorpcore jackets in town", "Fleece and trail shoes."),
)


@pytest.fixture
async def filled(lab: Lab) -> Lab:
    lab.clock.time = lab.clock.time.replace(minute=10)
    await store_items(lab.documents, lab.clock, TEXTS, timedelta(days=2))
    await lab.run("process-moods")
    return lab


def body(answer: Answer, shape: Any) -> Any:
    assert answer.status == 200
    return TypeAdapter(shape).validate_python(json.loads(answer.body))


async def test_moods_are_listed_by_trend(filled: Lab) -> None:
    found = body(await list_moods(filled.app, call()), MoodList)
    assert [one["id"] for one in found["items"]] == ["cottagecore", "gorpcore", "sporty", "streetwear"]
    scores = [one["trend_score"] for one in found["items"]]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 1.9 * scores[-1]
    assert "vector" not in found["items"][0]


async def test_moods_of_one_primary_mood(filled: Lab) -> None:
    found = body(await list_moods(filled.app, call(query={"primary": "Sporty"})), MoodList)
    assert [one["id"] for one in found["items"]] == ["gorpcore", "sporty"]
    assert body(await list_moods(filled.app, call(query={"primary": "Preppy"})), MoodList)["items"] == []
    with pytest.raises(Problem) as caught:
        await list_moods(filled.app, call(query={"primary": "Martian"}))
    assert (caught.value.status, caught.value.errors[0].field) == (422, "primary")
    assert all(name in caught.value.errors[0].message for name in PRIMARIES)


async def test_an_answer_is_good_for_the_hour_unless_a_mood_changes(filled: Lab) -> None:
    shows: tuple[Callable[[str | None], Awaitable[Answer]], ...] = (
        lambda tag: list_moods(filled.app, call(headers={"if-none-match": tag})),
        lambda tag: get_mood(filled.app, call(mood_id="cottagecore", headers={"if-none-match": tag})),
        lambda tag: list_similar_moods(filled.app, call(mood_id="cottagecore", headers={"if-none-match": tag})),
    )
    for show in shows:
        first = await show(None)
        filled.clock.advance(60)
        assert (await show(first.headers["ETag"])).status == 304
    listed = await list_moods(filled.app, call())
    filled.clock.advance(3600)
    later = await list_moods(filled.app, call(headers={"if-none-match": listed.headers["ETag"]}))
    assert body(later, MoodList)["items"][0]["trend_score"] < json.loads(listed.body)["items"][0]["trend_score"]
    await store_items(filled.documents, filled.clock, (("Preppy blazers and loafers", ""),))
    await filled.run("process-moods")
    assert (await list_moods(filled.app, call(headers={"if-none-match": later.headers["ETag"]}))).status == 200


async def test_one_mood_with_its_look_and_its_articles(filled: Lab) -> None:
    found = body(await get_mood(filled.app, call(mood_id="cottagecore")), MoodView)
    assert [one["title"] for one in found["articles"]] == [TEXTS[0][0], TEXTS[1][0]]
    assert found["articles"][0]["url"] == "https://mode.example/cottagecore-dresses-for-spring"
    assert "prairie dress" in found["signals"]["key_pieces"]
    assert (found["articles_counted"], found["embedding"], found["version"]) == (2, "current", 1)


async def test_a_mood_is_found_by_any_spelling(filled: Lab) -> None:
    for spelling in ("athleisure", "Sporty", "sport"):
        assert body(await get_mood(filled.app, call(mood_id=spelling)), MoodView)["id"] == "sporty"


@pytest.mark.parametrize(
    ("mood_id", "status"), [("preppy", 404), ("nothing", 404), ("---", 404), ("a b", 422), ("x" * 101, 422)]
)
async def test_a_mood_that_is_not_there(filled: Lab, mood_id: str, status: int) -> None:
    for show in (get_mood(filled.app, call(mood_id=mood_id)), list_similar_moods(filled.app, call(mood_id=mood_id))):
        with pytest.raises(Problem) as caught:
            await show
        assert caught.value.status == status


async def test_similar_moods_are_ranked_by_the_angle_of_their_vectors(filled: Lab) -> None:
    found = body(await list_similar_moods(filled.app, call(mood_id="gorpcore")), SimilarMoods)
    assert found["items"][0]["id"] == "sporty"
    shares = [one["similarity"] for one in found["items"]]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 3
    assert all(-1 <= share <= 1 for share in shares)
    short = body(await list_similar_moods(filled.app, call(mood_id="gorpcore", query={"limit": "1"})), SimilarMoods)
    assert len(short["items"]) == 1
    for limit in ("0", "51", "x"):
        with pytest.raises(Problem):
            await list_similar_moods(filled.app, call(mood_id="gorpcore", query={"limit": limit}))
