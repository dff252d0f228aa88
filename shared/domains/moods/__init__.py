"""Moods: what is in the air, read from what was gathered."""
