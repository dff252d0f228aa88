"""How well digests fit: what each user of a real feedback set rented next, found among 99 other pieces.

    python -m bench.digest --data DIR [--json FILE] [--quick]

Each user's last row is held out. A piece is described by what a shop knows of it: its category, and what others rented it
for, by the rows that are left. Reception is its popularity among these. The held-out piece is put among 99 others, and all
are ranked: by chance, by popularity, and as digests rank (`shared.domains.digests.scoring`). Size is left out, since every piece
comes in the user's own. The others are drawn in two ways: any piece alike, where popularity alone does well, since what is
rented next is mostly popular; and as often as they are rented, where every piece is as popular as the one to be found.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log2
from pathlib import Path

from bench.alone import Alone
from bench.taste import DATA, QUICK_USERS, read_jobs
from shared.domains.digests.choosing import choose
from shared.domains.digests.model import Appearance, Candidate, Reader
from shared.domains.digests.reader import leanings_of
from shared.domains.digests.scoring import score
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.prior import PriorBuilder
from shared.domains.taste.profile import Profile, fold
from shared.domains.taste.words import analyse_words

OTHERS = 99
SIZE = 10
_NO_IMAGE = ImageNote("none")
_UNTIL = datetime(2026, 1, 1, tzinfo=UTC)
_FACETS = ("category", "garment", "occasion")
TARGETS = {"digest_alike_over_popularity": 1.5, "digest_alike_over_chance": 1.5, "digest_occasion_over_popularity": 1.5}
"""To reach, as ratios: hits where every piece is as popular as the one to be found; and suggestions for its occasion."""


@dataclass(frozen=True, slots=True)
class Case:
    """A user: the profile of all rows but the last, and the last one's piece with its occasion."""

    profile: Profile
    item_id: str
    facets: Mapping[str, str]


Ranking = Callable[[Case, Sequence[Candidate]], list[Candidate]]


def read(path: Path, users: int | None) -> tuple[list[Case], dict[str, Candidate], Counter[str]]:
    """The cases, the pieces by id, and how often each was rented in the rows that are left."""
    rows: defaultdict[str, list[Evidence]] = defaultdict(list)
    for job in read_jobs(path):
        rows[job.user_id].append(Evidence.of(job, analyse_words(job.item), _NO_IMAGE))
    left = [one for many in rows.values() for one in (many[:-1] if len(many) >= 3 else many)]
    pieces, counts = _pieces(left)
    cases = [_case(many) for many in rows.values() if len(many) >= 3]
    return [case for case in cases if case.item_id in pieces][:users], pieces, counts


def _case(rows: list[Evidence]) -> Case:
    *earlier, last = rows
    return Case(fold(earlier), last.item_id, {facet: max(values) for facet, values in last.findings.facets.items()})


def _pieces(rows: Sequence[Evidence]) -> tuple[dict[str, Candidate], Counter[str]]:
    """Pieces as the rows describe them: a value weighs by its share of the rows, up to the most frequent one's."""
    seen: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    counts = Counter(one.item_id for one in rows)
    for one in rows:
        for facet in _FACETS:
            seen[one.item_id][facet].update(one.findings.facets.get(facet, {}).keys())
    most = log2(1 + max(counts.values()))
    pieces = {}
    for item_id, facets in seen.items():
        appearance = {
            facet: {value: n / max(values.values()) for value, n in values.items()}
            for facet, values in facets.items()
            if values
        }
        reception = log2(1 + counts[item_id]) / most
        pieces[item_id] = Candidate(
            item_id, item_id, None, "shop", "Shop", _UNTIL, Appearance(appearance), reception=reception
        )
    return pieces, counts


