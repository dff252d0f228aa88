"""What may be asked for."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.collect.payload import CollectJob


def job(**fields: Any) -> CollectJob:
    return CollectJob.model_validate({"source": "reddit", "topics": ["technology"], **fields})


def test_defaults() -> None:
    assert job().model_dump() == {"source": "reddit", "topics": ["technology"], "limit": 10, "sort": "hot"}


def test_subreddits_in_their_usual_form_and_once() -> None:
    topics = ["r/Technology", " programming ", "/r/technology", "TECHNOLOGY", "R/rust"]
    assert job(topics=topics).topics == ["Technology", "programming", "rust"]


def test_addresses_stay_as_they_are_and_once() -> None:
    topics = ["https://site.example/Feed", "https://site.example/feed", "https://site.example/Feed"]
    assert job(source="rss", topics=topics).topics == topics[:2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "twitter"},
        {"source": None},
        {"topics": []},
        {"topics": "technology"},
        {"topics": [""]},
        {"topics": [7]},
        {"topics": ["a"] * 51},
        {"topics": ["../../etc"]},
        {"topics": ["a b"]},
        {"topics": ["a/b"]},
        {"topics": ["x" * 25]},
        {"topics": ["https://site.example/"]},
        {"source": "rss"},
        {"source": "rss", "topics": ["ftp://site.example/"]},
        {"source": "web", "topics": ["https://user:pw@site.example/"]},
        {"source": "web", "topics": ["https://site.example/" + "a" * 2048]},
        {"limit": 0},
        {"limit": 101},
        {"limit": "10"},
        {"limit": 1.5},
        {"limit": True},
        {"sort": "best"},
        {"more": 1},
    ],
)
def test_what_does_not_fit_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        job(**wrong)
