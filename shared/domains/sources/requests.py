"""What an operator says of a source: the bodies of requests, validated to the last field."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from shared.domains.collect.public import Sort
from shared.domains.sources.model import Selectors, SourceKind
from shared.domains.sources.selecting import checked_selector
from shared.fetch import FetchRefusedError, check_url
from shared.fetch.urls import canonical

_ALLOWED_HOSTS = "allowed_hosts"
_STRICT = ConfigDict(extra="forbid", frozen=True, defer_build=True)

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=60)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Owner = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@|+=-]{0,127}$")]
Interval = Annotated[int, Field(ge=300, le=30 * 86400, strict=True, description="Seconds from one run to the next.")]
Tags = Annotated[list[Tag], Field(max_length=20, description="What all its items are filed under.")]


def _bare(value: Any) -> Any:
    """A subreddit's name, also where it is written `r/name`."""
    return value.strip().removeprefix("/").removeprefix("r/") if isinstance(value, str) else value


Subreddit = Annotated[str, BeforeValidator(_bare), StringConstraints(pattern=r"^[A-Za-z0-9_]{2,24}$")]


class CheckedSelectors(Selectors):
    """Selectors that can be understood."""

    @field_validator("item", "title", "image", "price", "link")
    @classmethod
    def _understood(cls, value: str | None) -> str | None:
        return value if value is None else checked_selector(value)


class NewSource(BaseModel):
    """The body of `POST /api/sources`."""

    model_config = _STRICT

    kind: SourceKind
    url: Annotated[str, StringConstraints(max_length=2048)] | None = Field(
        None, description="Address of the feed, sitemap or page.", validate_default=True
    )
    subreddit: Subreddit | None = Field(None, description="Its name, for the kind `reddit`.", validate_default=True)
    sort: Sort = Field("hot", description="Which of a subreddit's listings.")
    selectors: CheckedSelectors | None = Field(None, description="For the kind `brand_site`.")
    label: Label | None = Field(None, description="The source in words; by default its host or subreddit.")
    currency: Currency | None = Field(None, description="What a bare number stands for, such as `EUR`.")
    tags: Tags = Field(default_factory=list)
    owner: Owner = Field("system", description="A user's id, or `system`.")
    active: bool = True
    poll_interval_seconds: Interval = 86400

    @field_validator("url", "subreddit", "selectors")
    @classmethod
    def _fits_its_kind(cls, value: Any, info: ValidationInfo) -> Any:
        kind, name = info.data.get("kind"), str(info.field_name)
        if kind and value is None and name in _NEEDED[kind]:
            raise PydanticCustomError("missing", "must be given for a source of the kind {kind}", {"kind": kind.value})
        if kind and value is not None and name not in _TAKEN[kind]:
            raise PydanticCustomError("extra", "has no place in a source of the kind {kind}", {"kind": kind.value})
        return value

    @field_validator("url")
    @classmethod
    def _fetchable(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        try:
            check_url(value, (info.context or {}).get(_ALLOWED_HOSTS, ()))
        except FetchRefusedError as error:
            raise PydanticCustomError("url", "{why}", {"why": str(error)}) from None
        return canonical(value) or value

    @property
    def where(self) -> str:
        """The address, or the subreddit."""
        return self.url or self.subreddit or ""


_NEEDED = {
    SourceKind.REDDIT: {"subreddit"},
    SourceKind.RSS: {"url"},
    SourceKind.SITEMAP: {"url"},
    SourceKind.BRAND_SITE: {"url"},
}
_TAKEN = _NEEDED | {SourceKind.BRAND_SITE: {"url", "selectors"}}


def _without_defaults(schema: dict[str, Any]) -> None:
    """What is left out stays as it is: the defaults are never looked at, and nothing to tell clients of."""
    for each in schema["properties"].values():
        each.pop("default", None)


class SourceChanges(BaseModel):
    """The body of `PATCH /api/sources/{id}`: what is given changes, all else stays. What is read makes it what it is."""

    model_config = _STRICT | ConfigDict(json_schema_extra=_without_defaults)

    label: Label = ""
    selectors: CheckedSelectors | None = None
    currency: Currency | None = None
    tags: Tags = Field(default_factory=list)
    owner: Owner = ""
    active: bool = True
    sort: Sort = "hot"
    poll_interval_seconds: Interval = 86400

    @property
    def given(self) -> dict[str, Any]:
        """What is to change. Null takes selectors or currency away."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def read_source(body: bytes, allowed_hosts: Collection[str] = ()) -> NewSource:
    """Validate the JSON of a new source, its address by what can be seen without asking the network.

    Raises:
        pydantic.ValidationError: naming each field that does not fit.
    """
    return NewSource.model_validate_json(body, strict=True, context={_ALLOWED_HOSTS: allowed_hosts})
