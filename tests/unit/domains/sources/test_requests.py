"""What an operator may say of a source."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.sources.model import SourceKind, source_id
from shared.domains.sources.requests import NewSource, SourceChanges, read_source
from shared.jobs.kinds import problems_of

FEED = {"kind": "rss", "url": "https://shop.example/feed"}


def request(**fields: Any) -> NewSource:
    return read_source(json.dumps(fields).encode())


@pytest.mark.parametrize(
    "fields",
    [
        FEED,
        {"kind": "reddit", "subreddit": "streetwear", "sort": "new"},
        {"kind": "reddit", "subreddit": "/r/streetwear"},
        {"kind": "sitemap", "url": "https://shop.example/sitemap.xml.gz"},
        {"kind": "brand_site", "url": "https://shop.example/", "selectors": {"item": ".p", "price": "b::attr(data-p)"}},
        {"kind": "brand_site", "url": "https://shop.example/new", "currency": "EUR", "tags": ["New "], "owner": "ann"},
    ],
)
def test_what_is_taken(fields: dict[str, Any]) -> None:
    assert request(**fields).where


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "kind"),
        ({"kind": "atom"}, "kind"),
        ({"kind": "rss"}, "url"),
        ({"kind": "reddit"}, "subreddit"),
        ({"kind": "reddit", "subreddit": "a b"}, "subreddit"),
        (FEED | {"subreddit": "streetwear"}, "subreddit"),
        (FEED | {"selectors": {"item": "a"}}, "selectors"),
        ({"kind": "reddit", "subreddit": "x1", "url": "https://shop.example/"}, "url"),
        ({"kind": "brand_site", "url": "https://shop.example/", "selectors": {}}, "selectors.item"),
        ({"kind": "brand_site", "url": "https://shop.example/", "selectors": {"item": "a["}}, "selectors.item"),
        ({"kind": "rss", "url": "ftp://shop.example/"}, "url"),
        ({"kind": "rss", "url": "http://127.1/"}, "url"),
        ({"kind": "rss", "url": "http://169.254.169.254/latest"}, "url"),
        ({"kind": "rss", "url": "http://2130706433/"}, "url"),
        ({"kind": "rss", "url": "http://[::1]/"}, "url"),
        ({"kind": "rss", "url": "http://localhost/feed"}, "url"),
        ({"kind": "rss", "url": "https://ann:secret@shop.example/"}, "url"),
        (FEED | {"poll_interval_seconds": 1}, "poll_interval_seconds"),
        (FEED | {"poll_interval_seconds": "3600"}, "poll_interval_seconds"),
        (FEED | {"active": 1}, "active"),
        (FEED | {"currency": "€"}, "currency"),
        (FEED | {"owner": "a/b"}, "owner"),
        (FEED | {"tags": [""]}, "tags.0"),
        (FEED | {"colour": "red"}, "colour"),
    ],
)
def test_what_is_not_names_the_field(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        request(**fields)
    assert field in [problem.field for problem in problems_of(refused.value)]


def test_hosts_that_the_operator_of_the_app_lists() -> None:
    body = json.dumps({"kind": "rss", "url": "http://127.0.0.1:8080/feed"}).encode()
    assert read_source(body, frozenset({"127.0.0.1:8080"})).url == "http://127.0.0.1:8080/feed"


def test_one_address_is_one_source() -> None:
    assert source_id(SourceKind.RSS, "https://www.shop.example/feed/") == source_id(
        SourceKind.RSS, "http://shop.example/feed"
    )
    assert source_id(SourceKind.REDDIT, "StreetWear") == source_id(SourceKind.REDDIT, "streetwear")
    assert source_id(SourceKind.RSS, "https://shop.example/") != source_id(SourceKind.SITEMAP, "https://shop.example/")
    assert request(kind="rss", url="https://shop.example/feed?utm_source=x#top").url == "https://shop.example/feed"


def test_only_what_is_given_changes() -> None:
    assert SourceChanges.model_validate_json('{"active": true, "currency": null}').given == {
        "active": True,
        "currency": None,
    }
    with pytest.raises(ValidationError):
        SourceChanges.model_validate_json('{"url": "https://shop.example/"}')
    with pytest.raises(ValidationError):
        SourceChanges.model_validate_json('{"label": null}')
