"""What a client says about an item, and the job that it becomes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from shared.fetch import FetchRefusedError, check_url
from shared.web.requests import ID_PATTERN

Identifier = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
"""A user's or an item's id: what is safe in a URL's path, a partition key and a log, and holds no space."""

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]
Signal = Literal["up", "down"]

_ALLOWED_HOSTS = "allowed_hosts"


class Item(BaseModel):
    """What the client knows about the item. All of it is optional."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    title: Annotated[str, StringConstraints(max_length=300)] | None = None
    description: Annotated[str, StringConstraints(max_length=5000)] | None = None
    brand: Short | None = None
    category: Short | None = None
    colours: list[Word] = Field(default_factory=list, max_length=50)
    occasion: Short | None = None
    size: Short | None = None
    keywords: list[Word] = Field(default_factory=list, max_length=50)


class TasteFeedback(BaseModel):
    """The body of `POST /api/taste/feedback`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    user_id: Identifier
    item_id: Identifier
    signal: Signal
    image_url: str | None = None
    gallery_image_index: int = Field(0, ge=0, le=999, strict=True)
    item: Item = Field(default_factory=Item)

    @field_validator("image_url")
    @classmethod
    def _fetchable(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        try:
            # A stored job is only checked for its form: who may be fetched is decided when it is fetched.
            check_url(value, _host_list(value, info))
        except FetchRefusedError as error:
            raise PydanticCustomError("image_url", "{why}", {"why": str(error)}) from None
        return value


class _Anybody(frozenset[str]):
    """A list of hosts that has everybody on it."""

    def __contains__(self, _: object) -> bool:
        return True


def _host_list(_: str, info: ValidationInfo) -> Collection[str]:
    given: Collection[str] | None = (info.context or {}).get(_ALLOWED_HOSTS)
    return _Anybody() if given is None else given


def read_feedback(body: object, allowed_hosts: Collection[str] = ()) -> TasteFeedback:
    """Validate a request's body, image address included: one that can be seen to be private is refused here.

    Args:
        body: what the JSON parser made of the request.
        allowed_hosts: hosts that may be fetched although not public (see `shared.fetch.parse_allowed`).

    Raises:
        pydantic.ValidationError: naming each field that does not fit.
    """
    return TasteFeedback.model_validate(body, context={_ALLOWED_HOSTS: allowed_hosts})


class TasteJob(TasteFeedback):
    """The payload of a taste analysis job: the feedback, and when the server took it."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    occurred_at: AwareDatetime
