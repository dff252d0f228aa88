"""A page for each type of problem: what a client's developer finds at the address in `type`."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import OPEN

if TYPE_CHECKING:
    from shared.app import App

api = Api(__name__, "operation", Parameter("name", "path", {"type": "string"}, "The type's name, such as `not-found`."))
_HEADERS = {
    "Cache-Control": "max-age=3600",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="../dashboard/style.css">
<main>
<h1>{title}</h1>
<p class="note">HTTP status {status}</p>
<p>{meaning}</p>
<h2>What to do</h2>
<p>{advice}</p>
</main>
</html>
"""


@api.route("GetProblem", "GET problems/{name}", OPEN, {200: None}, (404,))
async def get_problem(app: App, call: Call) -> Answer:
    """What a type of problem means, and what to do about it: a page."""
    from shared.web.problems import TYPES

    del app
    found = TYPES.get(call.path["name"])
    if found is None:
        raise Problem(404, "Not found", "there is no such type of problem")
    words = {"title": found.title, "meaning": found.meaning, "advice": found.advice}
    page = _PAGE.format(status=found.status, **{name: _marked(text) for name, text in words.items()})
    return Answer(200, page.encode(), _HEADERS, "text/html")


def _marked(text: str) -> str:
    """The text as HTML; what is between backquotes is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if n % 2 else part for n, part in enumerate(parts))
