"""The content collection's own route: one POST that hands out a ticket, or with `action: status` answers for one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from shared.web.answers import Answer, json_answer, quoted
from shared.web.requests import read_json, read_uuid, validating
from shared.web.routes import TICKET, Api, Call
from shared.web.rules import SUBMIT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.app import App
    from shared.domains.collect.views import CollectionView

KIND = "collect-content"

api = Api(__name__, "collection")


@api.route(
    "SummaryWomble", "POST summarywomble", SUBMIT, {200: "views:CollectionView", 202: "views:StartedView"}, (404,), body="views:Body",
    headers=TICKET, samples=({"source": "reddit", "topics": ["technology", "programming"], "limit": 10},),
)  # fmt: skip
async def summary_womble(app: App, call: Call) -> Answer:
    """Start a collection (202), or with `action: status` tell how one stands (200)."""
    from shared.domains.collect.views import CHAIN, CollectRequest, StatusRequest

    content = read_json(call.body)
    if content.get("action", "start") != "start":
        with validating():
            asked = StatusRequest.model_validate(content)
        return json_answer(await status(app, asked.job_id), headers={"Cache-Control": "no-cache"})
    with validating():
        wanted = CollectRequest.model_validate(content)
    kind = CHAIN if wanted.then else KIND
    return await _started(app, call, kind, wanted.model_dump(exclude={"action", "then"}))


async def status(app: App, job_id: str) -> CollectionView:
    """How a job stands; the reply of the route, as a value."""
    from shared.domains.collect.views import CHAIN, COLLECT, collection_view

    job = (await app.engine.get(read_uuid(job_id, "job_id"))).value
    if job.kind != CHAIN or not job.status.final:
        return collection_view(job)
    from shared.workflows import result_of

    return collection_view(job, await result_of(app.blobs, job.job_id, COLLECT))


async def collect_hot_topics(app: App, *, past_due: bool) -> None:
    """Run the timer of hot topics; then look at its job once, as a client of the route does."""
    from shared.domains.collect import hot_topics
    from shared.domains.collect.timers import HOT_TOPICS

    async def submit() -> Mapping[str, Any] | None:
        occurrence = await app.ledger.tick(HOT_TOPICS.name, past_due=past_due)
        return {"job_id": occurrence.job_id, "status": occurrence.state} if occurrence else None

    await hot_topics.collect_hot_topics(app.settings, app.clock, submit, partial(status, app))


async def _started(app: App, call: Call, kind: str, payload: dict[str, Any]) -> Answer:
    from shared.domains.collect.payload import CollectJob
    from shared.domains.collect.views import started_view

    ticket = await app.engine.submit(kind, CollectJob(**payload), trace=call.trace)
    headers = {
        "Location": f"{call.api_url}/jobs/{ticket.job.job_id}",
        "Retry-After": str(app.settings.retry_after_seconds),
        "ETag": quoted(ticket.etag),
    }
    return json_answer(started_view(ticket.job, call.api_url), 202, headers)
