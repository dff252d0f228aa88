"""How users and what they own look from outside."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.domains.users.model import Owned, User

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class UserView(TypedDict):
    """A user. `digest` is false for those who opted out."""

    user_id: str
    name: str | None
    digest: bool
    time_zone: str
    created_at: str
    updated_at: str


@with_config(_CLOSED)
class UserPage(TypedDict):
    """One page of users, in the order of their ids."""

    items: list[UserView]
    cursor: str | None


@with_config(_CLOSED)
class OwnedView(TypedDict):
    """A piece of a wardrobe."""

    item_id: str
    title: str | None
    brand: str | None
    category: str | None
    colours: list[str]
    occasion: str | None
    keywords: list[str]
    updated_at: str


@with_config(_CLOSED)
class WardrobePage(TypedDict):
    """One page of a wardrobe, in the order of its items' ids."""

    items: list[OwnedView]
    cursor: str | None


def user_view(user: User) -> UserView:
    """A user."""
    view: UserView = {**asdict(user)}  # type: ignore[typeddict-item]
    return view


def owned_view(owned: Owned) -> OwnedView:
    """A piece of a wardrobe."""
    view: OwnedView = {**asdict(owned)}  # type: ignore[typeddict-item]
    return view
