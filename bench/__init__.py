"""Measured comparisons, each a ratio of two things timed in one run."""
