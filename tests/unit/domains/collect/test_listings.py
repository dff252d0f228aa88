"""Reddit's listings: as they are, and as they were never meant to be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.collect.listings import parse_listing
from shared.domains.collect.model import Harvest, Item
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError
from support.sites import listing, post


def parse(content: Any) -> Harvest:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return parse_listing(
        Fetched(body, "application/json", "https://www.reddit.com/r/technology/hot.json"), "technology"
    )


def of(*children: Any) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"children": list(children)}}


def test_a_post_that_links() -> None:
    preview = {"images": [{"source": {"url": "https://i.example/p.png?a=1&amp;s=2"}}]}
    (item,) = parse(of(post(3, title="A &amp; B", preview=preview, thumbnail="self"))).items
    assert item == Item(
        id="t3_technology3",
        title="A & B",
        url="https://site.example/technology/3",
        source="reddit",
        topic="technology",
        author="someone",
        published="2023-11-14T22:13:23Z",
        score=30,
        comments=3,
        text="",
        image="https://i.example/p.png?a=1&s=2",
    )


def test_a_post_that_is_text() -> None:
    (item,) = parse(of(post(3, is_self=True, selftext="One.\n\n\nTwo  words.", author="[deleted]"))).items
    assert item.url == "https://www.reddit.com/r/technology/comments/3/post/"
    assert (item.text, item.author) == ("One.\nTwo words.", None)


def test_comments_and_subreddits() -> None:
    comment = {"name": "t1_c", "body": "Said", "link_title": "Post", "permalink": "/r/a/comments/1/p/c/", "score": -4}
    subreddit = {"name": "t5_s", "display_name": "a", "url": "/r/a/", "subscribers": 9, "public_description": "About"}
    found = parse(of({"kind": "t1", "data": comment}, {"kind": "t5", "data": subreddit}, {"kind": "more", "data": {}}))
    assert [(one.id, one.title, one.score, one.text) for one in found.items] == [
        ("t1_c", "Post", -4, "Said"), ("t5_s", "a", 9, "About")
    ]  # fmt: skip


def test_a_post_s_own_page_holds_two_listings() -> None:
    found = parse([of(post(1)), of({"kind": "t1", "data": {"name": "t1_c", "body": "Said"}})])
    assert [one.id for one in found.items] == ["t3_technology1", "t1_c"]


def test_one_link_posted_twice_is_one_item() -> None:
    twice = [post(1, url="https://site.example/x?utm_source=a"), post(2, url="https://site.example/x")]
    found = parse(of(*twice, post(3)))
    assert (found.found, [one.id for one in found.items]) == (3, ["t3_technology1", "t3_technology3"])


def test_an_empty_listing_is_one() -> None:
    assert parse(of()).found == 0
    assert parse({"kind": "Listing", "data": {"children": None}}).found == 0


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"<html>over capacity</html>", "not JSON"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        ({"reason": "private", "message": "Forbidden", "error": 403}, "private: Forbidden"),
        ({"message": "Not Found", "error": 404}, "Not Found"),
        ({"kind": "t5", "data": {}}, "no listing"),
        ([], "no listing"),
        (7, "no listing"),
        (None, "no listing"),
        (of({"kind": "t9", "data": {}}), "nothing that can be read"),
    ],
)
def test_what_is_no_listing_is_refused_with_what_reddit_said(content: Any, why: str) -> None:
    with pytest.raises(ContentRefusedError, match=why):
        parse(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=4,
)
FIELDS = ["name", "title", "url", "permalink", "author", "created_utc", "score", "num_comments", "is_self", "selftext",
          "preview", "thumbnail", "body", "link_title", "url_overridden_by_dest"]  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(["t1", "t3", "t5"]), st.dictionaries(st.sampled_from(FIELDS), JSON)), min_size=1)
)
def test_fields_of_any_type_are_read_as_far_as_they_can_be(children: list[tuple[str, dict[str, Any]]]) -> None:
    found = parse(of(*({"kind": kind, "data": fields} for kind, fields in children)))
    assert found.found == len(children)
    for item in found.items:
        json.dumps(item.title + item.text + (item.url or "")).encode()


@given(JSON)
def test_any_json_is_a_listing_or_refused(content: Any) -> None:
    try:
        parse(content)
    except ContentRefusedError:
        return


def test_half_a_character_does_no_harm() -> None:
    body = listing("technology", 1).replace("Post 1", r"Half \ud83d of it").encode()
    assert parse(body).items[0].title == "Half of it"
