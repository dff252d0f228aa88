"""An app in memory with the kinds of the site. What language a text is in is asked in a process of its own, once, elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from shared.declarations import settings_of
from shared.domains.site import enriching
from shared.domains.site.kinds import copy_site, enrich_item, publish_site
from shared.jobs.testing import MemoryApp


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    async def language(_settings: Any, _text: str) -> str:
        return "en"

    monkeypatch.setattr(enriching, "language_in", language)


@pytest.fixture
def app() -> MemoryApp:
    return MemoryApp(enrich_item, publish_site, copy_site, settings=settings_of({"SITE_READ_PAGES": "false"}))
