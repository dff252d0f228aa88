"""Declaring a kind: what the handler says is read, and what could not work is refused at once, in words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_type_hints

import pytest
from pydantic import BaseModel

from shared import bootstrap
from shared.declarations import settings_of
from shared.jobs import Dedupe, JobContext, Policy, job
from shared.jobs.declare import PolicyFields
from shared.jobs.errors import KindError
from shared.jobs.kinds import Queues, Registry
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryDocuments, MemoryQueues


class Greeting(BaseModel):
    name: str


async def greet(payload: Greeting, job: JobContext) -> str:
    return payload.name


def by_name(payload: Greeting) -> Dedupe:
    return Dedupe(payload.name)


class Greeter:
    async def __call__(self, payload: Greeting, job: JobContext) -> str:
        return payload.name

    async def greet(self, payload: Greeting, job: JobContext) -> str:
        return payload.name


@pytest.mark.parametrize("handler", [greet, Greeter(), Greeter().greet], ids=["function", "object", "method"])
async def test_the_payload_is_what_the_first_parameter_is_annotated_with(handler: Any) -> None:
    kind = job("greet", version=2, upgrades={1: dict}, dedupe=by_name, max_attempts=7)(handler)
    assert (kind.name, kind.payload, kind.version, kind.dedupe) == ("greet", Greeting, 2, by_name)
    assert kind.policy == Policy(max_attempts=7)
    context: Any = None
    assert await kind(Greeting(name="ann"), context) == "ann"


def test_the_keywords_of_a_declaration_are_the_fields_of_a_policy() -> None:
    hints = get_type_hints(Policy)
    assert get_type_hints(PolicyFields) == {each.name: hints[each.name] for each in fields(Policy)}


def test_a_policy_and_its_fields_are_not_both_given() -> None:
    with pytest.raises(KindError, match=r"kind greet: give a policy, or its fields \(public\)"):
        job("greet", policy=Policy(), public=True)


def plain(payload: Greeting, job: JobContext) -> str:
    return payload.name


async def bare(payload, job):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    return payload


async def unmodelled(payload: dict[str, str], job: JobContext) -> None: ...


async def unreadable(payload: NotThere, job: JobContext) -> None: ...  # type: ignore[name-defined] # noqa: F821


async def empty() -> None: ...


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (plain, "must be a coroutine function"),
        (functools.partial(plain), "must be a coroutine function"),
        (bare, "must be annotated with a pydantic model"),
        (unmodelled, "must be annotated with a pydantic model"),
        (unreadable, "the annotation of its payload cannot be read: name 'NotThere' is not defined"),
        (empty, "must be annotated with a pydantic model"),
    ],
)
def test_a_handler_that_could_not_work_is_refused_where_it_is_declared(handler: Any, said: str) -> None:
    declare: Callable[[Any], Any] = job("greet")
    with pytest.raises(KindError, match=f"^kind greet: .*{said}"):
        declare(handler)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "-a", "é"])
def test_a_name_that_no_url_could_hold_is_refused(name: str) -> None:
    with pytest.raises(KindError, match="a name is letters"):
        job(name)(greet)


def test_a_name_that_exists_is_refused_and_both_places_are_named() -> None:
    with pytest.raises(KindError, match=r"two kinds are called 'greet': .*\.greet and .*\.Greeter\.greet"):
        Registry([job("greet")(greet), job("greet")(Greeter().greet)], Queues())


def test_an_attempt_that_the_host_would_end_is_refused() -> None:
    slow = job("greet", timeout_seconds=600)(greet)
    with pytest.raises(KindError, match=r"kind greet: its timeout of 600 s .* functionTimeout of 600 s"):
        Registry([slow], Queues(), None, 600)
    assert Registry([slow], Queues(), None, 601).policy("greet").timeout_seconds == 600


def test_the_app_knows_how_long_its_host_lets_a_function_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    parts = (MemoryBlobs(clock), MemoryQueues(clock), MemoryDocuments(clock), clock)
    kinds = (job("greet", timeout_seconds=599)(greet),)
    bootstrap.compose(settings_of({}), *parts, kinds=kinds)
    with pytest.raises(KindError, match="functionTimeout of 600 s"):
        bootstrap.compose(settings_of({}), *parts, kinds=(job("greet", timeout_seconds=600)(greet),))
    monkeypatch.setenv("AzureFunctionsJobHost__functionTimeout", "-1")
    bootstrap.compose(settings_of({}), *parts, kinds=(job("greet", timeout_seconds=600)(greet),))
