"""Starting: the app of this process; and what stands in for it where it cannot start.

Then every route says why, and no trigger runs: an app without functions that says it runs is the worst of failures. This
imports nothing of the app's own before it is needed, since that is what may be broken.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import azure.functions as func

if TYPE_CHECKING:
    from shared.app import App

LOG = logging.getLogger("nightshift.start")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_OF_CODE = (AttributeError, ImportError, NameError, SyntaxError, TypeError)
"""Errors whose messages speak of the code, and not of what it was given."""
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class UnstartedError(Exception):
    """The app cannot start; the message says what to mend."""


def app() -> App:
    """The app of this process, composed on first use.

    Raises:
        UnstartedError: it cannot be composed.
    """
    try:
        from shared import bootstrap

        made = bootstrap.app()
        _check_timers(made)
        return made
    except Exception as error:
        reason = reason_of(error)
        tell(reason)
        raise UnstartedError(reason) from error


@lru_cache(maxsize=1)
def _check_timers(made: App) -> None:
    """See that each timer is fired, and at its time."""
    from blueprints import timer_triggers
    from shared.jobs.timers.triggers import check

    check(made.ledger.timers.values(), timer_triggers(), made.engine.deps)


def stand_in(error: Exception) -> func.FunctionApp:
    """An app with one function, which answers every request with what keeps the real one from starting."""
    reason = reason_of(error)
    told = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @told.function_name("Unstarted")
    @told.route("{*path}", methods=_METHODS)
    async def unstarted(req: func.HttpRequest) -> func.HttpResponse:
        _remind(reason)
        return response(reason, req.url)

    tell(reason)
    return told


def response(reason: str, url: str) -> func.HttpResponse:
    """The problem (RFC 9457) as the host's answer."""
    problem = {
        "type": "about:blank", "title": "The app cannot start", "status": 503, "detail": reason, "instance": urlsplit(url).path
    }  # fmt: skip
    body = json.dumps(problem, separators=(",", ":"))
    return func.HttpResponse(body, status_code=503, headers=_HEADERS, mimetype="application/problem+json")


def reason_of(error: BaseException) -> str:
    """What to mend: the settings or the module. Never a value, which may be a secret."""
    if isinstance(error, UnstartedError):
        return str(error)
    names = getattr(error, "names", ())
    if names:
        return f"these app settings do not fit: {', '.join(names)}"
    if isinstance(error, ImportError) and error.name and not _is_ours(error.name):
        return f"the module {error.name} cannot be imported ({_place(error)} needs it): is its package installed?"
    where = _module(error.filename) if isinstance(error, SyntaxError) and error.filename else _place(error)
    said = f": {error}" if _is_ours(type(error).__module__) or isinstance(error, _OF_CODE) else ""
    # Python names the file too where a name cannot be imported; where the app is installed is nobody's business.
    said = re.sub(r" \([^()]*[/\\][^()]*\)$", "", said)
    return f"{where} cannot be loaded ({type(error).__name__}{said})"


@cache
def tell(reason: str) -> None:
    """Log it, as one line, once."""
    LOG.error("the app cannot start: %s", reason)


@cache
def _remind(reason: str) -> None:
    """Log it once more: what is logged before the first invocation, the host may drop."""
    LOG.warning("the app did not start: %s", reason)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] in ("shared", "blueprints", "function_app")


def _place(error: BaseException) -> str:
    """The innermost module of ours that was being run when an error came."""
    ours = (_module(frame.filename) for frame in reversed(traceback.extract_tb(error.__traceback__)))
    return next((name for name in ours if _is_ours(name)), "a module")


def _module(file: str) -> str:
    from pathlib import Path

    path, root = Path(file).resolve(), Path(__file__).resolve().parents[1]
    inside = path.relative_to(root) if path.is_relative_to(root) else Path(path.name)
    return ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
