"""The demo is a promise of the README: it is run as a developer would run it, and must hold what it says."""

import subprocess
import sys

import pytest

from devtools.environment import ROOT


@pytest.mark.slow
def test_the_demo_holds_what_it_says() -> None:
    command = [sys.executable, "-m", "devtools.demo", "--once"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "BROKEN" not in ran.stdout
    assert ran.stdout.rstrip().endswith("All as it should be.")
