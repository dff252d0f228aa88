"""The timer of collection."""

from __future__ import annotations

from datetime import timedelta

from shared.domains.collect.hot_topics import wanted
from shared.domains.collect.settings import CollectSettings
from shared.jobs import Missed, Timer

HOT_TOPICS = Timer(
    "GetHotTopics",
    schedule=lambda settings: settings.of(CollectSettings).hot_topics_schedule,
    kind="content-site",
    missed=Missed.ONCE,
    meaning="Collects what is hot on the subreddits in the settings, and publishes it.",
    payload=lambda scheduled_at: {},  # noqa: ARG005 - the settings say it all
    chosen=lambda settings: wanted(settings).model_dump(mode="json"),
    healthy_for=timedelta(hours=36),
)
