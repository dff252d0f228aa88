"""Operations on users and their wardrobe."""

from __future__ import annotations

from pydantic import TypeAdapter

from shared.domains.users.api import OwnedView, UserPage, UserView, WardrobePage
from shared.domains.users.model import Identifier, OwnedSettings, UserSettings
from shared.web.operations.model import ETAG, PAGE, USER, Operation, Parameter

_PIECE = Parameter("item_id", "path", TypeAdapter(Identifier).json_schema(), "The item's id.")
_LIST = PAGE[2:]
_WARDROBE = "users/{user_id}/wardrobe"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ListUsers", "get", "users", "Users in the order of their ids", "users", {200: UserPage}, (422, 503), _LIST
    ),
    Operation(
        "PutUser", "put", "users/{user_id}", "Make a user, or change one", "users",
        {200: UserView, 201: UserView}, (400, 413, 422, 503), (USER,), body=UserSettings, body_required=False,
        samples=({"name": "Ann", "digest": True, "time_zone": "Europe/Berlin"},),
    ),
    Operation(
        "GetUser", "get", "users/{user_id}", "A user", "users",
        {200: UserView, 304: None}, (404, 422, 503), (USER, ETAG), headers=("ETag",),
    ),
    Operation(
        "DeleteUser", "delete", "users/{user_id}", "Forget a user, with wardrobe, subscriptions and digests", "users",
        {204: None}, (422, 503), (USER,),
    ),
    Operation(
        "ListWardrobe", "get", _WARDROBE, "What a user owns", "users", {200: WardrobePage}, (422, 503), (USER, *_LIST)
    ),
    Operation(
        "PutWardrobeItem", "put", f"{_WARDROBE}/{{item_id}}", "Put a piece into a wardrobe", "users",
        {200: OwnedView, 201: OwnedView}, (400, 404, 413, 422, 503), (USER, _PIECE), body=OwnedSettings, body_required=False,
        samples=({"title": "Navy wool blazer", "category": "blazer", "colours": ["navy"]},),
    ),
    Operation(
        "GetWardrobeItem", "get", f"{_WARDROBE}/{{item_id}}", "A piece of a wardrobe", "users",
        {200: OwnedView, 304: None}, (404, 422, 503), (USER, _PIECE, ETAG), headers=("ETag",),
    ),
    Operation(
        "DeleteWardrobeItem", "delete", f"{_WARDROBE}/{{item_id}}", "Take a piece out of a wardrobe", "users",
        {204: None}, (422, 503), (USER, _PIECE),
    ),
)  # fmt: skip
