"""Dead letters over HTTP: look, filter, group, replay, discard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.parameters import LETTER_CURSOR, OF_KIND, SINCE, UNTIL, UUID, pages_of_time
from shared.web.requests import read_limit, read_model, read_moment, read_uuid, unfit, validating
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import INSPECT, OPERATE, READ, REPLAY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.api.bodies import ReplaysRequest
    from shared.app import App
    from shared.jobs.dead_letters.replay import ReplayResult
    from shared.jobs.dead_letters.vault import Filter

api = Api(__name__, "dead letters", Parameter("letter_id", "path", UUID, "The dead letter's id."))
_REASON = Parameter("reason", "query", "shared.jobs.dead_letters.vault:Reason", "Only of this reason.")
_FLAG = {"type": "boolean"}
_FILTERS = (
    OF_KIND,
    Parameter("fingerprint", "query", {"type": "string"}, "Only failures that look alike."),
    _REASON,
    Parameter("job_id", "query", {"type": "string"}, "Only of this job."),
    Parameter("replayed", "query", _FLAG, "Only those that were replayed, or never were."),
    Parameter("discarded", "query", _FLAG, "Only those that were set aside, or were not."),
)
_OF_GROUPS = (
    OF_KIND,
    _REASON,
    Parameter("replayed", "query", {**_FLAG, "default": False}, "Those that were replayed instead."),
    Parameter("discarded", "query", {**_FLAG, "default": False}, "Those that were set aside instead."),
    SINCE,
    UNTIL,
)


@api.route(
    "ListDeadLetters",
    "GET dead-letters",
    READ,
    {200: "schemas:DeadLetterPage"},
    (422,),
    parameters=(*_FILTERS, *pages_of_time(LETTER_CURSOR)),
)
async def list_dead_letters(app: App, call: Call) -> Answer:
    """Dead letters, newest first."""
    from shared.api.views import dead_letter_view

    wanted, limit = read_filter(call.query), read_limit(call.query)
    letters, cursor = await app.engine.vault.find(wanted, limit, call.query.get("cursor"))
    items = [dead_letter_view(letter, whole=False) for letter in letters]
    return json_answer({"items": items, "cursor": cursor})


@api.route(
    "ListDeadLetterGroups", "GET dead-letters/groups", READ, {200: "letter_groups:LetterGroupList", 304: None}, (422,),
    parameters=_OF_GROUPS,
)  # fmt: skip
async def list_dead_letter_groups(app: App, call: Call) -> Answer:
    """The newest dead letters by fingerprint; without `replayed` and `discarded` those that are open."""
    from shared.api.letter_groups import groups_of

    wanted = read_filter({"replayed": "false", "discarded": "false", **call.query})
    return tagged_answer(await groups_of(app.engine.vault, wanted), call.if_none_match)


@api.route(
    "GetDeadLetter", "GET dead-letters/{letter_id:regex(^(?!groups$))}", INSPECT, {200: "schemas:DeadLetterView"}, (400, 404)
)  # fmt: skip
async def get_dead_letter(app: App, call: Call) -> Answer:
    """A dead letter, whole: with message text, payload and history."""
    from shared.api.views import dead_letter_view

    letter = await app.engine.vault.get(_id(call))
    return json_answer(dead_letter_view(letter, whole=True), headers={"Cache-Control": "no-store"})


@api.route(
    "ReplayDeadLetter", "POST dead-letters/{letter_id}/replay", REPLAY, {200: "schemas:ReplayView", 202: "schemas:ReplayView"},
    (404, 409), body="bodies:ReplayRequest", optional=True,
)  # fmt: skip
async def replay_dead_letter(app: App, call: Call) -> Answer:
    """Put a dead letter back (202), with an edited payload and answers about effects if these are given; 200 for a dry run."""
    from shared.api.bodies import ReplayRequest
    from shared.api.views import replay_view
    from shared.jobs.dead_letters.replay import ReplayOutcome

    wanted = read_model(ReplayRequest, call.body, optional=True)
    by = call.caller or "api"
    result = await app.engine.replays.one(
        _id(call), by=by, payload=wanted.payload, effects=wanted.effects, dry_run=wanted.dry_run
    )
    if result.outcome is ReplayOutcome.INVALID and not wanted.dry_run:
        raise _unfit(result)
    if result.outcome is ReplayOutcome.NOT_FAILED and not wanted.dry_run:
        raise Problem(409, "Nothing to replay", result.detail or "")
    return json_answer(replay_view(result), 200 if wanted.dry_run else 202)


@api.route(
    "DiscardDeadLetter", "POST dead-letters/{letter_id}/discard", OPERATE, {200: "schemas:DeadLetterView"}, (404, 409),
    body="bodies:DiscardRequest", samples=({"reason": "a test run"},),
)  # fmt: skip
async def discard_dead_letter(app: App, call: Call) -> Answer:
    """Set a dead letter aside, so that it and its job may expire; 409 where it was replayed."""
    from shared.api.bodies import DiscardRequest
    from shared.api.views import dead_letter_view

    letter_id = _id(call)
    wanted = read_model(DiscardRequest, call.body)
    letter = await app.engine.discards.one(letter_id, by=call.caller or "api", reason=wanted.reason)
    return json_answer(dead_letter_view(letter, whole=False))


@api.route(
    "ReplayDeadLetters", "POST dead-letters/replay", REPLAY, {200: "schemas:ReplaysView"}, (404,), body="bodies:ReplaysRequest",
    optional=True, samples=({"filter": {"kind": "taste-analysis"}, "dry_run": True},),
)  # fmt: skip
async def replay_dead_letters(app: App, call: Call) -> Answer:
    """Put back what a filter, or a list of ids, names: each one's outcome, and the cursor of the next."""
    from shared.api.bodies import ReplaysRequest
    from shared.api.views import replay_view
    from shared.jobs.dead_letters.replay import ReplayOutcome
    from shared.storage import iso

    wanted = read_model(ReplaysRequest, call.body, optional=True)
    if wanted.payload is not None and len(wanted.ids or []) != 1:
        raise unfit("payload", "an edited payload needs exactly one id in `ids`")
    until = wanted.filter.until or app.clock.now()
    results, cursor = await _replay(app, wanted, until, call.caller or "api")
    counts = {outcome.value: sum(each.outcome is outcome for each in results) for outcome in ReplayOutcome}
    content = {"dry_run": wanted.dry_run, "counts": counts, "results": [replay_view(each) for each in results]}
    return json_answer({**content, "until": iso(until), "cursor": cursor})


