"""Between the Functions library's HTTP types and the app's plain answers."""

from __future__ import annotations

import functools
import logging
import math
import os
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import azure.functions as func

from shared.declarations import settings
from shared.web import access

if TYPE_CHECKING:
    from shared.web.answers import Answer, Problem

LOG = logging.getLogger("nightshift.http")


def endpoint(
    handle: Callable[[func.HttpRequest], Awaitable[Answer]],
) -> Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]:
    """Make a function of a handler that returns an answer or raises a problem; `shared.web.access` says who may call it."""

    @functools.wraps(handle, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
    async def function(req: func.HttpRequest) -> func.HttpResponse:
        try:
            answer = await _handle(handle, req)
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            answer = _problem_of(error, req).answer(urlsplit(req.url).path)
        secure = access.HSTS if req.url.startswith("https:") else {}
        headers = {**access.HEADERS, **secure, **answer.headers}
        # The media type goes by `mimetype`: a Content-Type among the headers would be sent twice by some hosts.
        return func.HttpResponse(answer.body, status_code=answer.status, headers=headers, mimetype=answer.content_type)

    del function.__wrapped__  # The library reads the signature; it must see this function's, not the handler's.
    return function


@functools.cache
def gate() -> access.Gate:
    """What decides on access in this process."""
    return access.Gate(settings(), os.environ)


async def _handle(handle: Callable[[func.HttpRequest], Awaitable[Answer]], req: func.HttpRequest) -> Answer:
    """Handle a request as its caller, if they may."""
    name, rule = access.rule_of(handle.__name__)
    caller = gate().admit(rule, access.Request(req.headers, req.params, len(req.get_body())))
    token = access.enter(caller)
    try:
        answer = await handle(req)
    finally:
        access.leave(token)
    if rule.rate == "operator":
        LOG.info("operator action: function=%s by=%s status=%d", name, caller.name or "anybody", answer.status)
    return answer


def api_url(req: func.HttpRequest, route: str) -> str:
    """The address under which the client reached the app's API: so many segments up as the template of the route has.

    Its letters may be of either case, and ids spelled in more than one way.
    """
    parts = urlsplit(req.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').rsplit('/', route.count('/') + 1)[0]}"


def _problem_of(error: Exception, req: func.HttpRequest) -> Problem:
    from shared.jobs import errors
    from shared.ports import StorageError
    from shared.web.answers import Problem
    from shared.web.requests import invalid

    match error:
        case Problem():
            return error
        case errors.InvalidPayloadError():
            return invalid(error.problems)
        case errors.JobNotFoundError() | errors.DeadLetterNotFoundError() | errors.UnknownKindError():
            return Problem(404, "Not found", str(error))
        case errors.InvalidTransitionError():
            return Problem(409, "Conflict", str(error))
        case errors.KeyReusedError():
            return Problem(422, "Idempotency key reused", str(error))
        case errors.InFlightError():
            return Problem(409, "Still in flight", str(error), retry_after=math.ceil(error.seconds))
        case StorageError():
            LOG.error("storage does not answer: method=%s cause=%s", req.method, type(error).__name__)
            return Problem(503, "Storage does not answer", "nothing was lost: try again", retry_after=5)
        case _:
            LOG.error("request failed: method=%s error=%s at=%s", req.method, type(error).__name__, _place(error))
            return Problem(500, "Internal error", "the request could not be handled")


def _place(error: Exception) -> str:
    """Where an error came from. Its message stays out of the log: it may quote what somebody sent."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
