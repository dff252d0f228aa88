"""Users and their wardrobe over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.parameters import ID, USER, pages
from shared.web.requests import read_id, read_limit, read_model
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import READ, WRITE

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.users.model import User
    from shared.domains.users.store import UserStore

_NO_STORE = {"Cache-Control": "no-store"}

api = Api(__name__, "users", USER, Parameter("item_id", "path", ID, "The item's id."))


@api.route("ListUsers", "GET users", READ, {200: "views:UserPage"}, (422,), parameters=pages(ID["pattern"]))
async def list_users(app: App, call: Call) -> Answer:
    """Users in the order of their ids."""
    from shared.domains.users.views import user_view

    users, cursor = await _users(app).page(read_limit(call.query), call.query.get("cursor") or None)
    return json_answer({"items": [user_view(user) for user in users], "cursor": cursor}, headers=_NO_STORE)


@api.route(
    "PutUser", "PUT users/{user_id}", WRITE, {200: "views:UserView", 201: "views:UserView"},
    body="model:UserSettings", optional=True, samples=({"name": "Ann", "digest": True, "time_zone": "Europe/Berlin"},),
)  # fmt: skip
async def put_user(app: App, call: Call) -> Answer:
    """Make a user (201), or change one: the settings given stand, all others are at their defaults."""
    from shared.domains.users.model import UserSettings
    from shared.domains.users.views import user_view

    user_id = read_id(call.path["user_id"], "user_id")
    user, new = await _users(app).put(user_id, read_model(UserSettings, call.body, optional=True))
    return json_answer(user_view(user), 201 if new else 200)


@api.route("GetUser", "GET users/{user_id}", READ, {200: "views:UserView", 304: None}, (404, 422))
async def get_user(app: App, call: Call) -> Answer:
    """A user."""
    from shared.domains.users.views import user_view

    return tagged_answer(user_view(await known_user(app, call.path["user_id"])), call.if_none_match)


@api.route("DeleteUser", "DELETE users/{user_id}", WRITE, {204: None}, (422,))
async def delete_user(app: App, call: Call) -> Answer:
    """Forget a user, with wardrobe, subscriptions, digests and feedback on them. Safe to repeat."""
    from shared import declarations
    from shared.domains.users.containers import USERS
    from shared.domains.users.erasure import erase

    user_id = read_id(call.path["user_id"], "user_id")
    await _users(app).forget(user_id)
    await erase(app.documents, app.blobs, user_id, (each for each in declarations.of_users() if each != USERS))
    return Answer(204)


@api.route(
    "ListWardrobe",
    "GET users/{user_id}/wardrobe",
    READ,
    {200: "views:WardrobePage"},
    (422,),
    parameters=pages(ID["pattern"]),
)
async def list_wardrobe(app: App, call: Call) -> Answer:
    """What a user owns, in the order of the ids."""
    from shared.domains.users.views import owned_view

    user_id, cursor = read_id(call.path["user_id"], "user_id"), call.query.get("cursor")
    cursor = read_id(cursor, "cursor") if cursor else None
    pieces, cursor = await _users(app).wardrobe(user_id, read_limit(call.query), cursor)
    return json_answer({"items": [owned_view(piece) for piece in pieces], "cursor": cursor}, headers=_NO_STORE)


@api.route(
    "PutWardrobeItem", "PUT users/{user_id}/wardrobe/{item_id}", WRITE, {200: "views:OwnedView", 201: "views:OwnedView"}, (404,),
    body="model:OwnedSettings", optional=True, samples=({"title": "Navy wool blazer", "category": "blazer", "colours": ["navy"]},),
)  # fmt: skip
async def put_wardrobe_item(app: App, call: Call) -> Answer:
    """Put a piece into a wardrobe (201 for a new one)."""
    from shared.domains.users.model import OwnedSettings
    from shared.domains.users.views import owned_view

    item_id = read_id(call.path["item_id"], "item_id")
    settings = read_model(OwnedSettings, call.body, optional=True)
    user = await known_user(app, call.path["user_id"])
    owned, new = await _users(app).own(user.user_id, item_id, settings)
    return json_answer(owned_view(owned), 201 if new else 200)


@api.route(
    "GetWardrobeItem", "GET users/{user_id}/wardrobe/{item_id}", READ, {200: "views:OwnedView", 304: None}, (404, 422)
)  # fmt: skip
async def get_wardrobe_item(app: App, call: Call) -> Answer:
    """A piece of a wardrobe."""
    from shared.domains.users.views import owned_view

    owned = await _users(app).owned(*_piece(call))
    if owned is None:
        raise Problem(404, "Not found", "there is no such piece in this wardrobe")
    return tagged_answer(owned_view(owned), call.if_none_match)


@api.route("DeleteWardrobeItem", "DELETE users/{user_id}/wardrobe/{item_id}", WRITE, {204: None}, (422,))
async def delete_wardrobe_item(app: App, call: Call) -> Answer:
    """Take a piece out of a wardrobe, if it is there."""
    await _users(app).disown(*_piece(call))
    return Answer(204)


async def known_user(app: App, user_id: str) -> User:
    """The user, or a 404 problem."""
    user = await _users(app).get(read_id(user_id, "user_id"))
    if user is None:
        raise Problem(404, "Not found", "there is no such user: PUT /api/users/{user_id} makes one")
    return user


def _piece(call: Call) -> tuple[str, str]:
    return read_id(call.path["user_id"], "user_id"), read_id(call.path["item_id"], "item_id")


def _users(app: App) -> UserStore:
    from shared.domains.users.store import UserStore

    return UserStore(app.documents, app.clock)
