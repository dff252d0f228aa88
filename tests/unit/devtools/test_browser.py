"""The set-up finds a browser, installs one where there is none, and says so where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from devtools import browser
from devtools.browser import Chromium
from devtools.environment import TroubleError


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without a browser, on which nothing can be installed; its folder of programs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CHROME_PATH", raising=False)
    monkeypatch.setattr(browser, "_PLACES", ())
    monkeypatch.setattr(browser, "STATE", tmp_path)
    monkeypatch.setattr(Chromium, "_found", tmp_path / "chromium-found")
    return tmp_path


def program(path: Path, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_one_on_the_path_is_taken_and_remembered(machine: Path) -> None:
    path = program(machine / "chromium")
    assert not Chromium().ready()
    Chromium().install()
    assert Chromium().ready()
    path.unlink()
    assert not Chromium().ready()


def test_one_that_does_not_run_is_passed_over(machine: Path) -> None:
    program(machine / "chromium", code=1)
    assert browser.find() is None
    good = program(machine / "google-chrome")
    assert browser.find() == str(good)


def test_the_one_that_is_named_is_taken_and_no_other(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(machine / "chromium")
    monkeypatch.setenv("CHROME_PATH", str(machine / "elsewhere"))
    assert browser.find() is None


def test_playwrights_own_is_found(machine: Path) -> None:
    path = program(machine / "none/chromium-1200/chrome-linux64/chrome")
    assert browser.find() == str(path)


def test_where_there_is_none_it_is_installed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "logged", lambda *_: program(machine / "none/chromium-1/chrome-linux/chrome"))
    Chromium().install()
    assert Chromium().ready()


def test_where_none_can_be_installed_it_says_what_to_do(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise TroubleError("no network")

    monkeypatch.setattr(browser, "logged", fails)
    with pytest.raises(TroubleError, match="CHROME_PATH"):
        Chromium().install()
