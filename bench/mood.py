"""What the lexicons of moods find in real texts, and what they find where nothing is to be found.

    python -m bench.mood --data DIR [--sample N] [--json FILE]

There is no real set of articles that somebody has labelled with moods. So three things are counted: how many of the texts that
are not about dress are taken to speak of a mood (none should be), in how many headlines of fashion forums that hold a word of the
vocabulary a mood is found (many should be, not all: half of these words mean something else), and how fast it goes.
`--sample` prints findings, for judging them by hand: that is the only way to precision.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import html
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench import default_data
from shared.domains.moods.lexicon import read
from shared.domains.moods.ports import Article, Findings
from shared.domains.moods.vocabulary import vocabulary

FASHION = (
    "malefashionadvice", "femalefashionadvice", "fashion", "malefashion", "frugalmalefashion", "FrugalFemaleFashion", "streetwear",
    "Sneakers",
)  # fmt: skip
OTHER = ("technology", "gadgets", "beauty", "MakeupAddiction")
_SOME_MOMENT = datetime(2026, 1, 5, tzinfo=UTC)
Judged = tuple[Article, Findings]


def measure(data: Path) -> tuple[dict[str, float], list[Judged]]:
    """The figures, and every finding in the texts about dress."""
    began = time.perf_counter()
    dress = [(one, read(one)) for name in FASHION for one in forum(data, name)]
    other = [(one, read(one)) for name in OTHER for one in forum(data, name)]
    other += [(one, read(one)) for one in feeds(data)]
    seconds = time.perf_counter() - began
    named = [found for one, found in dress if _named().search(one.title)]
    figures = {
        "mood_other_articles": len(other),
        "mood_other_found": sum(bool(found) for _, found in other),
        "mood_dress_articles": len(dress),
        "mood_dress_found": sum(bool(found) for _, found in dress),
        "mood_named_headlines": len(named),
        "mood_named_found_share": sum(map(bool, named)) / len(named),
        "mood_articles_per_second": (len(dress) + len(other)) / seconds,
    }
    return figures, [pair for pair in dress if pair[1]]


def forum(data: Path, name: str) -> Iterator[Article]:
    """The top posts of a subreddit, tagged with its name as a scraped item is."""
    with gzip.open(data / "reddit" / "top1000_2013" / f"{name}.csv.gz", "rt", errors="replace", newline="") as source:
        for row in csv.DictReader(source):
            title, text = html.unescape(row["title"]), html.unescape(row["selftext"] or "")[:2000]
            yield Article(row["id"], title, text, row["url"], (name.lower(),), _SOME_MOMENT)


def feeds(data: Path) -> Iterator[Article]:
    """The entries of real feeds, of which none is about dress, untagged."""
    from shared.domains.collect.feeds import parse_feed
    from shared.fetch import Fetched

    for path in sorted((data / "feeds" / "real").glob("*/*.xml")):
        harvest = parse_feed(Fetched(path.read_bytes(), "application/xml", "https://feed.example/"), path.name)
        for item in harvest.items:
            yield Article(item.id, item.title, item.text, item.url, (), _SOME_MOMENT)


def _named() -> re.Pattern[str]:
    """Any word by which the vocabulary knows a mood."""
    entries = vocabulary().values()
    words = sorted(
        {word for each in entries for word in (each.name, *each.aliases, *each.styled)}, key=len, reverse=True
    )
    return re.compile(rf"\b({'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def show(found: Iterable[Judged]) -> None:
    """Print findings for judging by hand."""
    for article, findings in found:
        moods = ", ".join(f"{one.name} {one.weight}" for one in findings)
        print(f"{moods}\n    {article.title}\n    {' '.join(article.text.split())[:200]}")


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(prog="bench.mood")
    parser.add_argument("--data", type=Path, default=default_data())
    parser.add_argument("--sample", type=int, default=0, help="findings to print, for judging them by hand")
    parser.add_argument("--json", type=Path, help="file for the figures, one flat object")
    options = parser.parse_args()
    figures, found = measure(options.data)
    show(random.sample(found, min(options.sample, len(found))))
    for name, value in figures.items():
        print(f"{name:28} {value:,.2f}")
    print(Counter(one.name for _, findings in found for one in findings).most_common())
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
