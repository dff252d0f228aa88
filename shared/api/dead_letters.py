"""Dead letters over HTTP: look, filter, replay, discard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.api.views import dead_letter_view, replay_view
from shared.jobs.dead_letters.replay import ReplayOutcome, ReplayResult
from shared.jobs.dead_letters.vault import Filter
from shared.jobs.errors import FieldProblem
from shared.web.access import who
from shared.web.answers import Answer, Problem, json_answer
from shared.web.requests import invalid, read_limit, read_model, read_moment, read_uuid, validating

if TYPE_CHECKING:
    from shared.app import App

_TEXTS = ("kind", "fingerprint", "job_id")


class ReplayOne(BaseModel):
    """The body of a replay of one dead letter; all of it is optional."""

    model_config = ConfigDict(extra="forbid")

    payload: dict[str, Any] | None = None
    dry_run: bool = False


class DiscardRequest(BaseModel):
    """The body of a discard."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ReplaySome(BaseModel):
    """The body of a replay by filter. An empty filter means every one never replayed or discarded."""

    model_config = ConfigDict(extra="forbid")

    filter: Filter = Filter()
    ids: Annotated[list[str], Field(max_length=100)] | None = None
    limit: int = Field(100, ge=1, le=500)
    dry_run: bool = False
    payload: dict[str, Any] | None = None


async def list_letters(app: App, params: Mapping[str, str]) -> Answer:
    """One page, newest first: `items`, and `cursor` for the next page."""
    letters, cursor = await app.engine.vault.find(read_filter(params), read_limit(params), params.get("cursor"))
    items = [dead_letter_view(letter, whole=False) for letter in letters]
    return json_answer({"items": items, "cursor": cursor})


async def show_letter(app: App, letter_id: str) -> Answer:
    """One dead letter with message text, payload and history."""
    letter = await app.engine.vault.get(read_uuid(letter_id, "id"))
    return json_answer(dead_letter_view(letter, whole=True), headers={"Cache-Control": "no-store"})


async def replay_one(app: App, letter_id: str, body: bytes) -> Answer:
    """Replay one: 202, or 200 for a dry run; 422 where its payload does not fit, 409 where its job is not failed."""
    wanted = read_model(ReplayOne, body, optional=True)
    letter_id = read_uuid(letter_id, "id")
    result = await app.engine.replays.one(letter_id, by=who("api"), payload=wanted.payload, dry_run=wanted.dry_run)
    if result.outcome is ReplayOutcome.INVALID and not wanted.dry_run:
        raise _unfit(result)
    if result.outcome is ReplayOutcome.NOT_FAILED and not wanted.dry_run:
        raise Problem(409, "Nothing to replay", result.detail or "")
    return json_answer(replay_view(result), 200 if wanted.dry_run else 202)


async def discard(app: App, letter_id: str, body: bytes) -> Answer:
    """Set one aside, so that it and its job may expire: 200 with the dead letter; 409 where it was replayed."""
    letter_id = read_uuid(letter_id, "id")
    wanted = read_model(DiscardRequest, body)
    letter = await app.engine.discards.one(letter_id, by=who("api"), reason=wanted.reason)
    return json_answer(dead_letter_view(letter, whole=False))


async def replay_some(app: App, body: bytes) -> Answer:
    """Replay what a filter, or a list of ids, names: 200 with each one's outcome, and whether there is more."""
    wanted = read_model(ReplaySome, body, optional=True)
    if wanted.payload is not None and len(wanted.ids or []) != 1:
        raise invalid((FieldProblem("payload", "an edited payload needs exactly one id in `ids`"),))
    results, more = await _replay(app, wanted)
    counts = {outcome.value: sum(each.outcome is outcome for each in results) for outcome in ReplayOutcome}
    content = {"dry_run": wanted.dry_run, "counts": counts, "results": [replay_view(each) for each in results]}
    return json_answer({**content, "more": more})


async def _replay(app: App, wanted: ReplaySome) -> tuple[list[ReplayResult], bool]:
    replays = app.engine.replays
    if wanted.ids is None:
        return await replays.some(wanted.filter, by=who("api"), limit=wanted.limit, dry_run=wanted.dry_run)
    ids = [read_uuid(each, "ids") for each in wanted.ids]
    return [
        await replays.one(each, by=who("api"), payload=wanted.payload, dry_run=wanted.dry_run) for each in ids
    ], False


def read_filter(params: Mapping[str, str]) -> Filter:
    """Which dead letters the parameters of a query mean; 422 for what does not fit."""
    chosen: dict[str, Any] = {name: params[name] for name in _TEXTS if params.get(name)}
    chosen |= {name: read_moment(params, name) for name in ("since", "until")}
    chosen |= {name: params[name] for name in ("reason", "replayed", "discarded") if name in params}
    with validating():
        return Filter.model_validate(chosen)


def _unfit(result: ReplayResult) -> Problem:
    problems = tuple(FieldProblem(f"payload.{field}", message) for field, message in result.problems)
    return Problem(422, "The payload does not fit", result.detail or "", problems)
