"""The model that looks at images: what it is shown, and what its answers become."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from PIL import Image

from shared.domains.taste.errors import AnalyserUnavailableError
from shared.domains.taste.feedback import Item
from shared.domains.taste.vision import VisionAnalyser
from support.pictures import png
from support.sites import Site
from support.taste import SEEN, completion, eyes


async def test_the_model_sees_a_small_copy_and_nothing_of_the_user(site: Site) -> None:
    bodies: list[dict[str, Any]] = []
    settings = eyes(site)

    async def handler(request: web.Request) -> web.Response:
        bodies.append(await request.json())
        return web.Response(body=completion(json.dumps(SEEN)), content_type="application/json")

    site.handlers["/openai/deployments/eyes/chat/completions"] = handler
    data = io.BytesIO()
    Image.effect_noise((1500, 1500), 80).save(data, "PNG")
    findings = await VisionAnalyser(settings).analyse(Item(title="Anna's gown"), data.getvalue())
    assert findings.facets == {
        "style": {"bohemian": 0.9},
        "colour": {"navy": 0.9},
        "garment": {"gown": 0.9},
        "material": {"silk": 0.9},
    }
    assert site.requests[0].headers["api-key"] == "not-a-secret"
    assert site.requests[0].query["api-version"] == settings.openai_api_version
    assert bodies[0]["model"] == "eyes"
    assert "Anna" not in json.dumps(bodies)
    assert len(json.dumps(bodies)) < 300_000 < len(data.getvalue())


async def test_without_a_key_the_identity_signs_in(site: Site) -> None:
    async def token() -> str:
        return "of-the-identity"

    analyser = VisionAnalyser(replace(eyes(site), openai_api_key=None))
    analyser.__dict__["_token"] = token
    assert (await analyser.analyse(Item(), png())).facets["colour"] == {"navy": 0.9}
    assert site.requests[0].headers["Authorization"] == "Bearer of-the-identity"


@pytest.mark.parametrize(
    "content",
    ["", "I cannot help with that.", "{}", "[]", json.dumps(SEEN | {"more": 1}), json.dumps(SEEN | {"style": "x"})],
)
async def test_an_answer_of_another_shape_is_nothing_seen(site: Site, content: str) -> None:
    findings = await VisionAnalyser(eyes(site, content=content)).analyse(Item(), png())
    assert findings.facets == {}


@pytest.mark.parametrize("status", [400, 401, 403, 404])
async def test_a_model_that_refuses_is_done_without(site: Site, status: int) -> None:
    assert (await VisionAnalyser(eyes(site, status)).analyse(Item(), png())).facets == {}
    assert len(site.hits) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_model_that_is_busy_is_asked_later(site: Site, status: int) -> None:
    with pytest.raises(AnalyserUnavailableError) as caught:
        await VisionAnalyser(eyes(site, status, Retry_After="21")).analyse(Item(), png())
    assert caught.value.retry_after == 21
    assert len(site.hits) == 1


async def test_no_image_means_no_question(site: Site) -> None:
    assert (await VisionAnalyser(eyes(site)).analyse(Item(title="gown"), None)).facets == {}
    assert site.hits == []
