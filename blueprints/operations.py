"""Operations: dead letters and their replay, the sweeps and the purge, and whether the app is alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import api_url, endpoint
from shared.declarations import settings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()


@bp.function_name("ListDeadLetters")
@bp.route("dead-letters", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_dead_letters(req: func.HttpRequest) -> Answer:
    """Dead letters, newest first, filtered and paged."""
    from shared.api.dead_letters import list_letters
    from shared.bootstrap import app

    return await list_letters(app(), req.params)


@bp.function_name("GetDeadLetter")
@bp.route("dead-letters/{letter_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_dead_letter(req: func.HttpRequest) -> Answer:
    """One dead letter, whole."""
    from shared.api.dead_letters import show_letter
    from shared.bootstrap import app

    return await show_letter(app(), req.route_params["letter_id"])


@bp.function_name("ReplayDeadLetter")
@bp.route("dead-letters/{letter_id}/replay", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def replay_dead_letter(req: func.HttpRequest) -> Answer:
    """Put one dead letter back, with an edited payload if one is given."""
    from shared.api.dead_letters import replay_one
    from shared.bootstrap import app

    return await replay_one(app(), req.route_params["letter_id"], req.get_body())


@bp.function_name("DiscardDeadLetter")
@bp.route("dead-letters/{letter_id}/discard", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def discard_dead_letter(req: func.HttpRequest) -> Answer:
    """Set one dead letter aside, so that it and its job may expire."""
    from shared.api.dead_letters import discard
    from shared.bootstrap import app

    return await discard(app(), req.route_params["letter_id"], req.get_body())


@bp.function_name("ReplayDeadLetters")
@bp.route("dead-letters/replay", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def replay_dead_letters(req: func.HttpRequest) -> Answer:
    """Put every dead letter back that a filter names."""
    from shared.api.dead_letters import replay_some
    from shared.bootstrap import app

    return await replay_some(app(), req.get_body())


@bp.function_name("ListKinds")
@bp.route("kinds", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_kinds(req: func.HttpRequest) -> Answer:
    """Every kind of job, and whether it is paused."""
    from shared.api.kinds import list_kinds
    from shared.bootstrap import app

    del req
    return await list_kinds(app())


@bp.function_name("PauseKind")
@bp.route("kinds/{kind}/pause", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def pause_kind(req: func.HttpRequest) -> Answer:
    """Let no further attempt of a kind start."""
    from shared.api.kinds import pause
    from shared.bootstrap import app

    return await pause(app(), req.route_params["kind"], req.get_body())


@bp.function_name("ResumeKind")
@bp.route("kinds/{kind}/resume", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def resume_kind(req: func.HttpRequest) -> Answer:
    """Let a paused kind go on."""
    from shared.api.kinds import resume
    from shared.bootstrap import app

    return await resume(app(), req.route_params["kind"])


@bp.function_name("GetOpenApi")
@bp.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
async def get_openapi(req: func.HttpRequest) -> Answer:
    """The OpenAPI document of this API."""
    from shared.bootstrap import app
    from shared.web.openapi import show

    return show(app(), api_url(req, "openapi.json"), req.headers)


@bp.function_name("SweepRecentJobs")
@bp.timer_trigger("timer", settings().sweep_schedule)
async def sweep_recent_jobs(timer: func.TimerRequest) -> None:
    """Look for what fell between two writes, through every job where a look was missed; account for timers; alarms.

    One timer for all three: each costs storage transactions for its lock, whether or not it has anything to do.
    """
    from shared.bootstrap import app

    try:
        await app().engine.sweep(full=timer.past_due)
    finally:
        try:
            await app().ledger.account()
        finally:
            await app().monitor.round()


@bp.function_name("SweepAllJobs")
@bp.timer_trigger("timer", settings().full_sweep_schedule)
async def sweep_all_jobs(timer: func.TimerRequest) -> None:
    """Look through every job."""
    from shared.bootstrap import app

    del timer
    await app().engine.sweep(full=True)


@bp.function_name("PurgeExpired")
@bp.timer_trigger("timer", settings().retention_schedule)
async def purge_expired(timer: func.TimerRequest) -> None:
    """Delete what has expired."""
    from shared import declarations
    from shared.bootstrap import app

    del timer
    await app().engine.purge(declarations.artifacts())
