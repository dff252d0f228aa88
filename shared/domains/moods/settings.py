"""Settings of the mood processor."""

from __future__ import annotations

import re
from dataclasses import dataclass

from shared.settings.spec import Spec, number, setting, text, whole


def _addresses(text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(re.split(r"[\s,]+", text.strip(", \n"))))
    if len(found) > 200 or not all(re.fullmatch(r"https?://[^\s/]+\S*", each) for each in found):
        raise ValueError(text)
    return found


@dataclass(frozen=True)
class MoodSettings:
    """Settings of the mood processor."""

    mood_window_days: int = whole("MOOD_WINDOW_DAYS", 14, 1, 365, "days", "How far back items are read for moods.")
    mood_max_items: int = whole(
        "MOOD_MAX_ITEMS", 5000, 100, 100_000, "items", "Most items that a run reads, the newest ones."
    )
    mood_model_max_articles: int = whole(
        "MOOD_MODEL_MAX_ARTICLES", 1000, 10, 100_000, "articles",
        "Most articles that a run shows to a chat model, the newest; the others wait for the next runs.",
    )  # fmt: skip
    mood_feeds: tuple[str, ...] = setting(
        Spec(
            "MOOD_FEEDS",
            "at most 200 http or https addresses, separated by commas or spaces",
            "Fashion feeds that are read for moods, beside what the scraper gathers.",
            _addresses,
        ),
        (),
    )
    mood_half_life_days: float = number(
        "MOOD_HALF_LIFE_DAYS", 7, 0.1, 365, "days", "After this time an article counts half in a mood's trend score."
    )
    mood_most_per_primary: int = whole(
        "MOOD_MAX_PER_PRIMARY", 20, 1, 100, "moods", "Most sub-moods that are kept of one primary mood."
    )
    mood_write_concurrency: int = whole(
        "MOOD_WRITE_CONCURRENCY", 4, 1, 32, "writes", "How many moods are written at a time."
    )
    openai_chat_deployment: str | None = text(
        "AZURE_OPENAI_CHAT_DEPLOYMENT", None, "Deployment of the chat model that reads moods; unset: lexicons do."
    )
    openai_embedding_deployment: str | None = text(
        "AZURE_OPENAI_EMBEDDING_DEPLOYMENT", None, "Deployment of the embedding model; unset: hashing vectors."
    )
