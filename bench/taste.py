"""How well a profile predicts: the last row of each user of a real feedback set, from the rows before it.

    python -m bench.taste --data DIR [--json FILE] [--quick]

Every row becomes a job's payload, is analysed by the real analyser of words and fields, and folded by the real fold; the
prior is made of the profiles of what is left when each user's last row is held out, as the app would make it. The
constants of the ranking were chosen on the users whose id hashes to an even number; the table shows both halves.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.alone import Alone
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.prior import Prior, PriorBuilder
from shared.domains.taste.profile import Profile, fold
from shared.domains.taste.ranking import Ranked, rank
from shared.domains.taste.words import analyse_words

FACETS = ("occasion", "size", "category")
TARGETS = {
    "occasion_top1": 0.41,
    "occasion_top3": 0.75,
    "size_top1": 0.43,
    "size_top3": 0.74,
    "category_top1": 0.47,
    "category_top3": 0.72,
}
DATA = Path("feedback") / "rent_the_runway.csv.gz"
QUICK_USERS = 2000
_NO_IMAGE = ImageNote("none")


@dataclass(frozen=True, slots=True)
class Case:
    """A user: the profile of all rows but the last, and what the last row holds."""

    user_id: str
    profile: Profile
    truth: dict[str, str]


def read_jobs(path: Path) -> Iterator[TasteJob]:
    """Read the rental set as the jobs that its rows would have submitted, in the order of the file."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as source:
        for number, row in enumerate(csv.DictReader(source)):
            yield job_of(row, number)


def job_of(row: dict[str, str], number: int) -> TasteJob:
    """One row: rated 6 or lower is a down. Rows of one day keep their order by microseconds."""
    day = datetime.strptime(row["review_date"], "%Y-%m-%d").replace(tzinfo=UTC)
    return TasteJob.model_validate(
        {
            "user_id": row["user_id"],
            "item_id": row["item_id"],
            "signal": "down" if row["rating"] and float(row["rating"]) <= 6 else "up",
            "item": {
                "occasion": row["rented_for"] or None,
                "category": row["category"] or None,
                "size": row["size"] or None,
            },
            "occurred_at": day + timedelta(milliseconds=number),
        }
    )


def cases_of(jobs: Iterable[TasteJob]) -> list[Case]:
    """Hold out each user's last row, where at least two are before it."""
    rows: dict[str, list[Evidence]] = defaultdict(list)
    for job in jobs:
        rows[job.user_id].append(Evidence.of(job, analyse_words(job.item), _NO_IMAGE))
    return [_case(user, evidence) for user, evidence in rows.items() if len(evidence) >= 3]


def _case(user_id: str, evidence: list[Evidence]) -> Case:
    *earlier, last = evidence
    truth = {facet: next(iter(last.findings.facets[facet])) for facet in FACETS if facet in last.findings.facets}
    return Case(user_id, fold(earlier), truth)


def prior_of(cases: Iterable[Case]) -> Prior:
    """What all users like, the held-out rows left out."""
    builder = PriorBuilder()
    for case in cases:
        builder.add(case.profile)
    return builder.build()


Hits = dict[str, bool]


def hits_of(case: Case, ranking: Mapping[str, list[Ranked]]) -> Hits:
    """Whether each held-out value is ranked first, and among the first three."""
    hits: Hits = {}
    for facet, value in case.truth.items():
        values = [one.value for one in ranking[facet][:3]]
        hits |= {f"{facet}_top1": values[0] == value, f"{facet}_top3": value in values}
    return hits


def measure(path: Path, users: int | None = None) -> dict[str, float]:
    """Measure all: the profile, and the prior alone, as a user without evidence would get it."""
    begun = time.perf_counter()
    cases = cases_of(read_jobs(path))[:users]
    prior = prior_of(cases)
    nobody = rank(Profile(), prior, 3, FACETS)
    mine = [hits_of(case, rank(case.profile, prior, 3, FACETS)) for case in cases]
    halves: list[list[Hits]] = [[], []]
    for case, hits in zip(cases, mine, strict=True):
        halves[_half(case.user_id)].append(hits)
    figures = (
        _rates("taste_", mine)
        | _rates("taste_prior_", [hits_of(case, nobody) for case in cases])
        | _rates("taste_tuned_half_", halves[0])
        | _rates("taste_unseen_half_", halves[1])
    )
    return figures | {"taste_users": len(cases), "taste_seconds": round(time.perf_counter() - begun, 1)}


def _rates(prefix: str, many: list[Hits]) -> dict[str, float]:
    """The part of cases that hit, by figure."""
    rates = {}
    for name in TARGETS:
        relevant = [hits[name] for hits in many if name in hits]
        rates[prefix + name] = round(sum(relevant) / len(relevant), 4)
    return rates


def _half(user_id: str) -> int:
    return hashlib.sha256(user_id.encode()).digest()[0] % 2


def show(figures: dict[str, float]) -> str:
    """A table for people."""
    lines = [f"{'':16}{'profile':>9}{'prior':>9}{'to reach':>10}{'tuned on':>10}{'unseen':>9}"]
    for name, target in TARGETS.items():
        cells = [figures[f"taste_{prefix}{name}"] for prefix in ("", "prior_", "tuned_half_", "unseen_half_")]
        lines.append(f"{name:16}{cells[0]:9.4f}{cells[1]:9.4f}{target:10.2f}{cells[2]:10.4f}{cells[3]:9.4f}")
    lines.append(f"{figures['taste_users']:.0f} users, {figures['taste_seconds']:.1f} s")
    return "\n".join(lines)


def short_of(figures: Mapping[str, float]) -> list[str]:
    """The figures that fall short of what is to be reached; the category must also be no worse than the prior alone."""
    short = [name for name, target in TARGETS.items() if figures[f"taste_{name}"] < target]
    worse = figures["taste_category_top1"] < figures["taste_prior_category_top1"]
    return [*short, *(["category_top1 against the prior"] if worse else [])]


MAIN = Alone(__doc__, DATA, QUICK_USERS, measure, show, short_of)
"""For a shell."""

if __name__ == "__main__":
    sys.exit(MAIN.main())
