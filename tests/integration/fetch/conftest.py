"""A site on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from support.sites import Site, open_site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened
