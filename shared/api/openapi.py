"""The API's own document over HTTP."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.web.answers import Answer, tagged_answer
from shared.web.routes import Api, Call
from shared.web.rules import OPEN

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.kinds import Registry

api = Api(__name__, "operation")


@api.route("GetOpenApi", "GET openapi.json", OPEN, {200: "schemas:Document", 304: None})
async def get_openapi(app: App, call: Call) -> Answer:
    """This document, for the address under which it is asked for."""
    content = {**_document(app.engine.deps.kinds), "servers": [{"url": call.api_url}]}
    return tagged_answer(content, call.if_none_match)


@lru_cache(maxsize=1)
def _document(kinds: Registry) -> dict[str, Any]:
    from shared.declarations import routes
    from shared.web.openapi import document

    return document(routes(), [kind for kind in kinds if kinds.policy(kind.name).public])
