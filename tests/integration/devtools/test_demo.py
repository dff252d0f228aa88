"""The demo is a promise of the README: it is run as a developer would run it, and must hold what it says."""

import signal
import subprocess
import sys
import time

import pytest

from devtools.environment import ROOT


@pytest.mark.slow
@pytest.mark.parametrize("which", [(), ("--story",)], ids=["feedback", "story"])
def test_the_demo_holds_what_it_says(which: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "devtools.demo", "--once", *which]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "BROKEN" not in ran.stdout
    assert ran.stdout.rstrip().endswith("All as it should be.")


@pytest.mark.slow
def test_stopped_while_the_app_starts_again_it_ends_soon_and_says_that_it_did_not_finish() -> None:
    command = [sys.executable, "-m", "devtools.demo", "--once"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if "the app is killed" in line:
                break
        process.send_signal(signal.SIGINT)
        asked = time.monotonic()
        rest = process.stdout.read()
        assert process.wait(60) == 130
    assert "stopped before its end" in rest
    assert time.monotonic() - asked < 30, "it used to wait a minute for the app to answer"
