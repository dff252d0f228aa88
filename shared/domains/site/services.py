"""Which enricher the app's settings call for."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.domains.site.ports import Enricher
from shared.domains.site.settings import SiteSettings

if TYPE_CHECKING:
    from shared.settings import Settings


@cache
def enricher(settings: Settings) -> Enricher:
    """The chat model, where one is configured; else extracts."""
    if settings.openai_endpoint and settings.of(SiteSettings).chat_deployment:
        from shared.domains.site.hosted import HostedEnricher

        return HostedEnricher(settings)
    from shared.domains.site.extractive import ExtractiveEnricher

    return ExtractiveEnricher()
