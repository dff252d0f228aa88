"""Queues of their own for kinds, by a setting."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import BaseModel

from shared.jobs import JobContext, Priority
from shared.jobs import job as declared
from shared.jobs.kinds import Queues, Registry
from shared.settings import Settings, SettingsError, load


class Greeting(BaseModel):
    first: str


@declared("greet", queue="own", poison_queue="graves")
async def greet(payload: Greeting, job: JobContext) -> str:
    return payload.first


def test_a_setting_gives_a_kind_a_queue_of_its_own() -> None:
    registry = Registry([greet], Queues(), replace(Settings(), kind_queues=(("greet", "greetings"),)))
    assert registry.queue("greet", Priority.HIGH) == "greetings"
    assert registry.poison_queue("greet", Priority.HIGH) == "greetings-poison"


def test_a_setting_that_names_no_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"JOBS_KIND_QUEUES.*grete"):
        Registry([greet], Queues(), replace(Settings(), kind_queues=(("grete", "greetings"),)))


@pytest.mark.parametrize(
    "text", ["greet", "greet=X", "greet=a", "greet=jobs--x", "greet=one,greet=two", f"greet={'q' * 57}"]
)
def test_queues_of_kinds_that_do_not_fit_are_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"JOBS_KIND_QUEUES"):
        load({"JOBS_KIND_QUEUES": text})


def test_queues_of_kinds_are_read() -> None:
    chosen = load({"JOBS_KIND_QUEUES": "greet=greetings, a-b=c-d,"})
    assert chosen.kind_queues == (("greet", "greetings"), ("a-b", "c-d"))
