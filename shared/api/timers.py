"""Timers over HTTP: how they do, what became of their occurrences, and running one by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NotRequired

from pydantic import AwareDatetime, BaseModel, ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, Uuid
from shared.api.views import ticket_answer
from shared.jobs.errors import FieldProblem
from shared.jobs.model import iso
from shared.jobs.timers.health import Direction, TimerReport
from shared.jobs.timers.occurrence import Occurrence, State, Trigger
from shared.jobs.timers.timer import Missed, NotAnOccurrenceError, TimerNotFoundError
from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.requests import invalid, read_choice, read_limit, read_model, read_moment

if TYPE_CHECKING:
    from shared.app import App

_CLOSED = ConfigDict(extra="forbid")


class RunRequest(BaseModel):
    """The body of a run by hand; all of it is optional."""

    model_config = ConfigDict(extra="forbid")

    scheduled_for: AwareDatetime | None = None
    """The missed occurrence that is to be made up; none: a run of its own."""


@with_config(_CLOSED)
class OccurrenceView(TypedDict):
    """One occurrence. `schedule` is absent where it was run by hand at a moment of its own."""

    timer: str
    scheduled_at: Moment
    state: State
    trigger: NotRequired[Trigger]
    schedule: NotRequired[str]
    created_at: Moment
    decided_at: Moment
    submitted_at: NotRequired[Moment]
    ended_at: NotRequired[Moment]
    lateness_seconds: NotRequired[float]
    duration_seconds: NotRequired[float]
    job_id: NotRequired[Uuid]
    reason: NotRequired[str]


@with_config(_CLOSED)
class OccurrencePage(TypedDict):
    """One page of occurrences, newest first."""

    items: list[OccurrenceView]
    cursor: str | None


@with_config(_CLOSED)
class TrendView(TypedDict):
    """How long the latest completed runs took, oldest first, and where it goes."""

    seconds: list[float]
    direction: Direction


@with_config(_CLOSED)
class TimerView(TypedDict):
    """How a timer does. `missed`, `failed` and `unfinished` are counted over its latest 50 occurrences."""

    name: str
    meaning: str
    kind: str
    policy: Missed
    schedule: str
    words: str
    next_at: NotRequired[Moment]
    last: NotRequired[OccurrenceView]
    last_success_at: NotRequired[Moment]
    lateness_seconds: NotRequired[float]
    missed: int
    failed: int
    unfinished: int
    durations: TrendView
    healthy: bool
    reason: str


@with_config(_CLOSED)
class TimerList(TypedDict):
    """Every timer, by name."""

    items: list[TimerView]


async def list_timers(app: App, if_none_match: str | None) -> Answer:
    """Every timer: its schedule, its last and next occurrence, and whether it is healthy."""
    content: TimerList = {"items": [timer_view(each) for each in await app.ledger.reports()]}
    return tagged_answer(content, if_none_match)


async def list_occurrences(app: App, name: str, params: Mapping[str, str]) -> Answer:
    """One page of a timer's occurrences, newest first: `items`, and `cursor` for the next page."""
    with _known():
        app.ledger.timer(name)
    wanted, after = read_choice(params, "state", State), params.get("cursor") or None
    since, until = read_moment(params, "since"), read_moment(params, "until")
    found, cursor = await app.ledger.occurrences.page(
        name, read_limit(params), state=State(wanted) if wanted else None, after=after, since=since, until=until
    )
    content: OccurrencePage = {"items": [occurrence_view(each) for each in found], "cursor": cursor}
    return json_answer(content, headers={"Cache-Control": "no-store"})


async def run(app: App, name: str, body: bytes, api_url: str) -> Answer:
    """Run a timer by hand: 202 with the ticket.

    422 where `scheduled_for` is no past moment of its schedule, 409 where that occurrence was run, and did not end well.
    """
    wanted = read_model(RunRequest, body, optional=True)
    with _known():
        ticket = await app.ledger.run(name, wanted.scheduled_for)
    return ticket_answer(ticket, api_url, max(1, await app.engine.estimates.remaining(ticket.job)))


def timer_view(report: TimerReport) -> TimerView:
    """How a timer does."""
    view: TimerView = {
        "name": report.name,
        "meaning": report.meaning,
        "kind": report.kind,
        "policy": report.policy,
        "schedule": report.schedule,
        "words": report.words,
        "missed": report.missed,
        "failed": report.failed,
        "unfinished": report.unfinished,
        "durations": {"seconds": list(report.durations.seconds), "direction": report.durations.direction},
        "healthy": report.healthy,
        "reason": report.reason,
    }
    if report.next_at:
        view["next_at"] = iso(report.next_at)
    if report.last:
        view["last"] = occurrence_view(report.last)
    if report.last and report.last.lateness_seconds is not None:
        view["lateness_seconds"] = report.last.lateness_seconds
    if report.last_success_at:
        view["last_success_at"] = iso(report.last_success_at)
    return view


def occurrence_view(entry: Occurrence) -> OccurrenceView:
    """An occurrence, without what is the ledger's own."""
    shown: dict[str, Any] = {name: value for name, value in entry if value is not None and name != "watch_at"}
    for name in ("scheduled_at", "created_at", "decided_at", "submitted_at", "ended_at"):
        if name in shown:
            shown[name] = iso(shown[name])
    view: OccurrenceView = shown  # type: ignore[assignment] # a TypedDict by construction; a test holds it to the schema
    return view


@contextmanager
def _known() -> Iterator[None]:
    """Turn the ledger's refusals into problems."""
    try:
        yield
    except TimerNotFoundError as error:
        raise Problem(404, "Not found", str(error)) from None
    except NotAnOccurrenceError as error:
        raise invalid((FieldProblem("scheduled_for", str(error)),)) from None
