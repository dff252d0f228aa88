"""How a problem looks from outside."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class FieldView(TypedDict):
    """A field that does not fit, and what was expected."""

    field: str
    message: str


@with_config(_CLOSED)
class ProblemView(TypedDict):
    """A problem (RFC 9457). `type`: where a page says what it means, below the app's address; or `about:blank`."""

    type: str
    title: str
    status: int
    detail: NotRequired[str]
    instance: NotRequired[str]
    errors: NotRequired[list[FieldView]]
