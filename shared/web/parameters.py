"""Parameters that routes of several resources take, and the schemas that they are made of."""

from __future__ import annotations

from typing import Any

from shared.web.requests import ID_PATTERN
from shared.web.routes import Parameter

_UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ANY_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
IDS = f"^{_ANY_UUID}(,{_ANY_UUID}){{0,49}}$"
"""Several jobs in one parameter: as many as fit in an address."""
JOB_CURSOR = f"^{_UUID}$"
LETTER_CURSOR = rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{6}}Z~{_UUID}$"
UUID: dict[str, Any] = {"type": "string", "format": "uuid"}
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
WORD: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$"}
ID: dict[str, Any] = {"type": "string", "pattern": f"^{ID_PATTERN}$"}

USER = Parameter("user_id", "path", ID, "The user's id.")
SINCE = Parameter("since", "query", MOMENT, "Not before this moment.")
UNTIL = Parameter("until", "query", MOMENT, "Before this moment.")
LIST = (
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Items of a page."),
    Parameter("cursor", "query", {"type": "string"}, "The `cursor` of the page before."),
)
"""Of a list in pages."""
PAGE = (SINCE, UNTIL, *LIST)
"""Of a list in pages that is in the order of time."""
OF_KIND = Parameter("kind", "query", {"type": "string"}, "Only of this kind.")
PREFER = Parameter(
    "Prefer", "header", {"type": "string"}, "`wait=N` (RFC 7240): hold the answer up to N seconds for a result."
)
