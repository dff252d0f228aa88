"""Users and their wardrobe over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import endpoint

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_USER = "users/{user_id}"
_WARDROBE = f"{_USER}/wardrobe"
_PIECE = f"{_WARDROBE}/{{item_id}}"


@bp.function_name("ListUsers")
@bp.route("users", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_users(req: func.HttpRequest) -> Answer:
    """Users in the order of their ids."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.list_users(app(), req.params)


@bp.function_name("PutUser")
@bp.route(_USER, methods=["PUT"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def put_user(req: func.HttpRequest) -> Answer:
    """Make a user, or change one."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.put_user(app(), req.route_params["user_id"], req.get_body())


@bp.function_name("GetUser")
@bp.route(_USER, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_user(req: func.HttpRequest) -> Answer:
    """A user."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.show_user(app(), req.route_params["user_id"], req.headers.get("if-none-match"))


@bp.function_name("DeleteUser")
@bp.route(_USER, methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def delete_user(req: func.HttpRequest) -> Answer:
    """Forget a user, with wardrobe, subscriptions and digests."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.forget_user(app(), req.route_params["user_id"])


@bp.function_name("ListWardrobe")
@bp.route(_WARDROBE, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_wardrobe(req: func.HttpRequest) -> Answer:
    """What a user owns."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.list_owned(app(), req.route_params["user_id"], req.params)


@bp.function_name("PutWardrobeItem")
@bp.route(_PIECE, methods=["PUT"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def put_wardrobe_item(req: func.HttpRequest) -> Answer:
    """Put a piece into a wardrobe."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.put_owned(app(), req.route_params["user_id"], req.route_params["item_id"], req.get_body())


@bp.function_name("GetWardrobeItem")
@bp.route(_PIECE, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_wardrobe_item(req: func.HttpRequest) -> Answer:
    """A piece of a wardrobe."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    match = req.headers.get("if-none-match")
    return await users.show_owned(app(), req.route_params["user_id"], req.route_params["item_id"], match)


@bp.function_name("DeleteWardrobeItem")
@bp.route(_PIECE, methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def delete_wardrobe_item(req: func.HttpRequest) -> Answer:
    """Take a piece out of a wardrobe."""
    from shared.bootstrap import app
    from shared.domains.users import api as users

    return await users.forget_owned(app(), req.route_params["user_id"], req.route_params["item_id"])
