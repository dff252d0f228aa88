"""Trips through the code: how many files and functions four everyday operations pass, and how often they change the file.

    python -m bench.trips [-v]

A move is a call of a function in another file than the one that was running; that a coroutine goes on after it has waited is
none. Counted are the project's own frames (`shared`, `blueprints`), as far as the ports: the stores and the clock are the test
kit's. The app is whole, and warm: each operation is done once before it is looked at.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import azure.functions as func
from pydantic import BaseModel

from devtools.environment import ROOT
from shared import bootstrap
from shared.app import App
from shared.declarations import settings_of
from shared.jobs import JobContext, job
from shared.jobs.envelope import Delivery, encode, envelope_of
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryDocuments, MemoryQueues

_OURS = (f"{ROOT}/shared/", f"{ROOT}/blueprints/")
_BEHIND_THE_PORTS = (f"{ROOT}/shared/jobs/testing/", f"{ROOT}/shared/adapters/")
TARGETS = {"submit": 15, "post": 50, "run": 45, "metrics": 100}
"""How many moves each is held to."""


class Echo(BaseModel):
    """The payload of the kind that is submitted and run."""

    text: str


@job("trip", public=True)
async def trip(payload: Echo, job: JobContext) -> dict[str, Any]:
    """Say it back."""
    return {"said": payload.text, "attempt": job.attempt}


@dataclass
class Trip:
    """What one operation passed."""

    files: set[str] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    moves: list[tuple[str, str]] = field(default_factory=list)
    """From which file to which function of another, in their order."""
    _at: str = ""
    _entered: set[FrameType] = field(default_factory=set)

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        """Be told of a call or a return (`sys.setprofile`)."""
        path = frame.f_code.co_filename
        if not _counts(path) or _behind_the_ports(frame.f_back):
            return
        if event == "call" and frame in self._entered:
            self._at = path
        elif event == "call":
            self._entered.add(frame)
            name = path.removeprefix(f"{ROOT}/")
            self.files.add(name)
            self.functions.add((name, frame.f_code.co_qualname))
            if self._at and self._at != path:
                self.moves.append((self._at.removeprefix(f"{ROOT}/"), f"{name}:{frame.f_code.co_qualname}"))
            self._at = path
        elif event == "return" and (caller := _caller(frame)):
            self._at = caller


def _counts(path: str) -> bool:
    return path.startswith(_OURS) and not path.startswith(_BEHIND_THE_PORTS)


def _behind_the_ports(caller: FrameType | None) -> bool:
    """Whether a store is among the callers, however far down."""
    while caller is not None and not caller.f_code.co_filename.startswith(_BEHIND_THE_PORTS):
        caller = caller.f_back
    return caller is not None


def _caller(frame: FrameType) -> str | None:
    """The file of the nearest of the project's own frames below this one."""
    below = frame.f_back
    while below is not None and not _counts(below.f_code.co_filename):
        below = below.f_back
    return below.f_code.co_filename if below else None


async def measure() -> dict[str, Trip]:
    """Do each operation, and follow it."""
    clock = FakeClock()
    app = _app(clock)
    bootstrap.app = lambda: app  # type: ignore[assignment] # the triggers ask for it
    functions = {each.get_function_name(): each.get_user_function() for each in _index()}
    try:
        return {
            "submit": await _followed(lambda: app.engine.submit(trip, Echo(text="x"))),
            "post": await _followed(lambda: functions["SubmitJob"](_post())),
            "run": await _run(app),
            "metrics": await _followed(lambda: functions["GetMetrics"](_get("metrics")), lambda: clock.advance(60)),
        }
    finally:
        await app.close()


def _app(clock: FakeClock) -> App:
    settings = settings_of({"AzureWebJobsStorage": "UseDevelopmentStorage=true"})
    stores = MemoryBlobs(clock), MemoryQueues(clock), MemoryDocuments(clock)
    return bootstrap.compose(settings, *stores, clock, (trip,))


def _index() -> list[Any]:
    import function_app

    return list(function_app.app.get_functions())


async def _run(app: App) -> Trip:
    deliveries = []
    for number in range(2):
        ticket = await app.engine.submit(trip, Echo(text="x"))
        text = encode(envelope_of(ticket.job, ticket.etag, ticket.job.created_at))
        deliveries.append(Delivery("jobs", f"message-{number}", text.encode(), ticket.job.created_at))
    waiting = iter(deliveries)
    return await _followed(lambda: app.engine.process_or_put_back(next(waiting)))


async def _followed(operation: Callable[[], Awaitable[Any]], between: Callable[[], None] = lambda: None) -> Trip:
    await operation()
    between()
    followed = Trip()
    work = operation()
    sys.setprofile(followed)
    try:
        await work
    finally:
        sys.setprofile(None)
    return followed


def _post() -> func.HttpRequest:
    body = json.dumps({"payload": {"text": "x"}}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    route = {"kind": "trip"}
    return func.HttpRequest("POST", "http://localhost/api/jobs/trip", headers=headers, route_params=route, body=body)


def _get(path: str) -> func.HttpRequest:
    return func.HttpRequest("GET", f"http://localhost/api/{path}", body=b"")


def main() -> int:
    """Print the trips, with ``-v`` each move, too; 1 where one is longer than it is held to."""
    missed = 0
    for name, each in asyncio.run(measure()).items():
        met = len(each.moves) <= TARGETS[name]
        missed |= not met
        sys.stdout.write(
            f"{name:8} {len(each.files):3} files {len(each.functions):4} functions {len(each.moves):4} moves"
            f"   to reach <= {TARGETS[name]}: {'yes' if met else 'NO'}\n"
        )
        if "-v" in sys.argv:
            sys.stdout.writelines(f"    {start} -> {end}\n" for start, end in each.moves)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
