"""What is told of an HTTP operation, and the parameters that several have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

from shared.api.submission import KEY_PATTERN
from shared.domains.taste.feedback import Identifier
from shared.web.access import RULES, Rule

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    where: Literal["path", "query", "header"]
    schema: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `answers` by status, None for an answer without a body; `problems` are statuses too."""

    function: str
    method: Literal["get", "post", "put", "patch", "delete"]
    route: str
    summary: str
    tag: str
    answers: Mapping[int, Any]
    problems: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_required: bool = True
    headers: tuple[str, ...] = ()
    """Headers of the answers that are no problems."""
    samples: tuple[Any, ...] = field(default=())
    """Examples of the body."""

    @property
    def rule(self) -> Rule:
        """Who may call it, how large its body may be, and how often."""
        return RULES[self.function]

    @property
    def key(self) -> bool:
        """Whether it needs a function key in Azure."""
        return self.rule.role != "anonymous"


UUID: Schema = {"type": "string", "format": "uuid"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
WORD: Schema = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$"}
JOB = Parameter("job_id", "path", UUID, "The job's id.")
LETTER = Parameter("letter_id", "path", UUID, "The dead letter's id.")
KIND = Parameter("kind", "path", WORD, "The kind's name.")
USER = Parameter("user_id", "path", TypeAdapter(Identifier).json_schema(), "The user's id.")
ETAG = Parameter("If-None-Match", "header", {"type": "string"}, "The ETag of an answer that the client holds.")
PREFER = Parameter(
    "Prefer", "header", {"type": "string"}, "`wait=N` (RFC 7240): hold the answer up to N seconds for a result."
)
IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": f"^({KEY_PATTERN})$"},
    "The same key with the same body gets the same ticket.",
)
PAGE = (
    Parameter("since", "query", MOMENT, "Not before this moment."),
    Parameter("until", "query", MOMENT, "Before this moment."),
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Items of a page."),
    Parameter("cursor", "query", {"type": "string"}, "The `cursor` of the page before."),
)
KIND_FILTER = Parameter("kind", "query", {"type": "string"}, "Only of this kind.")
TICKET = ("Location", "Retry-After", "ETag")
