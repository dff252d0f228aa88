"""What a client asks for."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator

from shared.domains.collect.model import Sort, SourceName
from shared.fetch import FetchRefusedError
from shared.fetch.addresses import require_http

MOST_TOPICS = 50
_SUBREDDIT = re.compile(r"[A-Za-z0-9_]{2,24}")
_PREFIX = re.compile(r"/?r/", re.IGNORECASE)

Topic = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2048)]


class CollectJob(BaseModel):
    """The payload of a collection."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    source: SourceName = Field(description="Where to collect: subreddits, feeds, or single pages.")
    topics: list[Topic] = Field(
        min_length=1,
        max_length=MOST_TOPICS,
        description="Names of subreddits, or addresses of feeds or pages.",
        examples=[["python"]],
    )
    limit: int = Field(10, ge=1, le=100, strict=True, description="The most items that are taken of each topic.")
    sort: Sort = Field("hot", description="Which of a subreddit's listings; feeds and pages have one order.")

    @field_validator("topics")
    @classmethod
    def _fit(cls, topics: list[str], info: ValidationInfo) -> list[str]:
        """Each topic in its usual form, and once. Whether an address is public is seen when it is fetched."""
        if "source" not in info.data:
            return topics
        read = _subreddit if info.data["source"] == "reddit" else _address
        fitting: dict[str, str] = {}
        for topic in map(read, topics):
            fitting.setdefault(topic.casefold() if read is _subreddit else topic, topic)
        return list(fitting.values())


def _subreddit(topic: str) -> str:
    name = _PREFIX.sub("", topic, count=1) if _PREFIX.match(topic) else topic
    if not _SUBREDDIT.fullmatch(name):
        raise ValueError("each must be the name of a subreddit: 2 to 24 letters, digits or underscores")
    return name


def _address(topic: str) -> str:
    try:
        require_http(topic)
    except FetchRefusedError:
        raise ValueError("each must be an absolute http or https address without a user name") from None
    return topic