def measure(path: Path, users: int | None = None) -> dict[str, float]:
    """Every ranking on every case, with both ways to draw the others."""
    begun = time.perf_counter()
    cases, pieces, counts = read(path, users)
    builder = PriorBuilder()
    for case in cases:
        builder.add(case.profile)
    prior = builder.build()
    readers = {id(case): Reader(leanings_of(case.profile, prior)) for case in cases}
    rankings = _rankings(readers, counts)
    figures: dict[str, float] = {}
    ids, weights = list(pieces), [counts[item_id] for item_id in pieces]
    for suffix, drawn in (("", None), ("_alike", weights)):
        shown = [_shown(case, pieces, ids, drawn, random.Random(n)) for n, case in enumerate(cases)]
        for name, ranking in rankings.items():
            figures |= _rates(f"{name}{suffix}_", cases, shown, ranking)
    figures["digest_alike_over_popularity"] = round(
        figures["digest_alike_hit10"] / figures["popularity_alike_hit10"], 3
    )
    figures["digest_alike_over_chance"] = round(figures["digest_alike_hit10"] / figures["chance_alike_hit10"], 3)
    figures["digest_occasion_over_popularity"] = round(
        figures["digest_occasion_fit"] / figures["popularity_occasion_fit"], 3
    )
    return figures | {"digest_users": len(cases), "digest_seconds": round(time.perf_counter() - begun, 1)}


def _rankings(readers: Mapping[int, Reader], counts: Counter[str]) -> dict[str, Ranking]:
    """The rankings that are compared."""
    dice = random.Random(7)

    def by_chance(_: Case, shown: Sequence[Candidate]) -> list[Candidate]:
        return dice.sample(shown, len(shown))

    def by_popularity(_: Case, shown: Sequence[Candidate]) -> list[Candidate]:
        return sorted(shown, key=lambda one: -counts[one.item_id])

    def by_score(case: Case, shown: Sequence[Candidate]) -> list[Candidate]:
        scored = [score(one, readers[id(case)], (), _UNTIL) for one in shown]
        return [one.candidate for one in sorted(scored, key=lambda one: -one.score)]

    def by_digest(case: Case, shown: Sequence[Candidate]) -> list[Candidate]:
        return [one.candidate for one in choose([score(one, readers[id(case)], (), _UNTIL) for one in shown], SIZE)]

    return {"chance": by_chance, "popularity": by_popularity, "score": by_score, "digest": by_digest}


def _shown(
    case: Case, pieces: Mapping[str, Candidate], ids: list[str], weights: list[int] | None, dice: random.Random
) -> list[Candidate]:
    """The held-out piece and 99 others, in no order."""
    others: dict[str, None] = {}
    while len(others) < OTHERS:
        drawn = dice.choices(ids, weights, k=OTHERS)
        others |= {item_id: None for item_id in drawn if item_id != case.item_id}
    return dice.sample([pieces[item_id] for item_id in (case.item_id, *list(others)[:OTHERS])], OTHERS + 1)


def _rates(prefix: str, cases: Sequence[Case], shown: Sequence[list[Candidate]], ranking: Ranking) -> dict[str, float]:
    """How often the piece is among the first ten; and how many of these are of its category, or for its occasion."""
    hits, fits = 0, Counter[str]()
    for case, candidates in zip(cases, shown, strict=True):
        first = ranking(case, candidates)[:SIZE]
        hits += any(one.item_id == case.item_id for one in first)
        for facet in ("category", "occasion"):
            fits[facet] += sum(
                one.appearance.facets.get(facet, {}).get(case.facets.get(facet, ""), 0) == 1 for one in first
            )
    total = len(cases)
    return {
        f"{prefix}hit10": round(hits / total, 4),
        **{f"{prefix}{facet}_fit": round(fits[facet] / total / SIZE, 4) for facet in ("category", "occasion")},
    }


def show(figures: Mapping[str, float]) -> str:
    """A table for people."""
    lines = [
        f"{'':14}{'any piece alike':^30}{'as often as rented':^30}",
        f"{'':14}" + f"{'hit@10':>10}{'category':>10}{'occasion':>10}" * 2,
    ]
    for name in ("chance", "popularity", "score", "digest"):
        cells = [
            figures[f"{name}{suffix}_{what}"]
            for suffix in ("", "_alike")
            for what in ("hit10", "category_fit", "occasion_fit")
        ]
        lines.append(f"{name:14}" + "".join(f"{cell:10.3f}" for cell in cells))
    lines.append(f"{figures['digest_users']:.0f} users, {figures['digest_seconds']:.1f} s")
    return "\n".join(lines)


def short_of(figures: Mapping[str, float]) -> list[str]:
    """The figures that fall short of what is to be reached."""
    return [name for name, target in TARGETS.items() if figures[name] < target]


MAIN = Alone(__doc__, DATA, QUICK_USERS, measure, show, short_of)
"""For a shell."""

if __name__ == "__main__":
    sys.exit(MAIN.main())
