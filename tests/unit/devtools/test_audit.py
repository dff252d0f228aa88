"""What pip-audit found is judged: what could not be asked about is no success."""

from __future__ import annotations

from typing import Any

import pytest

import dev
from devtools.audit import NOT_DONE, exit_code

FINE: dict[str, Any] = {"name": "fine", "version": "1", "vulns": []}
BAD: dict[str, Any] = {"name": "bad", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
UNKNOWN: dict[str, Any] = {"name": "unknown", "skip_reason": "could not be audited"}


@pytest.mark.parametrize(
    ("found", "ci", "code", "says"),
    [
        ([FINE, FINE], False, 0, "2 packages, no known vulnerability"),
        ([FINE, BAD], False, 1, "bad 1: CVE-1, mended in 2"),
        ([UNKNOWN, BAD], False, 1, "CVE-1"),
        ([FINE, UNKNOWN], False, NOT_DONE, "NOT AUDITED: the advisory service told nothing of 1 of 2 packages"),
        ([FINE, UNKNOWN], True, 1, "NOT AUDITED"),
        ([], False, NOT_DONE, "NOT AUDITED"),
        ([], True, 1, "NOT AUDITED"),
    ],
)
def test_what_was_found_is_judged(
    found: list[dict[str, Any]], ci: bool, code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(found, ci=ci) == code
    assert says in capsys.readouterr().out


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The checks that were made; the audit cannot be."""
    names: list[str] = []

    def run(command: list[str], _: Any) -> int:
        names.append(command[-1] if command[0] == "python" else command[0])
        return NOT_DONE if command[0] == "python" else 0

    monkeypatch.setattr(dev, "ensure", lambda *_: None)
    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "become", lambda *_, **__: 0)
    return names


def test_a_check_says_what_it_could_not_do(asked: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["check"]) == 0
    assert {"bandit", "devtools.audit"} <= set(asked)
    assert "audit    not done" in capsys.readouterr().out


def test_advisories_are_not_asked_for_before_each_run_of_the_tests(asked: list[str]) -> None:
    assert dev.main(["test"]) == 0
    assert "bandit" in asked
    assert "devtools.audit" not in asked
