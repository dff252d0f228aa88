"""What digests are kept in."""

from __future__ import annotations

from shared.containers import Artifacts, Container

DIGESTS = Container("digests", of_user=True)
"""Which digests were made, and the feedback on them. ``pk`` = user id: one document a week, gone after retention."""

PAGES = Artifacts("digests/", of_user=True)
"""The digests themselves, as JSON and HTML."""
