"""Submitting a public kind by its name: what clients may say, and what of it a kind takes."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from shared.api.views import polled_view, ticket_answer
from shared.fetch import FetchRefusedError, check_url, parse_allowed
from shared.jobs.errors import FieldProblem, InvalidPayloadError, UnknownKindError
from shared.jobs.kinds import Policy
from shared.jobs.model import Priority
from shared.jobs.ticket import IdempotencyKey, Options, Ticket
from shared.storage import Versioned
from shared.web import waiting
from shared.web.answers import Answer, Problem, json_answer, quoted
from shared.web.requests import KEY_PATTERN, invalid, read_model, unfit

if TYPE_CHECKING:
    from shared.app import App
    from shared.web.routes import Call

FURTHEST = timedelta(days=7)
"""How far ahead a start may be: as long as a queue hides a message."""


class Submission(BaseModel):
    """The body of a submission. What stands beside `payload` is taken where the kind allows it, and refused elsewhere."""

    model_config = ConfigDict(extra="forbid")

    payload: dict[str, JsonValue] = Field(description="What the kind's payload model takes.")
    priority: Priority | None = Field(None, description="Which queue it takes.")
    not_before: datetime | None = Field(
        None, description="When it may start: at most seven days ahead; UTC without zone."
    )
    dedupe_key: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        None, description="Within the kind's dedupe TTL, the same key gets the first ticket, whatever the payload."
    )
    callback_url: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        None, description="A public http(s) address that is told the outcome, signed as Standard Webhooks says."
    )


async def submit(app: App, call: Call) -> Answer:
    """Take a job in: 202 with its ticket; 200 with the job where the client waits (`Prefer: wait`) and it ends in time."""
    kind = call.path["kind"]
    policy = _public(app, kind)
    wanted = read_model(Submission, call.body)
    options = _options(app, kind, policy, wanted, call)
    ticket = await _take_in(app, kind, wanted, options)
    seconds = waiting.wanted(call.headers, app.settings.longest_wait_seconds)
    if seconds:
        current = await waiting.until_final(app, Versioned(ticket.job, ticket.etag), seconds)
        ticket = Ticket(current.value, current.etag, ticket.duplicate)
    return await _answer(app, ticket, call.api_url, seconds)


async def _take_in(app: App, kind: str, wanted: Submission, options: Options) -> Ticket:
    try:
        return await app.engine.submit(kind, wanted.payload, **options)
    except InvalidPayloadError as error:
        problems = (FieldProblem(f"payload.{each.field}".rstrip("."), each.message) for each in error.problems)
        raise invalid(tuple(problems)) from None


async def _answer(app: App, ticket: Ticket, api_url: str, waited: int) -> Answer:
    applied = waiting.applied(waited)
    if waited and ticket.job.status.final:
        location = f"{api_url}/jobs/{ticket.job.job_id}"
        headers = {"Location": location, "ETag": quoted(ticket.etag), **applied}
        return json_answer(polled_view(ticket.job, api_url), 200, headers)
    answer = await ticket_answer(app, ticket, api_url)
    return Answer(answer.status, answer.body, {**answer.headers, **applied})


def accepted(policy: Policy) -> frozenset[str]:
    """The options that clients may give for jobs of a policy."""
    idle = {"priority": policy.queue is not None, "dedupe_key": policy.dedupe_ttl_seconds <= 0}
    return frozenset(name for name in policy.client_options if not idle.get(name, False))


def _public(app: App, kind: str) -> Policy:
    policy = app.engine.deps.kinds.policy(kind)
    if not policy.public:
        raise UnknownKindError(f"no kind of job is called {kind!r}")
    return policy


def _options(app: App, kind: str, policy: Policy, wanted: Submission, call: Call) -> Options:
    given = {name for name in Submission.model_fields if name != "payload" and getattr(wanted, name) is not None}
    refused = sorted(given - accepted(policy))
    if refused:
        raise invalid(tuple(FieldProblem(name, f"jobs of the kind {kind} take none") for name in refused))
    return Options(
        priority=wanted.priority,
        not_before=_start(app, wanted.not_before),
        trace=call.trace,
        dedupe_key=wanted.dedupe_key,
        callback_url=_callback(app, wanted.callback_url),
        idempotency=_key(app, kind, wanted, call),
    )


def _start(app: App, moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > app.clock.now() + FURTHEST:
        raise unfit("not_before", f"must be at most {FURTHEST.days} days ahead")
    return moment


def _callback(app: App, url: str | None) -> str | None:
    if url is None:
        return None
    if not app.settings.webhook_secrets:
        raise unfit("callback_url", "callbacks are not set up here: WEBHOOK_SECRET is not set")
    try:
        check_url(url, parse_allowed(app.settings.fetch_allowed_hosts))
    except FetchRefusedError as error:
        raise unfit("callback_url", str(error)) from None
    return url


def _key(app: App, kind: str, wanted: Submission, call: Call) -> IdempotencyKey | None:
    given = call.headers.get("idempotency-key")
    if given is None:
        return None
    if not re.fullmatch(KEY_PATTERN, given.strip()):
        detail = "must be 1 to 255 printable ASCII characters, in double quotes or without"
        raise Problem(400, "Not an idempotency key", detail, (FieldProblem("Idempotency-Key", detail),))
    key = given.strip()
    key = key[1:-1] if key.startswith('"') else key
    ttl = app.settings.idempotency_ttl_seconds
    return IdempotencyKey(key, _fingerprint(kind, wanted), ttl, scope=f"client/{call.caller}")


def _fingerprint(kind: str, wanted: Submission) -> str:
    """What two requests must share to be the same: the meaning of the body, not its spelling."""
    content: dict[str, Any] = {"kind": kind, **wanted.model_dump(mode="json", exclude_none=True)}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
