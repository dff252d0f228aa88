"""How many examples Hypothesis makes up."""

from __future__ import annotations

from hypothesis import settings


def examples(most: int) -> settings:
    """So many, and in proportion fewer where the profile asks for fewer than Hypothesis' usual 100 (tests/conftest.py)."""
    return settings(max_examples=most * settings().max_examples // 100)
