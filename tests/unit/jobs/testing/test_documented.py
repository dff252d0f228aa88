"""The snippets of the page about testing are tests, and they pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[4] / "docs/how-to/test-your-jobs.md"
SNIPPETS = "\n\n".join(re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))


@pytest.mark.parametrize("name", re.findall(r"async def (test_\w+)", SNIPPETS))
async def test_a_snippet(name: str) -> None:
    names: dict[str, Any] = {"__name__": "test_parcels"}
    exec(compile(SNIPPETS, str(PAGE), "exec"), names)
    await names[name]()
