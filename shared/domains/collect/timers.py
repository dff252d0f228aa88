"""The timer of collection."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.domains.collect.settings import CollectSettings
from shared.jobs import Missed, Timer

if TYPE_CHECKING:
    from shared.settings import Settings


def _wanted(settings: Settings) -> Mapping[str, Any]:
    from shared.domains.collect.hot_topics import wanted

    return wanted(settings).model_dump(mode="json")


HOT_TOPICS = Timer(
    "GetHotTopics",
    schedule=lambda settings: settings.of(CollectSettings).hot_topics_schedule,
    kind="content-site",
    missed=Missed.ONCE,
    meaning="Collects what is hot on the subreddits in the settings, and publishes it.",
    payload=lambda scheduled_at: {},  # noqa: ARG005 - the settings say it all
    chosen=_wanted,
    healthy_for=timedelta(hours=36),
)
