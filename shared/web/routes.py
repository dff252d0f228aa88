"""A route, said once: right above its handler, with all that the host, the gate, the API's document and the tests are to know of it.

    api = Api(__name__, "sources", SOURCE)

    @api.route("CreateSource", "POST sources", OPERATE, {201: "views:SourceView"}, (409,), body="requests:NewSource")
    async def create_source(app: App, call: Call) -> Answer:
        \"\"\"Have something scraped.\"\"\"

Every handler takes the app and the call, and gives an answer. Models are named, not imported (`module:name`, the module
below the package of the one that declares): this is on the path of a cold start, which imports what an API *is*, and not
what it is made of.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from shared.app import App
    from shared.web.answers import Answer
    from shared.web.rules import Rule

TICKET = ("Location", "Retry-After", "ETag")
"""The headers of a ticket."""
_PARAMETER = re.compile(r"\{\**(\w+)[^{}]*\}")


class Parameter(NamedTuple):
    """What can be said beside the body. `schema`: a JSON schema, or the name of an enumeration (or a tuple) of words."""

    name: str
    where: Literal["path", "query", "header"]
    schema: Mapping[str, Any] | str
    text: str


IF_NONE_MATCH = Parameter("If-None-Match", "header", {"type": "string"}, "The ETag of an answer that the client holds.")


class Call(NamedTuple):
    """A request that was let through. Names of headers are in lower case."""

    path: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    url: str = "http://localhost/api"
    api_url: str = "http://localhost/api"
    """The address under which the client reached the API."""
    caller: str = ""
    """Who calls, as it may be recorded: never a key, an address or anybody's name. Empty where nothing is known."""

    @property
    def if_none_match(self) -> str | None:
        """The ETags that the client holds."""
        return self.headers.get("if-none-match")

    @property
    def trace(self) -> str | None:
        """The trace that the client is in (W3C)."""
        return self.headers.get("traceparent")


Handler = Callable[["App", Call], Awaitable["Answer"]]


class Route(NamedTuple):
    """One operation. `answers` by status, None for one without a JSON body; `problems` are statuses too.

    What follows from the rest need not be said: what has a body may find it too large, not JSON, or unfit; what can be
    answered with 304 takes and gives an ETag; and every route may be asked too often, or have no storage.
    """

    function: str
    method: str
    """In upper case."""
    template: str
    """As the host reads it: parameters may carry constraints (`{letter_id:guid}`)."""
    rule: Rule
    answers: Mapping[int, str | None]
    problems: tuple[int, ...]
    parameters: tuple[Parameter, ...]
    body: str | None
    optional: bool
    """Whether the body may be left out."""
    headers: tuple[str, ...]
    samples: tuple[Any, ...]
    """Examples of the body."""
    tag: str
    package: str
    handler: Handler
    media: tuple[str, ...] = ()
    """What sorts of files the body may be, where it is no JSON."""

    @property
    def path(self) -> str:
        """The template without constraints, as the API's document has it, and without what may be left out."""
        return _PARAMETER.sub(lambda found: "" if found[0].endswith("?}") else f"{{{found[1]}}}", self.template)

    @property
    def segments(self) -> int:
        """How many the path has."""
        return len([each for each in self.path.split("/") if each])

    @property
    def summary(self) -> str:
        """What it does: the first line of the handler's docstring."""
        return (self.handler.__doc__ or "").strip().partition("\n")[0].rstrip(".")

    @property
    def refusals(self) -> set[int]:
        """The statuses of all its problems: those declared; and what any may say, such as too often, or no such parameter."""
        return {*self.problems, 413, 422, 429, 503, *((403,) if self.rule.role == "operator" else ())}

    def type(self, name: str) -> Any:
        """The type that a declaration names: `requests:NewSource`, or `shared.api.schemas:TicketView` from elsewhere."""
        module, _, attribute = name.partition(":")
        path = module if module.startswith("shared.") else f"{self.package}.{module}"
        return getattr(import_module(path), attribute)


class Api:
    """The routes of a resource, in the order in which they are declared."""

    def __init__(self, module: str, tag: str, *path: Parameter) -> None:
        """Take the module's name, what its routes are filed under, and the parameters of their paths."""
        self.routes: list[Route] = []
        self._package = module.rpartition(".")[0]
        self._tag = tag
        self._path = {each.name: each for each in path}

    def route(  # noqa: PLR0913 - one for each thing that can be said of a route
        self,
        function: str,
        method_and_template: str,
        rule: Rule,
        answers: Mapping[int, str | None],
        problems: tuple[int, ...] = (),
        *,
        parameters: tuple[Parameter, ...] = (),
        body: str | None = None,
        optional: bool = False,
        headers: tuple[str, ...] = (),
        samples: tuple[Any, ...] = (),
        tag: str | None = None,
        media: tuple[str, ...] = (),
    ) -> Callable[[Handler], Handler]:
        """Declare that what is decorated answers a method of a path (`GET sources/{source_id}`).

        Raises:
            KeyError: a parameter of the path is not among those of the API.
        """
        method, _, template = method_and_template.partition(" ")
        needed = (found[1] for found in _PARAMETER.finditer(template) if not found[0].endswith("?}"))
        known = (*(self._path[name] for name in needed), *parameters)
        if 304 in answers:
            known, headers = (*known, IF_NONE_MATCH), (*headers, "ETag")
        if body or media:
            problems = (*problems, 400, 411, 413, 422)

        def declare(handler: Handler) -> Handler:
            route = Route(
                function, method, template, rule, answers, problems, known, body, optional, headers, samples,
                tag or self._tag, self._package, handler, media,
            )  # fmt: skip
            self.routes.append(route)
            return handler

        return declare
