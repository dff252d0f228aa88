"""What the lexicons find, and above all what they do not: made-up sentences of the kinds that real ones taught."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.domains.moods.lexicon import LEAST, LexiconExtractor, read
from shared.domains.moods.ports import Article
from shared.domains.moods.vocabulary import vocabulary

LONG = "The shirt is cut from cotton and the trousers from wool; a jacket goes with both, and shoes in brown. " * 6


def article(title: str, text: str = "", *tags: str) -> Article:
    return Article("k", title, text, None, tags, datetime(2026, 1, 5, tzinfo=UTC))


def moods(title: str, text: str = "", *tags: str) -> set[str]:
    return {one.name for one in read(article(title, text, *tags))}


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Cottage-core dresses for the garden", {"Cottagecore"}),
        ("Why DARK ACADEMIA outfits are back", {"Dark Academia"}),
        ("A minimalist wardrobe in ten pieces", {"Minimalist"}),
        ("An edgy dress for New Year's Eve", {"Edgy"}),
        ("The romantic blouse of the season", {"Romantic"}),
        ("Boho skirts and how to wear them", {"Bohemian"}),
        ("Athleisure outfits for travel", {"Sporty"}),
        ("Preppy blazers for the office", {"Preppy"}),
        ("A nautical jumper for every day", {"Coastal"}),
        ("Maximalist jackets: more is more fashion", {"Maximalist"}),
        ("The best street style of Copenhagen's fashion week", {"Streetwear"}),
        ("Gorpcore jackets in town", {"Gorpcore"}),
        ("Trench coats and pencil skirts: a classic wardrobe", {"Classic"}),
        ("Breton tops, espadrilles and straw totes", {"Coastal"}),
    ],
)
def test_a_mood_is_found_where_clothes_are_spoken_of(title: str, expected: set[str]) -> None:
    assert moods(title) == expected


@pytest.mark.parametrize(
    "title",
    [
        "A classic comedy returns to the stage",
        "Edgy humour and a romantic ending in this film",
        "Minimalist phones are selling again",
        "Coastal towns fear the next storm",
        "The bohemian quarter of Paris, restored",
        "Sporty hatchback tested: is it worth the money?",
        "Preppy college town votes for a new mayor",
        "Cottagecore kitchens: shelves, herbs and tiles",
        "A dark academia of forgotten philosophers",
        "Vintage cars draw a crowd",
        "Western Digital unveils a drive",
        "The punk band that changed radio",
        "Gothic architecture explained",
        "A last resort for the treasury",
        "Surf conditions for the weekend",
    ],
)
def test_the_same_words_elsewhere_mean_nothing(title: str) -> None:
    assert moods(title) == set()


@pytest.mark.parametrize(
    "title",
    [
        "Daft Punk wore suits to the premiere",
        "Running shoe review: the Classic 2",
        "Men's sports coat, blue",
        "A skater dress in floral print",
        "This dress is not edgy",
        "Anything but shoes, without preppy blazers",
        "Non-streetwear jackets for once",
        "The new jacket is seen everywhere | Hypebeast",
        "See the shirts at r/streetwear or https://streetwear.example/shirts",
        "A tweed jacket",
        "Little black dress, size 12",
    ],
)
def test_near_misses_in_the_company_of_clothes_mean_nothing(title: str) -> None:
    assert moods(title) == set()


def test_one_mention_in_a_long_text_is_not_enough_and_two_hints_are() -> None:
    assert moods("The week in shirts", f"{LONG} A streetwear label was named once. {LONG}") == set()
    assert moods("The week in shirts", f"{LONG} A streetwear label: streetwear again. {LONG}") == {"Streetwear"}
    assert moods("The week in shirts", f"{LONG} A preppy blazer with boat shoes. {LONG}") == {"Preppy"}


def test_a_long_text_must_speak_of_clothes_throughout() -> None:
    other = "The minister spoke for an hour about the budget and the roads, and nobody was surprised by it. " * 12
    assert moods("The speech", f"{other} Streetwear, said a shirt seller, is streetwear.") == set()


def test_a_source_about_dress_lends_its_context() -> None:
    assert moods("Inspiration album: punk") == set()
    assert moods("Inspiration album: punk", "", "malefashionadvice") == {"Punk"}


def test_hints_add_up() -> None:
    (one,) = read(article("Preppy blazers"))
    (two,) = read(article("Preppy blazers with penny loafers"))
    assert LEAST <= one.weight < two.weight < 1


def test_what_the_article_names_of_the_look_is_kept() -> None:
    (found,) = read(article("Coastal looks", "Linen shirts in white and sand, with espadrilles and a straw hat."))
    assert found.signals.palette == ("white", "sand")
    assert found.signals.key_pieces == ("linen shirt", "espadrilles", "straw hat")


def test_a_sub_mood_has_the_signals_of_its_primary_one() -> None:
    (found,) = read(article("Coastal grandmother outfits", "Linen in white."))
    assert (found.name, found.primary) == ("Coastal Grandmother", "Coastal")
    assert found.signals.fabrics == ("linen",)


def test_every_name_is_found_next_to_a_garment() -> None:
    faint = {entry.name for entry in vocabulary().values() if entry.name_is == "faint"}
    missed = {entry.name for entry in vocabulary().values() if entry.name not in moods(f"{entry.name} jumpers")}
    assert missed == faint == {"Classic"}


@pytest.mark.parametrize("title", ["", " ", "|", "\ud800 dress", "a" * 10_000, "streetwear " * 2_000])
def test_strange_texts_are_read_like_any_other(title: str) -> None:
    for found in read(article(title, title)):
        assert 0 < found.weight <= 1


async def test_articles_are_answered_in_their_order() -> None:
    articles = [article("Streetwear hoodies"), article("The budget"), article("Boho dresses")]
    found = await LexiconExtractor().extract(articles)
    assert [[one.name for one in each] for each in found] == [["Streetwear"], [], ["Bohemian"]]
