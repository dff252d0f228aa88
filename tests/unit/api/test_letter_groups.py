"""Dead letters by fingerprint: what a group says, and how few are read for it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

from shared.api.dead_letters import list_dead_letter_groups
from shared.api.letter_groups import grouped
from shared.app import App
from shared.jobs.dead_letters.vault import DeadLetter, Filter, Reason
from shared.jobs.model import Failure
from support.calls import call

NOW = datetime(2026, 3, 16, 9, tzinfo=UTC)


def letter(
    n: int, fingerprint: str = "aaaa", reason: Reason = Reason.EXHAUSTED, kind: str | None = "greet"
) -> DeadLetter:
    """The n-th newest dead letter."""
    at = NOW - timedelta(minutes=n)
    error = Failure(type="TimeoutError", message=f"no answer after {n} s", attempt=3, at=at)
    return DeadLetter(
        id=f"00000000-0000-4000-8000-{n:012}", reason=reason, recorded_at=at, fingerprint=fingerprint, queue="jobs",
        message_text="", kind=kind, error=error,
    )  # fmt: skip


class Pages:
    """A vault of so many dead letters, that notes what it is asked."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.asked: list[tuple[Filter, int]] = []

    async def find(self, wanted: Filter, limit: int, cursor: str | None) -> tuple[list[DeadLetter], str | None]:
        self.asked.append((wanted, limit))
        start = int(cursor or 0)
        until = min(start + limit, self.count)
        return [letter(n) for n in range(start, until)], str(until) if until < self.count else None


async def answered(vault: Pages, **params: str) -> dict[str, Any]:
    app = cast("App", SimpleNamespace(engine=SimpleNamespace(vault=vault)))
    return cast("dict[str, Any]", json.loads((await list_dead_letter_groups(app, call(query=params))).body))


def test_a_group_tells_of_its_newest_and_counts_the_rest() -> None:
    found = grouped([letter(0), letter(1, "bbbb", kind=None), letter(2, reason=Reason.HOST), letter(3)])
    assert [(each["fingerprint"], each["count"], each["reasons"]) for each in found] == [
        ("aaaa", 3, ["exhausted", "host"]),
        ("bbbb", 1, ["exhausted"]),
    ]
    assert found[0]["example_id"] == letter(0).id
    assert found[0]["error"]["message"] == "no answer after 0 s"
    assert (found[0]["newest"], found[0]["oldest"]) == ("2026-03-16T09:00:00.000000Z", "2026-03-16T08:57:00.000000Z")
    assert "kind" not in found[1]


async def test_of_many_only_the_newest_are_read_and_it_says_so() -> None:
    vault = Pages(100_000)
    content = await answered(vault)
    assert len(vault.asked) == 5
    assert (content["looked_at"], content["truncated"]) == (500, True)
    assert content["items"][0]["count"] == 500


async def test_of_few_all_are_read_and_those_that_were_replayed_are_left_out() -> None:
    vault = Pages(120)
    content = await answered(vault, kind="greet")
    assert (content["looked_at"], content["truncated"]) == (120, False)
    assert {(wanted.kind, wanted.replayed) for wanted, _ in vault.asked} == {("greet", False)}
    assert (await answered(Pages(0), replayed="true"))["items"] == []
