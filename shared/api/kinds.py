"""Kinds over HTTP: what there is, and pausing and resuming it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from shared.api.submission import accepted
from shared.api.views import kind_view
from shared.jobs.pauses import Pause
from shared.web.answers import Answer, json_answer
from shared.web.requests import read_model

if TYPE_CHECKING:
    from shared.api.schemas import KindView
    from shared.app import App


class PauseRequest(BaseModel):
    """The body of a pause; all of it is optional."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, StringConstraints(max_length=500)] | None = None


async def list_kinds(app: App) -> Answer:
    """Every kind, and whether it is paused."""
    paused = await app.engine.pauses.all()
    items = [_view(app, kind.name, paused.get(kind.name, Pause())) for kind in app.engine.deps.kinds]
    return json_answer({"items": items}, headers={"Cache-Control": "no-store"})


async def pause(app: App, kind: str, body: bytes) -> Answer:
    """Let no further attempt of a kind start. Within a few seconds every instance knows; what runs goes on."""
    known = app.engine.deps.kinds[kind]
    wanted = read_model(PauseRequest, body, optional=True)
    state = await app.engine.pauses.set(known.name, paused=True, reason=wanted.reason)
    return json_answer(_view(app, known.name, state))


async def resume(app: App, kind: str) -> Answer:
    """Let a kind go on. Its messages are looked at again within half a minute."""
    known = app.engine.deps.kinds[kind]
    state = await app.engine.pauses.set(known.name, paused=False)
    return json_answer(_view(app, known.name, state))


def _view(app: App, name: str, pause: Pause) -> KindView:
    kinds = app.engine.deps.kinds
    policy = kinds.policy(name)
    return kind_view(kinds[name], policy, kinds.queue(name, policy.priority), accepted(policy), pause)
