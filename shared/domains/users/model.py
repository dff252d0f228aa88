"""What the app knows of a user: what to call them, whether they want digests, where their day begins, what they own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from shared.ports import Document
from shared.web.requests import ID_PATTERN
from shared.zones import time_zone

USER = "user"
WARDROBE = "wardrobe"
"""What the documents of this module say that they are (`kind`)."""
MOST_DOCUMENTS = 2000
"""So many documents of a user are read for a digest: far more than anybody's wardrobe holds."""

Identifier = Annotated[str, StringConstraints(pattern=f"^{ID_PATTERN}$")]
"""A user's or an item's id, by the rules of every other part of the app: safe in a URL's path, a key and a log."""
Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class UserSettings(BaseModel):
    """The body of `PUT /api/users/{user_id}`. Everything has a default: `{}` makes a user who gets digests."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: Short | None = Field(None, description="What digests call the user.")
    digest: bool = Field(default=True, description="Whether the user gets digests; false is the opt-out.")
    time_zone: Annotated[str, StringConstraints(max_length=64)] = Field(
        "UTC", description="A name of the IANA time zone database, such as `Europe/Berlin`."
    )

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            time_zone(value)
        except LookupError:
            raise PydanticCustomError("time_zone", "must be a name of the IANA time zone database") from None
        return value


class OwnedSettings(BaseModel):
    """The body of `PUT /api/users/{user_id}/wardrobe/{item_id}`: what the client knows of the piece, all of it optional."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)] | None = None
    brand: Short | None = None
    category: Short | None = None
    colours: tuple[Short, ...] = Field((), max_length=10)
    occasion: Short | None = None
    keywords: tuple[Short, ...] = Field((), max_length=50)


@dataclass(frozen=True, slots=True)
class User:
    """A user, as digests need them."""

    user_id: str
    name: str | None
    digest: bool
    time_zone: str
    created_at: str
    updated_at: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> User:
        """Read back what `user_document` made."""
        fields = ("name", "digest", "time_zone", "created_at", "updated_at")
        return cls(document["pk"], **{name: document[name] for name in fields})


@dataclass(frozen=True, slots=True)
class Owned:
    """A piece of a user's wardrobe."""

    item_id: str
    title: str | None
    brand: str | None
    category: str | None
    colours: tuple[str, ...]
    occasion: str | None
    keywords: tuple[str, ...]
    updated_at: str

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Owned:
        """Read back what `owned_document` made."""
        plain = {name: document[name] for name in ("item_id", "title", "brand", "category", "occasion", "updated_at")}
        return cls(colours=tuple(document["colours"]), keywords=tuple(document["keywords"]), **plain)


def user_document(user_id: str, settings: UserSettings, created_at: str, updated_at: str) -> Document:
    """The user's own document: the only one of its partition that has a `sort`, by which users are listed."""
    stamps = {"created_at": created_at, "updated_at": updated_at}
    return {"id": user_id, "pk": user_id, "kind": USER, "sort": user_id, **settings.model_dump(mode="json"), **stamps}


def owned_document(user_id: str, item_id: str, settings: OwnedSettings, updated_at: str) -> Document:
    """The document of a piece, in the partition of its user."""
    return {
        "id": owned_id(item_id),
        "pk": user_id,
        "kind": WARDROBE,
        "item_id": item_id,
        **settings.model_dump(mode="json"),
        "updated_at": updated_at,
    }


def owned_id(item_id: str) -> str:
    """No user's id has a `~`: nothing else in the partition is called so."""
    return f"{WARDROBE}~{item_id}"
