"""A run drawn in the terminal."""

from __future__ import annotations

from typing import Any

import pytest

from devtools.operator.workflow import Drawing, drawn, rails


def step(name: str, *after: str, state: str = "completed", **more: Any) -> dict[str, Any]:
    return {"name": name, "after": list(after), "state": state, "sort": "job", **more}


def test_a_diamond() -> None:
    steps = [step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"), step("e", "d"), step("alone")]
    assert rails(steps) == ["*  ", "├─*", "* │", "*─╯", "*  ", "*  "]


def test_many_that_meet() -> None:
    steps = [step("a"), step("b"), step("c"), step("d", "a"), step("e", "b", "c"), step("f", "d", "e")]
    assert rails(steps) == ["*    ", "│ *  ", "│ │ *", "* │ │", "│ *─╯", "*─╯  "]


def run(*steps: dict[str, Any]) -> dict[str, Any]:
    return {"workflow": "publish", "job_id": "x", "outcome": None, "status": "queued", "steps": list(steps)}


def test_what_is_said_of_each_step() -> None:
    lines = drawn(
        run(
            step("collect"),
            step("enrich", "collect", state="running", items={"completed": 3, "total": 5, "failed": 1}),
            step("build", "enrich", state="skipped", reason="enrich failed"),
            step("sign", state="running", waits_for="waits for the event 'sign'"),
        ),
        colour=False,
    )
    assert lines == [
        "publish x  queued",
        "  ●  collect  completed",
        "  ◐  enrich   running 3 of 5, 1 failed",
        "  ○  build    skipped  enrich failed",
        "  ◐  sign     running  waits for the event 'sign'",
    ]


def test_elsewhere_than_on_a_terminal_only_what_changes_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    drawing = Drawing()
    drawing.show(run(step("a", state="running"), step("b", "a", state="pending")))
    drawing.show(run(step("a"), step("b", "a", state="pending")))
    assert capsys.readouterr().out.splitlines() == ["  a: running", "  b: pending", "  a: completed"]
