"""Users and their wardrobe over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict

from shared import declarations
from shared.domains.users.erasure import erase
from shared.domains.users.model import Identifier, Owned, OwnedSettings, User, UserSettings
from shared.domains.users.store import UserStore
from shared.jobs.errors import FieldProblem
from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.requests import invalid, read_limit, read_model

if TYPE_CHECKING:
    from shared.app import App

_CLOSED = ConfigDict(extra="forbid")
_identifier: TypeAdapter[str] = TypeAdapter(Identifier)


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


async def put_user(app: App, user_id: str, body: bytes) -> Answer:
    """201 for a new user, 200 for one that was there: the settings given stand, all others are at their defaults."""
    user_id = read_id(user_id, "user_id")
    user, new = await _users(app).put(user_id, read_model(UserSettings, body, optional=True))
    return json_answer(_user_view(user), 201 if new else 200)


async def show_user(app: App, user_id: str, if_none_match: str | None) -> Answer:
    """A user, with an ETag."""
    return tagged_answer(_user_view(await known_user(app, user_id)), if_none_match)


async def list_users(app: App, params: Mapping[str, str]) -> Answer:
    """One page of users."""
    users, cursor = await _users(app).page(read_limit(params), params.get("cursor") or None)
    return json_answer({"items": [_user_view(user) for user in users], "cursor": cursor}, headers=_NO_STORE)


async def forget_user(app: App, user_id: str) -> Answer:
    """204: the user, their wardrobe, subscriptions, digests and feedback on them are gone. Safe to repeat."""
    user_id = read_id(user_id, "user_id")
    await _users(app).forget(user_id)
    await erase(app.documents, app.blobs, user_id, declarations.of_users())
    return Answer(204)


async def put_owned(app: App, user_id: str, item_id: str, body: bytes) -> Answer:
    """201 for a new piece, 200 for one that was there."""
    item_id = read_id(item_id, "item_id")
    settings = read_model(OwnedSettings, body, optional=True)
    user = await known_user(app, user_id)
    owned, new = await _users(app).own(user.user_id, item_id, settings)
    return json_answer(_owned_view(owned), 201 if new else 200)


async def show_owned(app: App, user_id: str, item_id: str, if_none_match: str | None) -> Answer:
    """A piece of a wardrobe, with an ETag."""
    owned = await _users(app).owned(read_id(user_id, "user_id"), read_id(item_id, "item_id"))
    if owned is None:
        raise Problem(404, "Not found", "there is no such piece in this wardrobe")
    return tagged_answer(_owned_view(owned), if_none_match)


async def list_owned(app: App, user_id: str, params: Mapping[str, str]) -> Answer:
    """One page of a wardrobe."""
    user_id, cursor = read_id(user_id, "user_id"), params.get("cursor")
    cursor = read_id(cursor, "cursor") if cursor else None
    pieces, cursor = await _users(app).wardrobe(user_id, read_limit(params), cursor)
    return json_answer({"items": [_owned_view(piece) for piece in pieces], "cursor": cursor}, headers=_NO_STORE)


async def forget_owned(app: App, user_id: str, item_id: str) -> Answer:
    """204: the piece is not in the wardrobe (any more)."""
    await _users(app).disown(read_id(user_id, "user_id"), read_id(item_id, "item_id"))
    return Answer(204)


async def known_user(app: App, user_id: str) -> User:
    """The user, or a 404 problem."""
    user = await _users(app).get(read_id(user_id, "user_id"))
    if user is None:
        raise Problem(404, "Not found", "there is no such user: PUT /api/users/{user_id} makes one")
    return user


def read_id(text: str, field: str) -> str:
    """A user's or an item's id, or a 422 problem."""
    try:
        return _identifier.validate_python(text)
    except ValueError:
        raise invalid((FieldProblem(field, "must be an id of at most 128 characters"),)) from None


_NO_STORE = {"Cache-Control": "no-store"}


def _users(app: App) -> UserStore:
    return UserStore(app.documents, app.clock)


def _user_view(user: User) -> UserView:
    view: UserView = {**asdict(user)}  # type: ignore[typeddict-item]
    return view


def _owned_view(owned: Owned) -> OwnedView:
    view: OwnedView = {**asdict(owned)}  # type: ignore[typeddict-item]
    return view
