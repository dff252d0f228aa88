"""Kinds over HTTP: what there is, and pausing and resuming it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.web.answers import Answer, json_answer
from shared.web.parameters import WORD
from shared.web.requests import read_model
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import OPERATE, READ

if TYPE_CHECKING:
    from shared.api.schemas import KindView
    from shared.app import App
    from shared.jobs.pauses import Pause

api = Api(__name__, "kinds", Parameter("kind", "path", WORD, "The kind's name."))


@api.route("ListKinds", "GET kinds", READ, {200: "schemas:KindList"})
async def list_kinds(app: App, call: Call) -> Answer:
    """Every kind of job, and whether it is paused."""
    from shared.jobs.pauses import Pause

    del call
    paused = await app.engine.pauses.all()
    items = [_view(app, kind.name, paused.get(kind.name, Pause())) for kind in app.engine.deps.kinds]
    return json_answer({"items": items}, headers={"Cache-Control": "no-store"})


@api.route(
    "PauseKind",
    "POST kinds/{kind}/pause",
    OPERATE,
    {200: "schemas:KindView"},
    (404,),
    body="bodies:PauseRequest",
    optional=True,
)
async def pause_kind(app: App, call: Call) -> Answer:
    """Let no further attempt of a kind start. Within a few seconds every instance knows; what runs goes on."""
    from shared.api.bodies import PauseRequest

    known = app.engine.deps.kinds[call.path["kind"]]
    wanted = read_model(PauseRequest, call.body, optional=True)
    state = await app.engine.pauses.set(known.name, paused=True, reason=wanted.reason)
    return json_answer(_view(app, known.name, state))


@api.route("ResumeKind", "POST kinds/{kind}/resume", OPERATE, {200: "schemas:KindView"}, (404,))
async def resume_kind(app: App, call: Call) -> Answer:
    """Let a paused kind go on. The jobs that waited start within seconds; of very many, the later ones with the next sweeps."""
    known = app.engine.deps.kinds[call.path["kind"]]
    state = await app.engine.resume(known.name)
    return json_answer(_view(app, known.name, state))


def _view(app: App, name: str, pause: Pause) -> KindView:
    from shared.api.submission import accepted
    from shared.api.views import kind_view

    kinds = app.engine.deps.kinds
    policy = kinds.policy(name)
    return kind_view(kinds[name], policy, kinds.queue(name, policy.priority), accepted(policy), pause)
