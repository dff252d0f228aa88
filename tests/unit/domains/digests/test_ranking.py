"""What is suggested, by whatever is known: the properties that hold for every digest."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domains.digests.appearance import GROUPS
from shared.domains.digests.choosing import allowed, bound, choose, title_key
from shared.domains.digests.compose import Occasion, compose
from shared.domains.digests.model import Appearance, Candidate, Leaning, Mood, Opinion, Piece, Reader
from shared.domains.digests.scoring import reasons_of, score
from support.examples import examples

UNTIL = datetime(2026, 11, 23, 9, tzinfo=UTC)
OCCASION = Occasion("ann", "2026-W48", UNTIL - timedelta(days=7), UNTIL)
VALUES = {
    "colour": ("navy", "white", "red", "olive"),
    "garment": ("shirt", "jeans", "dress", "boots", "bag"),
    "material": ("linen", "wool"),
    "style": ("minimalist", "romantic"),
}

weights = st.sampled_from([0.4, 0.8, 1.0])
facets = st.fixed_dictionaries(
    {},
    optional={
        facet: st.dictionaries(st.sampled_from(values), weights, min_size=1, max_size=3)
        for facet, values in VALUES.items()
    },
)
appearance = st.builds(Appearance, facets, st.sampled_from([None, *GROUPS]))
ids = st.integers(0, 30).map(lambda n: f"i{n}")
titles = st.sampled_from(["Linen shirt", "LINEN  shirt!", "Wool coat", "外套", "", "A \u2013 B", "Boots"]) | st.text(
    max_size=12
)
candidates = st.builds(
    Candidate,
    item_id=ids,
    title=titles,
    url=st.sampled_from([None, "https://a.example/1", "https://a.example/2", "javascript:alert(1)"]),
    source_id=st.sampled_from(["s1", "s2", "s3", "s4"]),
    source=st.just("Source"),
    first_seen=st.integers(0, 300).map(lambda hours: UNTIL - timedelta(hours=hours)),
    appearance=appearance,
    image_url=st.sampled_from([None, "https://a.example/1.png", "data:image/png;base64,AA"]),
    reception=st.floats(0, 1),
)
items = st.lists(candidates, max_size=40, unique_by=lambda one: one.item_id)
leanings = st.dictionaries(
    st.sampled_from(list(VALUES)),
    st.dictionaries(
        st.sampled_from([value for values in VALUES.values() for value in values]),
        st.builds(Leaning, st.floats(-1, 1), st.integers(0, 9), st.integers(0, 9), st.booleans()),
    ),
)
opinions = st.lists(
    st.builds(
        Opinion,
        ids,
        titles,
        st.booleans(),
        appearance.map(Appearance.values),
        st.just("https://a.example/2") | st.none(),
    ),
    max_size=5,
    unique_by=lambda one: one.item_id,
).map(tuple)
readers = st.builds(
    Reader,
    leanings,
    st.lists(st.builds(Piece, ids, titles, appearance), max_size=4).map(tuple),
    st.frozensets(st.sampled_from(["s1", "s2"])),
    opinions,
    st.frozensets(ids, max_size=4),
)
moods = st.lists(
    st.builds(
        Mood,
        st.sampled_from(["a", "b", "c"]),
        st.just("Mood"),
        st.just("In words."),
        st.floats(0, 1),
        st.fixed_dictionaries({}, optional={name: st.just(values[:2]) for name, values in VALUES.items()}),
        st.frozensets(st.just("https://a.example/1"), max_size=1),
    ),
    max_size=3,
    unique_by=lambda one: one.id,
)


@examples(60)
@given(items, moods, readers, st.integers(1, 12), st.randoms(use_true_random=False))
def test_equal_input_in_any_order_makes_equal_bytes(
    items: list[Candidate], moods: list[Mood], reader: Reader, size: int, dice: random.Random
) -> None:
    first = json.dumps(compose(OCCASION, items, moods, reader, size))
    shuffled = dice.sample(items, len(items))
    assert json.dumps(compose(OCCASION, shuffled, dice.sample(moods, len(moods)), reader, size)) == first


@examples(60)
@given(items, moods, readers, st.integers(1, 12))
def test_nothing_is_suggested_twice_nor_against_the_users_word(
    items: list[Candidate], moods: list[Mood], reader: Reader, size: int
) -> None:
    found = compose(OCCASION, items, moods, reader, size)["suggestions"]
    ids = [each["item_id"] for each in found]
    keys = [title_key(each["title"]) or each["item_id"] for each in found]
    downs = {each.item_id for each in reader.opinions if not each.up} | reader.turned_down
    assert len(found) <= size
    assert len(set(ids)) == len(ids)
    assert len(set(keys)) == len(keys), "one title, told twice"
    assert not set(ids) & (downs | {piece.item_id for piece in reader.wardrobe})
    assert not set(keys) & {title_key(piece.title) for piece in reader.wardrobe}
    assert [each["rank"] for each in found] == list(range(1, len(found) + 1))


@examples(60)
@given(items, moods, readers)
def test_every_reason_is_a_part_of_the_score_that_speaks_for_the_item(
    items: list[Candidate], moods: list[Mood], reader: Reader
) -> None:
    for item in items:
        scored = score(item, reader, moods, UNTIL)
        reasons = reasons_of(scored)
        speaking = {part.text: part.points for part in scored.contributions if part.points > 0}
        assert 1 <= len(reasons) <= 2
        assert set(reasons) <= set(speaking)
        assert abs(scored.score - sum(part.points for part in scored.contributions)) < 1e-9
        least = min(speaking[reason] for reason in reasons)
        left_out = {part.points for part in scored.contributions if part.of != "new" and part.text not in reasons}
        assert all(points <= least for points in left_out), "a weaker reason was given before a stronger one"


@examples(60)
@given(items, moods, readers, st.integers(1, 12))
def test_no_source_and_no_group_takes_more_than_its_share(
    items: list[Candidate], moods: list[Mood], reader: Reader, size: int
) -> None:
    scored = [score(item, reader, moods, UNTIL) for item in allowed(items, reader)]
    chosen = [one.candidate for one in choose(scored, size)]
    sources = Counter(one.source_id for one in chosen)
    groups = Counter(one.appearance.group for one in chosen if one.appearance.group)
    assert all(n <= bound(size, (one.candidate.source_id for one in scored)) for n in sources.values())
    assert all(
        n <= bound(size, (one.candidate.appearance.group for one in scored if one.candidate.appearance.group))
        for n in groups.values()
    )


def test_a_single_source_may_fill_a_digest() -> None:
    assert bound(10, ["only"] * 50) == 10
    assert bound(10, ["one", "two"]) == 5
    assert bound(10, map(str, range(20))) == 3
    assert bound(10, []) == 10


def item(n: int, **changes: object) -> Candidate:
    plain = Candidate(
        f"i{n}", f"Item {n}", f"https://a.example/{n}", f"s{n % 5}", f"Source {n % 5}", UNTIL - timedelta(hours=30)
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


NAVY = Appearance({"colour": {"navy": 1.0}, "garment": {"shirt": 1.0}}, "top")
RED = Appearance({"colour": {"red": 1.0}, "garment": {"dress": 1.0}}, "dress")


def points(candidate: Candidate, reader: Reader, moods: tuple[Mood, ...] = ()) -> dict[str, float]:
    return {part.of: part.points for part in score(candidate, reader, moods, UNTIL).contributions}


def test_what_was_turned_down_counts_against_its_like() -> None:
    down = Opinion("x", "A navy shirt", up=False, values=NAVY.values())
    up = Opinion("y", "A red dress", up=True, values=RED.values())
    reader = Reader(opinions=(down, up))
    assert (
        points(item(1, appearance=NAVY), reader)["feedback"] < 0 < points(item(2, appearance=RED), reader)["feedback"]
    )
    assert (
        score(item(2, appearance=RED), reader, (), UNTIL).contributions[0].text == "Like “A red dress”, which you liked"
    )


def test_a_leaning_counts_for_or_against_in_words_that_are_true() -> None:
    reader = Reader({"colour": {"navy": Leaning(0.8, 4, 1), "red": Leaning(-0.6, 0, 3)}})
    assert reasons_of(score(item(1, appearance=NAVY), reader, (), UNTIL)) == ("Navy: you liked 4 of 5",)
    against = [part for part in score(item(2, appearance=RED), reader, (), UNTIL).contributions if part.points < 0]
    assert [part.text for part in against] == ["Red: you turned down 3 of 3"]


def test_a_mood_counts_by_its_strength_and_its_own_articles_most() -> None:
    signals = {"colour": ("navy", "white"), "garment": ("shirt",)}
    strong = Mood("m", "Coastal", "", 1.0, signals, frozenset({"https://a.example/7"}))
    weak = replace(strong, id="w", name="Classic", strength=0.1)
    appearance, article = (
        points(item(1, appearance=NAVY), Reader(), (strong,))["mood"],
        points(item(7), Reader(), (strong,))["mood"],
    )
    assert points(item(1, appearance=NAVY), Reader(), (weak,))["mood"] < appearance < article
    assert reasons_of(score(item(1, appearance=NAVY), Reader(), (strong, weak), UNTIL)) == (
        "Fits the mood Coastal, much talked about now: navy, shirt",
    )
    assert "mood" not in points(item(2, appearance=RED), Reader(), (strong,))


def test_what_goes_with_the_wardrobe_and_what_is_followed_is_said() -> None:
    jeans = Piece("p", "white jeans", Appearance({"colour": {"white": 1.0}, "garment": {"jeans": 1.0}}, "bottom"))
    reader = Reader(wardrobe=(jeans,), follows=frozenset({"s1"}))
    reasons = reasons_of(score(item(1, appearance=NAVY), reader, (), UNTIL))
    assert reasons == ("From Source 1, which you follow", "Goes with your white jeans")
    assert "wardrobe" not in points(item(2, appearance=Appearance(RED.facets, "bottom")), reader)


def test_where_nothing_else_speaks_for_an_item_it_is_new() -> None:
    assert reasons_of(score(item(1), Reader(), (), UNTIL)) == ("New: first seen on 22 November",)


def test_a_digest_that_could_be_of_one_kind_is_not() -> None:
    reader = Reader({"colour": {"navy": Leaning(1.0, 9, 0)}})
    alike = [item(n, appearance=NAVY) for n in range(20)]
    others = [item(n, appearance=RED) for n in range(20, 30)]
    chosen = choose([score(one, reader, (), UNTIL) for one in (*alike, *others)], 6)
    assert {one.candidate.appearance.group for one in chosen} == {"top", "dress"}


def test_only_addresses_of_the_web_get_into_a_digest() -> None:
    made = compose(OCCASION, [item(1, url="javascript:alert(1)", image_url="data:text/html,x")], [], Reader(), 1)
    assert (made["suggestions"][0]["url"], made["suggestions"][0]["image_url"]) == (None, None)
