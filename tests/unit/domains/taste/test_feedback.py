"""What a client may send."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.taste.evidence import evidence_id
from shared.domains.taste.feedback import TasteJob, read_feedback
from shared.domains.taste.kinds import _same_signal

GOOD: dict[str, Any] = {
    "user_id": "auth0|42",
    "item_id": "sku:1.2",
    "signal": "up",
    "image_url": "https://example.com/a.jpg",
    "gallery_image_index": 3,
    "item": {"title": "Silk dress", "colours": ["red"], "size": "10.5", "keywords": ["party"]},
}


def _problem_fields(body: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        read_feedback(body)
    return {".".join(map(str, one["loc"])) for one in caught.value.errors()}


def test_a_whole_request_is_read() -> None:
    feedback = read_feedback(GOOD)
    assert (feedback.user_id, feedback.signal, feedback.gallery_image_index) == ("auth0|42", "up", 3)
    assert feedback.item.colours == ["red"]


def test_only_the_ids_and_the_signal_are_needed() -> None:
    feedback = read_feedback({"user_id": "u", "item_id": "i", "signal": "down"})
    assert (feedback.image_url, feedback.gallery_image_index, feedback.item.title) == (None, 0, None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"user_id": None}, "user_id"),
        ({"user_id": ""}, "user_id"),
        ({"user_id": 42}, "user_id"),
        ({"user_id": "a" * 129}, "user_id"),
        ({"user_id": "a/b"}, "user_id"),
        ({"user_id": ".."}, "user_id"),
        ({"user_id": "~prior"}, "user_id"),
        ({"user_id": "a b"}, "user_id"),
        ({"user_id": "a\n"}, "user_id"),
        ({"item_id": "<script>"}, "item_id"),
        ({"signal": "sideways"}, "signal"),
        ({"signal": True}, "signal"),
        ({"gallery_image_index": -1}, "gallery_image_index"),
        ({"gallery_image_index": 1000}, "gallery_image_index"),
        ({"gallery_image_index": "1"}, "gallery_image_index"),
        ({"gallery_image_index": 1.0}, "gallery_image_index"),
        ({"gallery_image_index": True}, "gallery_image_index"),
        ({"image_url": "ftp://example.com/a"}, "image_url"),
        ({"image_url": "http://10.0.0.1/a.jpg"}, "image_url"),
        ({"image_url": "http://0x7f.1/a.jpg"}, "image_url"),
        ({"image_url": 5}, "image_url"),
        ({"colour": "red"}, "colour"),
        ({"item": {"color": "red"}}, "item.color"),
        ({"item": {"colours": "red"}}, "item.colours"),
        ({"item": {"colours": ["red"] * 51}}, "item.colours"),
        ({"item": {"colours": ["r" * 101]}}, "item.colours.0"),
        ({"item": {"keywords": [""]}}, "item.keywords.0"),
        ({"item": {"keywords": [{}]}}, "item.keywords.0"),
        ({"item": {"title": "t" * 301}}, "item.title"),
        ({"item": {"title": "\ud800"}}, "item.title"),
        ({"item": {"description": "d" * 5001}}, "item.description"),
        ({"item": {"size": 8}}, "item.size"),
        ({"item": None}, "item"),
        ({"occurred_at": "2026-01-01T00:00:00Z"}, "occurred_at"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], field: str) -> None:
    assert _problem_fields(GOOD | change) == {field}


@pytest.mark.parametrize("missing", ["user_id", "item_id", "signal"])
def test_what_is_missing_is_named(missing: str) -> None:
    assert _problem_fields({name: value for name, value in GOOD.items() if name != missing}) == {missing}


@pytest.mark.parametrize("body", [None, [], "up", 3])
def test_what_is_no_object_is_refused(body: Any) -> None:
    assert _problem_fields(body) == {""}


def test_an_allowed_host_may_be_private() -> None:
    url = "http://127.0.0.1:8080/a.png"
    assert read_feedback(GOOD | {"image_url": url}, {"127.0.0.1:8080"}).image_url == url


def test_a_job_survives_its_journey_as_json() -> None:
    """The address was allowed when the job was taken: reading the job again must not refuse it."""
    job = TasteJob.model_validate(GOOD | {"image_url": "http://127.0.0.1:1/a", "occurred_at": datetime.now(UTC)})
    assert TasteJob.model_validate(job.model_dump(mode="json")) == job


def test_a_job_needs_an_aware_moment() -> None:
    with pytest.raises(ValidationError):
        TasteJob.model_validate(GOOD | {"occurred_at": "2026-01-01T00:00:00"})


def test_ids_that_run_together_are_kept_apart() -> None:
    assert evidence_id("a|b", "c", 0) != evidence_id("a", "b|c", 0)
    one, other = (
        TasteJob(user_id=user, item_id=item, signal="up", occurred_at=datetime.now(UTC))
        for user, item in (("a|b", "c"), ("a", "b|c"))
    )
    assert _same_signal(one).key != _same_signal(other).key
