"""What moods are kept in."""

from __future__ import annotations

from shared.containers import Container

MOODS = Container("moods", ("/description/?", "/signals/*", "/articles/*", "/counted/*", "/vector/*", "/embedding/*"))
"""Moods. ``pk`` = the mood's id: one document per partition."""
