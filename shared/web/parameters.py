"""Parameters that routes of several resources take, and the schemas that they are made of."""

from __future__ import annotations

from typing import Any

from shared.web.requests import ID_PATTERN
from shared.web.routes import Parameter

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ANY_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
IDS = f"^{_ANY_UUID}(,{_ANY_UUID}){{0,49}}$"
"""Several jobs in one parameter: as many as fit in an address."""
AT = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"
"""A moment as documents hold it."""
JOB_CURSOR = f"^{_UUID}$"
LETTER_CURSOR = f"^{AT}~{_UUID}$"
UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
WORD: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$"}
ID: dict[str, Any] = {"type": "string", "pattern": f"^{ID_PATTERN}$"}

USER = Parameter("user_id", "path", ID, "The user's id.")
SINCE = Parameter("since", "query", MOMENT, "Not before this moment.")
UNTIL = Parameter("until", "query", MOMENT, "Before this moment.")
LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Items of a page."
)


def pages(cursor: str) -> tuple[Parameter, ...]:
    """The parameters of a list in pages whose cursors look so (a pattern): what is none is refused, and does not mean another page."""
    schema = {"type": "string", "pattern": cursor}
    return (LIMIT, Parameter("cursor", "query", schema, "The `cursor` of the page before."))


def pages_of_time(cursor: str) -> tuple[Parameter, ...]:
    """The parameters of a list in pages that is in the order of time."""
    return (SINCE, UNTIL, *pages(cursor))


LIST = pages("^[!-~]+$")
"""Of a list in pages whose cursors may be anything that fits in an address: `pages` says more."""
PAGE = (SINCE, UNTIL, *LIST)
OF_KIND = Parameter("kind", "query", {"type": "string"}, "Only of this kind.")
PREFER = Parameter(
    "Prefer", "header", {"type": "string"}, "`wait=N` (RFC 7240): hold the answer up to N seconds for a result."
)
