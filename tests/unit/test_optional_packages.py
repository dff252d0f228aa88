"""Packages that are deployed only where they are asked for: an app that needs one and has it not says so at its start."""

from __future__ import annotations

import pytest

from shared import settings
from shared.domains.taste.vision import _request
from shared.settings import SettingsError, load

AZURE_OPENAI = {"AZURE_OPENAI_ENDPOINT": "https://cog.openai.azure.com/", "AZURE_OPENAI_VISION_DEPLOYMENT": "chat"}


def test_azure_openai_without_its_client_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "find_spec", lambda _: None)
    with pytest.raises(
        SettingsError, match=r"AZURE_OPENAI_ENDPOINT: expected the package openai .*requirements-openai"
    ):
        load(AZURE_OPENAI)
    assert load({}).openai_endpoint is None


def test_a_vision_model_that_reasons_takes_the_request() -> None:
    assert not _request("data:", load(AZURE_OPENAI)).keys() & {"temperature", "top_p", "max_tokens"}