async def _replay(app: App, wanted: ReplaysRequest, until: datetime, by: str) -> tuple[list[ReplayResult], str | None]:
    replays = app.engine.replays
    if wanted.ids is None:
        chosen = wanted.filter.model_copy(update={"until": until})
        return await replays.some(chosen, by=by, limit=wanted.limit, dry_run=wanted.dry_run, cursor=wanted.cursor)
    ids = [read_uuid(each, "ids") for each in dict.fromkeys(wanted.ids)]
    return [await replays.one(each, by=by, payload=wanted.payload, dry_run=wanted.dry_run) for each in ids], None


def read_filter(query: Mapping[str, str]) -> Filter:
    """Which dead letters the parameters of a query mean; 422 for what does not fit."""
    from shared.jobs.dead_letters.vault import Filter

    chosen: dict[str, Any] = {name: query[name] for name in ("kind", "fingerprint", "job_id") if query.get(name)}
    chosen |= {name: read_moment(query, name) for name in ("since", "until")}
    chosen |= {name: query[name] for name in ("reason", "replayed", "discarded") if name in query}
    with validating():
        return Filter.model_validate(chosen)


def _id(call: Call) -> str:
    return read_uuid(call.path["letter_id"], "id")


def _unfit(result: ReplayResult) -> Problem:
    from shared.jobs.errors import FieldProblem

    problems = tuple(
        FieldProblem(field if field.startswith("effects.") else f"payload.{field}", message)
        for field, message in result.problems
    )
    return Problem(422, "The payload does not fit", result.detail or "", problems)
