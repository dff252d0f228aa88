"""Kinds: payloads of every version, policies, and the queues that they use."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from shared import declarations
from shared.declarations import settings_of
from shared.jobs import JobContext, Policy, Priority, job
from shared.jobs.errors import InvalidPayloadError, NewerVersionError, UnknownKindError
from shared.jobs.kinds import Kind, Queues, Registry
from shared.settings import Settings


class Greeting(BaseModel):
    model_config = ConfigDict(extra="forbid")

    first: str
    last: str = ""
    times: list[int] = []


async def greet(payload: Greeting, job: JobContext) -> str:
    return payload.first


def declared(**options: Any) -> Kind[Greeting]:
    declare: Any = job("greet", **options)
    kind: Kind[Greeting] = declare(greet)
    return kind


def test_each_upgrade_is_taken_in_turn() -> None:
    upgrades = {
        1: lambda old: {"full": old["name"]},
        2: lambda old: {"first": old["full"].split()[0], "last": old["full"].split()[1]},
    }
    known = declared(version=3, upgrades=upgrades)
    expected = Greeting(first="Ann", last="Lee")
    assert known.parse({"name": "Ann Lee"}, 1) == expected
    assert known.parse({"full": "Ann Lee"}, 2) == expected
    assert known.parse({"first": "Ann", "last": "Lee"}, 3) == expected


def test_the_payload_that_is_upgraded_stays_as_it_was() -> None:
    def change(old: dict[str, Any]) -> dict[str, Any]:
        old["first"] = old.pop("name")
        return old

    given = {"name": "Ann"}
    declared(version=2, upgrades={1: change}).parse(given, 1)
    assert given == {"name": "Ann"}


@pytest.mark.parametrize(("version", "upgrades"), [(2, None), (3, {1: dict}), (3, {2: dict})])
def test_a_missing_upgrade_is_refused_where_the_kind_is_declared(version: int, upgrades: Any) -> None:
    with pytest.raises(ValueError, match="no upgrade from payload version"):
        declared(version=version, upgrades=upgrades)


def test_a_newer_version_is_not_guessed_at() -> None:
    with pytest.raises(NewerVersionError):
        declared().parse({"first": "Ann"}, 2)


def test_each_problem_names_its_field_and_no_value() -> None:
    with pytest.raises(InvalidPayloadError) as caught:
        declared().parse({"times": [1, "secret"], "secret_name": 1}, 1)
    assert {problem.field for problem in caught.value.problems} == {"first", "times.1", "secret_name"}
    assert "secret" not in str([problem.message for problem in caught.value.problems])


async def test_a_kind_is_called_like_its_handler() -> None:
    context: Any = None
    assert await declared()(Greeting(first="Ann"), context) == "Ann"


def test_a_policy_is_worked_out_from_the_settings() -> None:
    policy = declared(policy=lambda settings: Policy(max_attempts=settings.retry_after_seconds))
    registry = Registry([policy], Queues(), Settings(retry_after_seconds=9))
    assert registry.policy("greet").max_attempts == 9


def test_an_unknown_kind() -> None:
    with pytest.raises(UnknownKindError, match="'greet'"):
        Registry([], Queues())["greet"]


def test_queues_by_priority_and_by_kind() -> None:
    general = Registry([declared()], Queues("h", "n", "l"))
    assert [general.queue("greet", priority) for priority in Priority] == ["h", "n", "l"]
    assert general.poison_queue("greet", Priority.HIGH) == "h-poison"
    own = Registry([declared(policy=Policy(queue="own", poison_queue="graves"))], Queues("h", "n", "l"))
    assert {own.queue("greet", priority) for priority in Priority} == {"own"}
    assert own.poison_queue("greet", Priority.LOW) == "graves"


def test_every_kind_ends_before_the_host_ends_the_function() -> None:
    host = json.loads((Path(__file__).parents[3] / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    longest = settings_of({"WEBHOOK_TIMEOUT_SECONDS": "120"})
    known = Registry(declarations.kinds(), Queues(), longest)
    timeouts = {one.name: known.policy(one.name).timeout_seconds for one in known}
    assert {"taste-analysis", "webhook"} <= timeouts.keys()
    assert max(timeouts.values()) < hours * 3600 + minutes * 60 + seconds
