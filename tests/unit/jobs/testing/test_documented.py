"""The snippets of the pages about testing and about steps are tests, and they pass."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

PAGES = Path(__file__).parents[4] / "docs/how-to"
SNIPPETS = {
    name: "\n\n".join(re.findall(r"```python\n(.*?)```", (PAGES / name).read_text(encoding="utf-8"), re.DOTALL))
    for name in ("test-your-jobs.md", "steps.md")
}
TESTS = [(page, name) for page, text in SNIPPETS.items() for name in re.findall(r"async def (test_\w+)", text)]


@pytest.mark.parametrize(("page", "name"), TESTS)
async def test_a_snippet(page: str, name: str) -> None:
    names: dict[str, Any] = {"__name__": "test_parcels"}
    exec(compile(SNIPPETS[page], str(PAGES / page), "exec"), names)
    await names[name]()
