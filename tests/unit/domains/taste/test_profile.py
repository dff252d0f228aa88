"""Folding evidence, and ranking the fold."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.taste.evidence import Evidence, ImageNote, evidence_id
from shared.domains.taste.facets import FACETS
from shared.domains.taste.feedback import Signal
from shared.domains.taste.findings import Findings
from shared.domains.taste.prior import MIN_USERS, Prior, PriorBuilder, default_prior
from shared.domains.taste.profile import DECAY, MAX_EVIDENCE, MAX_VALUES, Profile, Tally, fold
from shared.domains.taste.ranking import rank
from support.examples import examples

START = datetime(2026, 1, 1, tzinfo=UTC)
COLOURS = ("red", "blue", "green", "black")


def signal(item: int, facets: dict[str, dict[str, float]], sign: Signal = "up", minute: int | None = None) -> Evidence:
    return Evidence(
        id=evidence_id("u", str(item), 0),
        user_id="u",
        item_id=str(item),
        gallery_image_index=0,
        signal=sign,
        occurred_at=START + timedelta(minutes=item if minute is None else minute),
        findings=Findings(facets, {facet: ["item"] for facet in facets}),
        image=ImageNote("none"),
    )


def likes(*colours: str) -> list[Evidence]:
    return [signal(number, {"colour": {colour: 1.0}}) for number, colour in enumerate(colours)]


UP: Signal = "up"
DOWN: Signal = "down"
SIGNS = st.sampled_from([UP, DOWN])
values = st.dictionaries(st.sampled_from(COLOURS), st.floats(0.1, 1.0), min_size=1, max_size=3)
findings = st.dictionaries(st.sampled_from(["colour", "occasion", "size"]), values, max_size=3)
histories = st.lists(st.tuples(findings, SIGNS), max_size=12).map(
    lambda rows: [signal(number, facets, sign) for number, (facets, sign) in enumerate(rows)]
)
crowds = st.lists(histories, max_size=4)
steady = examples(50)  # a busy machine is no failure
UNIFORM = Prior(shares={facet: dict.fromkeys(COLOURS, 0.25) for facet in FACETS})


@steady
@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_processing_does_not_matter(history: list[Evidence], dice: random.Random) -> None:
    shuffled = list(history)
    dice.shuffle(shuffled)
    assert fold(shuffled) == fold(history)


@steady
@given(histories)
def test_the_same_evidence_twice_changes_nothing(history: list[Evidence]) -> None:
    assert fold(history + history) == fold(history)


@steady
@given(histories)
def test_a_profile_survives_storage(history: list[Evidence]) -> None:
    profile = fold(history)
    document = json.loads(json.dumps(profile.to_document("u")))
    assert Profile.from_document(document) == profile
    stored = [Evidence.from_document(json.loads(json.dumps(one.to_document()))) for one in history]
    assert stored == history
    assert fold(stored) == profile


@steady
@given(histories, st.integers(1, 10))
def test_a_ranking_is_ordered_and_its_weights_are_parts_of_one(history: list[Evidence], limit: int) -> None:
    profile = fold(history)
    for ranked in rank(profile, UNIFORM, limit).values():
        weights = [one.weight for one in ranked]
        assert weights == sorted(weights, reverse=True)
        assert all(weight >= 0 for weight in weights)
        assert sum(weights) <= 1 + 1e-5
        assert len(ranked) <= limit
        assert len({one.value for one in ranked}) == len(ranked)
    for facet, ranked in rank(profile, UNIFORM, 1000).items():
        assert sum(one.weight for one in ranked) == pytest.approx(1, abs=1e-4), facet


@steady
@given(histories)
def test_it_says_what_it_stands_on(history: list[Evidence]) -> None:
    profile = fold(history)
    assert profile.ups + profile.downs == profile.items == len(history)
    for facet, tallies in profile.facets.items():
        for value, tally in tallies.items():
            about = [one for one in history if value in one.findings.facets.get(facet, {})]
            assert tally.n_up == sum(one.signal == "up" for one in about)
            assert tally.n_down == sum(one.signal == "down" for one in about)
    if history:
        assert (profile.oldest, profile.newest) == (
            history[0].occurred_at.isoformat(),
            history[-1].occurred_at.isoformat(),
        )


@steady
@given(histories, st.sampled_from(COLOURS))
def test_one_more_up_never_lowers_a_value_and_one_more_down_never_raises_a_liking(
    history: list[Evidence], colour: str
) -> None:
    def weight(evidence: list[Evidence]) -> float:
        return next((one.weight for one in rank(fold(evidence), UNIFORM, 99)["colour"] if one.value == colour), 0.0)

    before = weight(history)
    assert weight([*history, signal(99, {"colour": {colour: 1.0}})]) >= before - 1e-5
    assert weight([*history, signal(99, {"colour": {colour: 1.0}}, "down")]) <= before + 1e-5


def test_a_user_without_evidence_gets_the_prior() -> None:
    prior = Prior(shares={"colour": {"red": 0.7, "blue": 0.3}})
    ranked = rank(fold([]), prior)
    assert [(one.value, one.weight, one.n_up) for one in ranked["colour"]] == [("red", 0.7, 0), ("blue", 0.3, 0)]


@pytest.mark.parametrize("count", [1, 3, 10, 100])
def test_evidence_moves_a_user_away_from_the_prior_little_by_little(count: int) -> None:
    prior = Prior(shares={"colour": {"red": 0.9, "blue": 0.1}})
    blue = {one.value: one.weight for one in rank(fold(likes(*["blue"] * count)), prior)["colour"]}["blue"]
    mass, strength = sum(DECAY**age for age in range(count)), FACETS["colour"].strength
    assert blue == pytest.approx((mass + strength * 0.1) / (mass + strength), abs=1e-5)


def test_newer_evidence_weighs_more() -> None:
    profile = fold(likes("red", "blue"))
    assert profile.facets["colour"]["blue"].up > profile.facets["colour"]["red"].up
    assert [one.value for one in rank(profile, UNIFORM)["colour"]][:2] == ["blue", "red"]


def test_time_that_passes_without_evidence_changes_nothing() -> None:
    early = likes("red", "blue")
    late = [replace(one, occurred_at=one.occurred_at + timedelta(days=900)) for one in early]
    assert fold(early).facets == fold(late).facets


def test_a_down_takes_from_a_liking_and_tells_of_a_need() -> None:
    facets = {"colour": {"red": 1.0}, "size": {"red": 1.0}}
    ranked = rank(fold([signal(1, facets, "down")]), UNIFORM)
    assert [one.value for one in ranked["colour"]][-1] == "red"
    assert next(iter(ranked["size"])).value == "red"


def test_the_last_word_on_an_item_stands() -> None:
    up, down = (signal(1, {"colour": {"red": 1.0}}, sign, minute) for sign, minute in ((UP, 1), (DOWN, 2)))
    assert down.version > up.version
    assert down.id == up.id
    assert fold([up, down]) == fold([down, up]) == fold([down])


def test_only_the_newest_evidence_counts_and_only_so_many_values_are_kept() -> None:
    many = [signal(number, {"brand": {f"brand {number:04}": 1.0}}) for number in range(MAX_EVIDENCE + 50)]
    profile = fold(many)
    assert profile.ups == MAX_EVIDENCE
    assert len(profile.facets["brand"]) == MAX_VALUES
    assert f"brand {MAX_EVIDENCE + 49:04}" in profile.facets["brand"]
    assert len(json.dumps(profile.to_document("u"))) < 30_000


@steady
@given(histories)
def test_the_fingerprint_changes_with_the_evidence(history: list[Evidence]) -> None:
    more = [*history, signal(99, {})]
    assert fold(more).fingerprint != fold(history).fingerprint


# --- the prior ---------------------------------------------------------------------------------------------------


def prior_of(*users: Profile) -> Prior:
    builder = PriorBuilder()
    for user in users:
        builder.add(user)
    return builder.build()


def test_without_users_every_value_of_the_lexicons_is_as_likely_as_any_other() -> None:
    prior = prior_of()
    assert prior == default_prior()
    for facet, shares in prior.shares.items():
        assert sum(shares.values()) == pytest.approx(1), facet


def test_what_few_users_said_is_shown_to_nobody() -> None:
    secret = fold(likes("my own secret colour"))
    few = prior_of(*[secret] * (MIN_USERS - 1), *[fold(likes("red"))] * MIN_USERS)
    assert few.shares["colour"] == {"red": 1.0}
    assert "secret" not in json.dumps(few.to_document())
    assert "my own secret colour" in prior_of(*[secret] * MIN_USERS).shares["colour"]


def test_users_with_much_zeal_count_no_more_than_others_with_some() -> None:
    zealot = fold([signal(number, {"size": {"s": 1.0}}) for number in range(400)])
    some = fold([signal(number, {"size": {"m": 1.0}}) for number in range(30)])
    prior = prior_of(*[zealot] * MIN_USERS, *[some] * MIN_USERS)
    assert prior.shares["size"] == {"m": 0.5, "s": 0.5}


def test_downs_count_for_needs_and_not_for_likings() -> None:
    disliked = fold([signal(1, {"colour": {"red": 1.0}, "size": {"m": 1.0}}, "down")])
    prior = prior_of(*[disliked] * MIN_USERS)
    assert prior.shares["size"] == {"m": 1.0}
    assert "red" in prior.shares["colour"]  # it is in the lexicon
    assert prior.shares["colour"]["red"] == pytest.approx(1 / len(prior.shares["colour"]))


def test_users_with_like_evidence_are_better_guides_than_all() -> None:
    """Of two camps, the smaller is the better guide to those who have shown that they belong to it."""
    big = fold([signal(n, {"size": {v: 1.0}}) for n, v in enumerate(["m", "l", "m", "l"])])
    small = fold([signal(n, {"size": {v: 1.0}}) for n, v in enumerate(["xs", "s", "xs", "s"])])
    prior = prior_of(*[big] * 40, *[small] * 20)
    assert {one.value for one in rank(fold([]), prior, 2)["size"]} == {"m", "l"}
    mine = fold([signal(1, {"size": {"xs": 1.0}})])
    assert {one.value for one in rank(mine, prior, 2)["size"]} == {"xs", "s"}


@steady
@given(crowds, st.dictionaries(st.sampled_from(COLOURS), st.floats(0.01, 50)))
def test_what_is_expected_adds_up_to_one(users: list[list[Evidence]], masses: dict[str, float]) -> None:
    prior = prior_of(*[fold(history) for history in users for _ in range(MIN_USERS)])
    for facet in prior.shares:
        expected = prior.expected(facet, masses)
        assert all(share >= 0 for share in expected.values())
        assert sum(expected.values()) == pytest.approx(1, abs=1e-3)


@steady
@given(crowds, st.randoms(use_true_random=False))
def test_a_prior_survives_storage_and_does_not_mind_the_order(users: list[list[Evidence]], dice: random.Random) -> None:
    profiles = [fold(history) for history in users for _ in range(MIN_USERS)]
    prior = prior_of(*profiles)
    assert Prior.from_document(json.loads(json.dumps(prior.to_document()))) == prior
    dice.shuffle(profiles)
    other = prior_of(*profiles)
    for facet, shares in prior.shares.items():
        assert other.shares[facet] == pytest.approx(shares, abs=2e-6)


def test_a_prior_stays_small() -> None:
    dice = random.Random(1)
    crowd = [
        fold(
            [
                signal(n, {facet: {f"{facet} {dice.randrange(100)}": 1.0 for _ in range(3)} for facet in FACETS})
                for n in range(20)
            ]
        )
        for _ in range(60)
    ]
    assert len(json.dumps(prior_of(*crowd).to_document())) < 400_000


def test_an_empty_tally_is_nothing() -> None:
    assert rank(Profile(facets={"colour": {"red": Tally()}}), Prior()) == {}
