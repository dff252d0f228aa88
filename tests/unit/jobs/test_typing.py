"""The types of the developer's API: mypy takes what fits, and refuses what does not, where it is written."""

from __future__ import annotations

from pathlib import Path

from mypy import api

ROOT = Path(__file__).parents[3]
SNIPPET = """
from datetime import UTC, datetime

from pydantic import BaseModel

from shared.bootstrap import app
from shared.jobs import Child, Dedupe, JobContext, Priority, job


class Greeting(BaseModel):
    name: str


class Other(BaseModel):
    number: int


def by_name(payload: Greeting) -> Dedupe:
    return Dedupe(payload.name)


@job("other", priority=Priority.LOW)
async def other(payload: Other, job: JobContext) -> None: ...


@job("greet", max_attempts=3, public=True, dedupe=by_name)
async def greet(payload: Greeting, job: JobContext) -> None:
    await job.submit(other, Other(number=1), key="first")
    await job.submit(other, payload)  # refused: misc


async def use() -> None:
    await app().submit(greet, Greeting(name="ann"), not_before=datetime.now(UTC), priority=Priority.HIGH)
    await app().submit(greet, Other(number=1))  # refused: misc
    await app().submit(greet, {"name": "ann"})  # refused: misc
    await app().submit(greet, Greeting(name="ann"), not_before="soon")  # refused: arg-type
    await app().submit(greet, Greeting(name="ann"), prioriti=Priority.HIGH)  # refused: call-arg
    Child.of("ann", greet, Greeting(name="ann"))
    Child.of("ann", greet, Other(number=1))  # refused: misc


@job("late", dedupe=by_name)  # refused: arg-type
async def late(payload: Other, job: JobContext) -> None: ...


@job("odd", max_atempts=3)  # refused: call-overload
async def odd(payload: Other, job: JobContext) -> None: ...
"""


def test_mypy_refuses_a_wrong_payload_a_wrong_option_and_a_wrong_policy(tmp_path: Path) -> None:
    path = tmp_path / "snippet.py"
    path.write_text(SNIPPET, encoding="utf-8")
    told, errors, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--no-pretty", str(path)])
    assert not errors
    refused: dict[int, str] = {}
    for line in told.splitlines():
        if ": error:" in line:
            refused.setdefault(int(line.split(":")[1]), line.rsplit("[", 1)[1].rstrip("]"))
    expected = {
        number: line.split("# refused: ")[1]
        for number, line in enumerate(SNIPPET.splitlines(), 1)
        if "# refused: " in line
    }
    assert refused == expected, told
