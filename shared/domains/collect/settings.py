"""Settings of content collection."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, Spec, matching, number, schedule, setting, text, url, whole


@dataclass(frozen=True, eq=False, repr=False)
class CollectSettings(Section):
    """Settings of content collection."""

    max_bytes: int = whole(
        "COLLECT_MAX_BYTES", 5 * 1024 * 1024, 1024, 2**30, "bytes", "Largest feed, listing or page that is collected."
    )
    reddit_url: str = url("REDDIT_URL", "Reddit's public address.", "https://www.reddit.com")
    reddit_api_url: str = url("REDDIT_API_URL", "Reddit's API for those who signed in.", "https://oauth.reddit.com")
    reddit_client_id: str | None = text(
        "REDDIT_CLIENT_ID", None, "Id of the application at Reddit; unset: the public JSON is read."
    )
    reddit_client_secret: str | None = text(
        "REDDIT_CLIENT_SECRET", None, "Its secret; a Key Vault reference in Azure.", secret=True
    )
    hot_topics_schedule: str = schedule("HOT_TOPICS_SCHEDULE", "0 0 */6 * * *", "When hot topics are collected.")
    hot_topics: str = setting(
        Spec(
            "HOT_TOPICS",
            "comma-separated names of subreddits",
            "The subreddits whose hot topics are collected.",
            matching(r"\w{2,24}(\s*,\s*\w{2,24}){0,49}"),
        ),
        "technology,programming",
    )
    hot_topics_limit: int = whole("HOT_TOPICS_LIMIT", 10, 1, 100, "items", "Most items that are taken of each.")
    hot_topics_look_seconds: float = number(
        "HOT_TOPICS_LOOK_SECONDS", 10, 0, 120, "seconds", "How long after submitting the timer looks at the job."
    )
