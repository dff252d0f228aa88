"""Settings of the mood processor."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.settings.spec import Section, Spec, number, schedule, setting, text, whole


def _addresses(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(re.split(r"[\s,]+", text.strip(", \n"))))
    if len(found) > 200 or not all(re.fullmatch(r"https?://[^\s/]+\S*", each) for each in found):
        raise ValueError(text)
    return found


@dataclass(frozen=True, eq=False, repr=False)
class MoodSettings(Section):
    """Settings of the mood processor."""

    mood_schedule: str = schedule("MOOD_SCHEDULE", "0 0 6 * * *", "When moods are read from what was gathered.")
    window_days: int = whole("MOOD_WINDOW_DAYS", 14, 1, 365, "days", "How far back items are read for moods.")
    max_items: int = whole(
        "MOOD_MAX_ITEMS", 5000, 100, 100_000, "items", "Most items that a run reads, the newest ones."
    )
    model_max_articles: int = whole(
        "MOOD_MODEL_MAX_ARTICLES", 1000, 10, 100_000, "articles",
        "Most articles that a run shows to a chat model, the newest; the others wait for the next runs.",
    )  # fmt: skip
    feeds: tuple[str, ...] = setting(
        Spec(
            "MOOD_FEEDS",
            "at most 200 http or https addresses, separated by commas or spaces",
            "Fashion feeds that are read for moods, beside what the scraper gathers.",
            _addresses,
        ),
        (),
    )
    half_life_days: float = number(
        "MOOD_HALF_LIFE_DAYS", 7, 0.1, 365, "days", "After this time an article counts half in a mood's trend score."
    )
    most_per_primary: int = whole(
        "MOOD_MAX_PER_PRIMARY", 20, 1, 100, "moods", "Most sub-moods that are kept of one primary mood."
    )
    write_concurrency: int = whole(
        "MOOD_WRITE_CONCURRENCY", 4, 1, 32, "writes", "How many moods are written at a time."
    )
    chat_deployment: str | None = text(
        "AZURE_OPENAI_CHAT_DEPLOYMENT", None, "Deployment of the chat model that reads moods; unset: lexicons do."
    )
    embedding_deployment: str | None = text(
        "AZURE_OPENAI_EMBEDDING_DEPLOYMENT", None, "Deployment of the embedding model; unset: hashing vectors."
    )
