"""The page's pure functions, run by node."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.node import node

DASHBOARD = Path(__file__).parents[3] / "shared/dashboard"


def run(module: str, expression: str) -> Any:
    """What an expression comes to, in which `m` is the module."""
    source = f"import * as m from '{(DASHBOARD / module).as_uri()}'; console.log(JSON.stringify({expression}));"
    command = [node(), "--input-type=module", "--eval", source]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def differences(before: str, after: str) -> str:
    """The difference as text, a line for each line."""
    lines = run("diff.js", f"m.diff({json.dumps(before)}, {json.dumps(after)})")
    return " ".join(f"{line['sign'].strip()}{line['text']}" for line in lines)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("a\nb\nc", "a\nb\nc", "a b c"),
        ("a\nb\nc", "a\nx\nc", "a -b +x c"),
        ("a\nb", "a\nb\nc", "a b +c"),
        ("a\nb\nc\nd", "d", "-a -b -c d"),
        ("a\nb\na\nb", "b\na\nb\na", "-a b a b +a"),
        ("", "a", "- +a"),
    ],
)
def test_the_difference_is_the_shortest(before: str, after: str, expected: str) -> None:
    assert differences(before, after) == expected


def test_what_was_and_what_is_can_be_read_from_the_difference() -> None:
    before, after = "\n".join("abcabba" * 20), "\n".join("cbabac" * 20)
    words = differences(before, after).split(" ")
    assert [word[-1] for word in words if not word.startswith("+")] == before.split("\n")
    assert [word[-1] for word in words if not word.startswith("-")] == after.split("\n")


def test_numbers_that_fit_stay_numbers() -> None:
    assert run("json.js", 'm.parse(`{"whole": 5, "share": 1.0, "tiny": 1e-05}`)') == {
        "whole": 5,
        "share": 1,
        "tiny": 1e-05,
    }


@pytest.mark.parametrize("text", ["[]", "null", "5", '"a"', "{", "{'a': 1}", ""])
def test_a_payload_that_is_no_object_is_a_problem(text: str) -> None:
    assert run("json.js", f"m.problemOf({json.dumps(text)})")


def test_attempts_are_read_from_a_history() -> None:
    history = [
        {"at": f"2026-03-01T00:00:{second:02}Z", "event": event, "attempt": attempt}
        for second, event, attempt in [
            (0, "submitted", 0), (1, "claimed", 1), (2, "retry", 1), (5, "claimed", 2),
            (9, "claimed after a lapse", 3), (12, "completed", 3),
        ]
    ]  # fmt: skip
    found = run(
        "timeline.js",
        f"m.attemptsOf({json.dumps(history)}).map((a) => [a.attempt, a.outcome, a.start[18], a.end?.slice(17, 19)])",
    )
    assert found == [[1, "retried", "1", "02"], [2, "lapsed", "5", "09"], [3, "completed", "9", "12"]]


def test_an_attempt_that_runs_has_no_end() -> None:
    history = [{"at": "2026-03-01T00:00:00Z", "event": "claimed", "attempt": 1}]
    assert run("timeline.js", f"m.attemptsOf({json.dumps(history)})")[0]["end"] is None


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (7, 8), (11, 20), (41, 50), (640, 800), (1000, 1000), (0.03, 0.03)]
)
def test_scales_end_at_round_numbers(value: float, top: float) -> None:
    assert run("plots.js", f"m.niceTop({value})") == pytest.approx(top)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.25, "250 ms"), (4.21, "4.2 s"), (59, "59 s"), (600, "10 min"), (7200, "2 h"), (172800, "2 d")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert run("format.js", f"m.duration({seconds})") == words


@pytest.mark.parametrize(
    ("hash", "name"),
    [
        ("", "overview"),
        ("#/", "overview"),
        ("#/jobs?kind=a", "jobs"),
        ("#/jobs/1", "job"),
        ("#/dead-letters/1", "letter"),
        ("#/x", "missing"),
        ("#/jobs/%FF", "missing"),
    ],
)
def test_addresses_lead_to_views(hash: str, name: str) -> None:
    assert run("router.js", f"m.routeOf({json.dumps(hash)}).name") == name


def test_a_tab_that_is_hidden_asks_nothing_until_it_is_shown() -> None:
    script = f"""
    import {{poll}} from '{(DASHBOARD / "poller.js").as_uri()}';
    const page = new EventTarget(), leave = new AbortController(), later = setImmediate;
    Object.assign(globalThis, {{document: page, addEventListener() {{}}, setTimeout: (act) => queueMicrotask(act)}});
    let looks = 0;
    page.hidden = true;
    poll(async () => {{ looks += 1; if (looks === 5) page.hidden = true; return true; }}, leave.signal, {{fastest: 1, slowest: 1}});
    later(() => {{
      const hidden = looks;
      page.hidden = false;
      page.dispatchEvent(new Event('visibilitychange'));
      later(() => {{ console.log(JSON.stringify([hidden, looks])); leave.abort(); }});
    }});"""
    command = [node(), "--input-type=module", "--eval", script]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert json.loads(told) == [1, 5]
