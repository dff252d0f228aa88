"""What taste keeps."""

from __future__ import annotations

from shared.containers import Container

TASTE = Container("taste", ("/facets/*", "/sources/*", "/image/*", "/shares/*", "/companions/*"))
"""Evidence and profile. ``pk`` = user id: one user's signals, of which the fold reads the newest few hundred."""
