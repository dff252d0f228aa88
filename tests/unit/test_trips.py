"""The corridors stay short: how often submitting, running and reading change the file (`bench.trips`)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_no_trip_is_longer_than_it_is_held_to() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.trips"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) == 4
