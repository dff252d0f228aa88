"""Between the Functions library's HTTP types and the app's plain answers."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Awaitable, Callable
from functools import cache
from math import ceil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import azure.functions as func

from blueprints import start
from shared.declarations import settings
from shared.web.answers import HEADERS, HSTS, Problem
from shared.web.requests import check_query
from shared.web.routes import Call

if TYPE_CHECKING:
    from shared.web.access import Gate
    from shared.web.answers import Answer
    from shared.web.routes import Api, Route

LOG = logging.getLogger("nightshift.http")


def serve(bp: func.Blueprint, api: Api) -> None:
    """Make a function of every route that an API declares."""
    for route in api.routes:
        open_to_all = route.rule.role == "anonymous"
        level = func.AuthLevel.ANONYMOUS if open_to_all else func.AuthLevel.FUNCTION
        trigger = bp.route(route.template, methods=[route.method], auth_level=level)
        bp.function_name(route.function)(trigger(function_of(route)))


def function_of(route: Route) -> Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]:
    """The function of a route: it lets callers through, has the handler answer, and makes a problem of every error."""

    async def function(req: func.HttpRequest) -> func.HttpResponse:
        try:
            answer = await _answer(route, req)
        except start.UnstartedError as error:
            return start.response(str(error), req.url)
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            answer = _problem_of(error, req).answer(urlsplit(req.url).path)
        headers = {**HEADERS, **(HSTS if req.url.startswith("https:") else {}), **answer.headers}
        # The media type goes by `mimetype`: a Content-Type among the headers would be sent twice by some hosts.
        return func.HttpResponse(answer.body, status_code=answer.status, headers=headers, mimetype=answer.content_type)

    for name in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(function, name, getattr(route.handler, name))
    return function


@cache
def gate() -> Gate:
    """What decides on access in this process."""
    from shared.web.access import Gate

    return Gate(settings(), os.environ)


async def _answer(route: Route, req: func.HttpRequest) -> Answer:
    """Have a request handled, if its caller may."""
    from shared.web.access import Request

    app = start.app()
    caller = gate().admit(route.rule, Request(req.headers, req.params, len(req.get_body())))
    _require_length(route, req)
    check_query(route, req.params)
    answer = await route.handler(app, call_of(route, req, caller.name))
    if route.rule.rate == "operator":
        by = caller.name or "anybody"
        LOG.info("operator action: function=%s by=%s status=%d", route.function, by, answer.status)
    return answer


def call_of(route: Route, req: func.HttpRequest, caller: str = "") -> Call:
    """What the handler gets to know of a request."""
    parts = urlsplit(req.url)
    # So many segments up as the template has: their letters may be of either case, and ids spelled in more than one way.
    api, segments = parts.path.rstrip("/"), route.segments
    if segments:
        api = api.rsplit("/", segments)[0]
    api_url = f"{parts.scheme}://{parts.netloc}{api}"
    return Call(req.route_params, req.params, req.headers, req.get_body(), req.url, api_url, caller)


def _require_length(route: Route, req: func.HttpRequest) -> None:
    """Refuse a body that the host did not read: it reads none without Content-Length, and hands over an empty one."""
    if (
        (route.body or route.media)
        and not req.get_body()
        and "chunked" in req.headers.get("transfer-encoding", "").lower()
    ):
        detail = "the body did not arrive: send it with Content-Length, not chunked (Transfer-Encoding)"
        raise Problem(411, "Length required", detail)


def _problem_of(error: Exception, req: func.HttpRequest) -> Problem:
    from shared.jobs import errors
    from shared.ports import StorageError
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
            return Problem(409, "Still in flight", str(error), retry_after=ceil(error.seconds))
        case StorageError():
            LOG.error("storage does not answer: method=%s cause=%s", req.method, type(error).__name__)
            return Problem(503, "Storage does not answer", "nothing was lost: try again", retry_after=5)
        case ImportError() | SyntaxError():
            reason = start.reason_of(error)
            LOG.error("request failed: method=%s, %s", req.method, reason)
            return Problem(503, "A part of the app cannot be loaded", reason)
        case _:
            LOG.error("request failed: method=%s error=%s at=%s", req.method, type(error).__name__, _place(error))
            return Problem(500, "Internal error", "the request could not be handled")


def _place(error: Exception) -> str:
    """Where an error came from. Its message stays out of the log: it may quote what somebody sent."""
    from pathlib import Path

    frames = traceback.extract_tb(error.__traceback__)[-3:]
    return " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
