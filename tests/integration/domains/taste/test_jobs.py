"""The jobs of taste: what becomes of an image, and of feedback that comes twice or late."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.domains.taste.containers import TASTE
from shared.domains.taste.kinds import TastePriorJob, refresh_prior
from shared.domains.taste.store import TasteStore
from shared.fetch.errors import FetchUnavailableError
from shared.jobs.errors import RetryLater
from support.pictures import MB, bomb, png
from support.sites import Site
from support.taste import Context, eyes, job, run, stored


async def test_a_job_without_an_image_reports_no_progress(context: Context) -> None:
    result = await run(job(), context)
    assert result["image"] == {"status": "none"}
    assert result["facets"] == {"occasion": ["wedding"], "garment": ["gown"], "material": ["silk"]}
    assert context.steps == []
    assert result["profile"] == (await TasteStore(context.documents, context.clock).read("u")).fingerprint
    assert json.loads(json.dumps(result)) == result


async def test_a_job_twice_changes_nothing(context: Context, site: Site) -> None:
    payload = job(image_url=site.image("/a.png", png()))
    first = await run(payload, context)
    before = await stored(context)
    assert await run(payload, context) == first
    assert await stored(context) == before


async def test_the_colours_of_the_image_are_found(context: Context, site: Site) -> None:
    result = await run(job(image_url=site.image("/a.png", png())), context)
    assert result["image"] == {"status": "read"}
    assert result["facets"]["colour"] == ["red"]
    assert context.steps == ["fetching image", "checkpoint"]
    evidence = (await stored(context))["evidence"]
    assert evidence["sources"]["colour"] == ["image"]
    assert site.host not in json.dumps(evidence)


@pytest.mark.parametrize(
    ("path", "answer", "reason"),
    [
        ("/big.png", {"body": bytes(20 * MB)}, "too-large"),
        ("/bomb.png", {"body": bomb()}, "too-many-pixels"),
        ("/html.png", {"body": b"<html>"}, "not-an-image"),
        ("/page", {"body": b"<html>", "kind": "text/html"}, "wrong-type"),
        ("/gone.png", {"status": 404}, "not-served"),
        ("/go", {"status": 302, "Location": "http://169.254.169.254/"}, "not-public"),
    ],
)
async def test_an_image_that_is_refused_is_done_without(
    context: Context, site: Site, path: str, answer: dict[str, Any], reason: str
) -> None:
    result = await run(job(image_url=site.serve(path, **{"kind": "image/png", **answer})), context)
    assert result["image"] == {"status": "refused", "reason": reason}
    assert result["facets"]["occasion"] == ["wedding"]
    assert (await stored(context))["evidence"]["image"] == result["image"]


async def test_an_address_that_is_private_after_all_is_done_without(context: Context) -> None:
    result = await run(job(image_url="http://127.0.0.1:1/a.png"), context)
    assert result["image"] == {"status": "refused", "reason": "not-public"}


async def test_an_image_that_cannot_be_had_now_is_waited_for(context: Context, site: Site) -> None:
    busy = job(image_url=site.image("/busy.png", status=503, Retry_After="9"))
    with pytest.raises(RetryLater) as later:
        await run(busy, context)
    assert later.value.seconds == 9
    with pytest.raises(FetchUnavailableError):
        await run(job(image_url=site.image("/down.png", status=500)), context)
    assert await stored(context) == {}


async def test_a_down_after_an_up_stands(context: Context) -> None:
    await run(job(), context)
    await run(job(signal="down", occurred_at="2026-01-01T00:00:01Z"), context)
    await run(job(), context)
    profile = (await stored(context))["profile"]
    assert (profile["ups"], profile["downs"]) == (0, 1)


async def test_the_prior_is_refreshed_by_a_job(context: Context) -> None:
    for number in range(6):
        await run(job(user_id=f"u{number}"), context)
    result = await refresh_prior(TastePriorJob(), context)
    assert result["users"] == 6
    assert (await context.documents.read(TASTE, "~prior", "prior")) is not None


async def test_a_job_waits_for_the_model(context: Context, site: Site) -> None:
    payload = job(image_url=site.image("/a.png", png()))
    context.settings = eyes(site, 429, Retry_After="21")
    with pytest.raises(RetryLater) as later:
        await run(payload, context)
    assert later.value.seconds == 21
    context.settings = eyes(site)
    result = await run(payload, context)
    assert result["facets"]["colour"] == ["red", "navy"]
    assert result["facets"]["style"] == ["bohemian"]
