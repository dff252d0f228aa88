"""Real input: a shop's catalogue as items, a rental service's users as readers."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

from bench import default_data
from bench import digest as bench
from shared.domains.digests.appearance import appearance_of
from shared.domains.digests.choosing import bound
from shared.domains.digests.compose import Occasion, compose
from shared.domains.digests.model import Candidate, Reader
from shared.domains.digests.reader import leanings_of
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import Item as Words
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.prior import default_prior
from shared.domains.taste.profile import fold
from shared.domains.taste.words import analyse_words

UNTIL = datetime(2026, 11, 23, 9, tzinfo=UTC)
SHOPS = 6
FEEDBACK = Path("feedback") / "rent_the_runway.csv.gz"


def _real(path: Path) -> Path:
    found = default_data() / path
    if not found.is_file():
        pytest.skip(f"no real input at {found}; set NIGHTSHIFT_DATA")
    return found


def _catalogue(count: int) -> Iterator[tuple[Words, Candidate]]:
    with gzip.open(_real(Path("catalogue") / "styles.csv.gz"), "rt", encoding="utf-8", newline="") as source:
        for n, row in enumerate(islice(csv.DictReader(source), count)):
            words = Words(
                title=row["productDisplayName"], category=row["articleType"], colours=[row["baseColour"]], occasion=row["usage"]
            )  # fmt: skip
            seen = UNTIL - timedelta(minutes=n)
            title = row["productDisplayName"]
            yield (
                words,
                Candidate(row["id"], title, None, f"s{n % SHOPS}", f"Shop {n % SHOPS}", seen, appearance_of(words)),
            )


def _reader(liked: list[Words]) -> Reader:
    evidence = []
    for n, words in enumerate(liked):
        job = TasteJob(user_id="ann", item_id=f"i{n}", signal="up", item=words, occurred_at=UNTIL - timedelta(days=n))
        evidence.append(Evidence.of(job, analyse_words(words), ImageNote("none")))
    return Reader(leanings_of(fold(evidence), default_prior()))


@pytest.mark.parametrize(
    ("facet", "value"), [("colour", "navy"), ("colour", "red"), ("garment", "watch"), ("occasion", "sport")]
)
def test_who_likes_something_gets_more_of_it_but_not_of_one_kind_alone(facet: str, value: str) -> None:
    products = list(_catalogue(1600))
    liked = [words for words, item in products[:800] if value in item.appearance.facets.get(facet, {})][:8]
    new = [item for _, item in products[800:]]
    assert len(liked) == 8
    occasion = Occasion("ann", "2026-W48", UNTIL - timedelta(days=7), UNTIL)
    made = compose(occasion, new, (), _reader(liked), 10)["suggestions"]
    share = sum(value in each["facets"].get(facet, ()) for each in made) / len(made)
    common = sum(value in item.appearance.facets.get(facet, {}) for item in new) / len(new)
    groups = [item.appearance.group for item in new if item.appearance.group]
    assert len(made) == 10
    assert share >= min(3 * common, bound(10, groups) / 10), f"{share:.2f} against {common:.2f}"
    assert len({each["source"]["source_id"] for each in made}) > 2


@pytest.mark.slow
def test_digests_fit_what_users_rented_next() -> None:
    figures = bench.measure(_real(FEEDBACK), 1000)
    assert bench.short_of(figures) == []
