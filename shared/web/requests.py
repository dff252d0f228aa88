"""Reading what a request brings: bodies, ids, query parameters. What does not fit is a problem that names the field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from shared.web.answers import Problem

if TYPE_CHECKING:
    from pydantic import BaseModel

    from shared.jobs.errors import FieldProblem
    from shared.web.routes import Route

M = TypeVar("M", bound="BaseModel")

_HOSTS = ("code", "clientId")
"""Parameters that any route may be asked with: the host reads them, for a key and its name."""
LARGEST_BODY = 1024 * 1024
"""Bytes of the largest body that is read."""
ID_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._:@|+=-]{0,127}"
"""Ids that clients give (users, what they own): safe in a URL's path, a key and a log."""
KEY_PATTERN = r'"[ -~]{1,255}"|[!#-~][ -~]{0,254}'
"""An idempotency key: a quoted string, as its draft standard has it, or a bare one; 1 to 255 characters of ASCII."""


def check_query(route: Route, query: Mapping[str, str]) -> None:
    """Refuse parameters that the route does not take, and cursors that are none: to ignore them would be to answer another question.

    Raises:
        Problem: 422 with one entry for each parameter that does not fit.
    """
    from shared.jobs.errors import FieldProblem

    taken = {each.name: each.schema for each in route.parameters if each.where == "query"}
    names = f"it takes {', '.join(taken)}" if taken else "it takes none"
    strange = [name for name in query if name not in taken and name not in _HOSTS]
    problems = [FieldProblem(name, f"is no parameter of this route; {names}") for name in strange]
    cursor, schema = query.get("cursor"), taken.get("cursor")
    if cursor and isinstance(schema, Mapping) and not re.search(schema.get("pattern", ""), cursor):
        problems.append(FieldProblem("cursor", "must be the cursor of a page before"))
    if problems:
        raise invalid(tuple(problems))


def read_json(body: bytes, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object in a body; `optional`: an empty body is an empty object.

    Raises:
        Problem: 413 over `LARGEST_BODY`, 400 where it is not JSON or not an object.
    """
    if len(body) > LARGEST_BODY:
        raise Problem(413, "Content too large", f"the body has {len(body)} bytes; at most {LARGEST_BODY} are taken")
    if optional and not body.strip():
        return {}
    try:
        content = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise Problem(400, "Not JSON", f"the body must be JSON in UTF-8; it is not{where}") from None
    if not isinstance(content, dict):
        raise Problem(400, "Not an object", "the body must be a JSON object")
    return content


def read_model(model: type[M], body: bytes, *, optional: bool = False) -> M:
    """The body as a model, by the rules of JSON: nothing is taken for what it is not (`0` for false, a number for a time).

    Raises:
        Problem: as `read_json`; 422 with one entry for each field that does not fit.
    """
    read_json(body, optional=optional)  # for its errors, which are more telling
    with validating():
        return model.model_validate_json(body.strip() or b"{}", strict=True)


@contextmanager
def validating() -> Iterator[None]:
    """Turn pydantic's errors into a 422 problem with one entry per field."""
    from pydantic import ValidationError

    from shared.jobs.kinds import problems_of

    try:
        yield
    except ValidationError as error:
        raise invalid(problems_of(error)) from None


def invalid(problems: tuple[FieldProblem, ...]) -> Problem:
    """The problem of fields that do not fit."""
    names = ", ".join(dict.fromkeys(problem.field for problem in problems if problem.field))
    return Problem(422, "Invalid input", f"these fields do not fit: {names}" if names else "", problems)


def unfit(field: str, expected: str, status: int = 422, title: str = "Invalid input") -> Problem:
    """The problem of one field that does not fit."""
    from shared.jobs.errors import FieldProblem

    problem = FieldProblem(field, expected)
    return invalid((problem,)) if status == 422 else Problem(status, title, f"{field} {expected}", (problem,))


def read_uuid(text: str, field: str) -> str:
    """A UUID in its usual form, or a 400 problem."""
    from uuid import UUID

    try:
        return str(UUID(text))
    except ValueError:
        raise unfit(field, "must be a UUID", 400, "Not a UUID") from None


def read_id(text: str, field: str) -> str:
    """An id that a client gave, or a 422 problem."""
    if not re.fullmatch(ID_PATTERN, text):
        raise unfit(field, "must be an id of at most 128 characters")
    return text


def read_limit(params: Mapping[str, str], default: int = 50, largest: int = 200) -> int:
    """The `limit` of a page, or a 422 problem."""
    text = params.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= largest):
        raise unfit("limit", f"must be a whole number from 1 to {largest}")
    return int(text)


def read_moment(params: Mapping[str, str], field: str) -> datetime | None:
    """A moment in ISO 8601, UTC where it names no zone, or a 422 problem."""
    text = params.get(field)
    if text is None:
        return None
    try:
        # A plus sign that was not escaped arrives as a space.
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # the latter at the ends of the calendar
        raise unfit(field, "must be a date and time in ISO 8601") from None


def read_choice(params: Mapping[str, str], field: str, choices: Iterable[str]) -> str | None:
    """One of several words, or a 422 problem that names them."""
    text, known = params.get(field), list(choices)
    if text is not None and text not in known:
        raise unfit(field, f"must be one of {', '.join(known)}")
    return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
