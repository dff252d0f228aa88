"""Measured comparisons, each a ratio of two things timed in one run."""

import os
from pathlib import Path


def default_data() -> Path:
    """Where the real input is: `NIGHTSHIFT_DATA`, or beside the repository."""
    return Path(os.environ.get("NIGHTSHIFT_DATA") or Path(__file__).parents[2] / "shared" / "data")
