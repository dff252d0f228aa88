"""Workflows over HTTP: what there is, starting one, a run's graph, its events, and going on with a newer definition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, json_answer
from shared.web.parameters import PREFER, UUID, WORD
from shared.web.requests import read_choice, read_model, read_uuid
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import OPERATE, READ, SUBMIT

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.model import Job
    from shared.workflows.conductor import Conductor

_NO_STORE = {"Cache-Control": "no-store"}
_MERMAID = "text/vnd.mermaid"
_EVENT = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"}

api = Api(
    __name__,
    "workflows",
    Parameter("job_id", "path", UUID, "The run's id."),
    Parameter("kind", "path", WORD, "The workflow's name."),
    Parameter("event", "path", _EVENT, "The event's name."),
)
_FORMAT = Parameter(
    "format", "query", {"type": "string", "enum": ["json", "mermaid"]},
    "`mermaid`: as a Mermaid flowchart; so does `Accept: text/vnd.mermaid`.",
)  # fmt: skip


@api.route("ListWorkflows", "GET workflows", READ, {200: "workflow_views:WorkflowList"})
async def list_workflows(app: App, call: Call) -> Answer:
    """Every workflow, with its steps."""
    from shared.api.workflow_views import workflow_view
    from shared.workflows.kind import Workflow

    del call
    kinds = app.engine.deps.kinds
    items = [workflow_view(kind, kinds.policy(kind.name)) for kind in kinds if isinstance(kind, Workflow)]
    return json_answer({"items": items}, headers=_NO_STORE)


@api.route(
    "StartWorkflow", "POST workflows/{kind}", SUBMIT, {200: "schemas:JobView", 202: "schemas:TicketView"}, (404, 409),
    parameters=(PREFER,), body="submission:Submission", headers=(*TICKET, "Preference-Applied"),
    samples=({"payload": {"topics": ["tea"]}},),
)  # fmt: skip
async def start_workflow(app: App, call: Call) -> Answer:
    """Start a run of a workflow: its ticket (202), or the job (200) where the client waits and it ends in time."""
    from shared.api import submission
    from shared.workflows.kind import Workflow

    name, kinds = call.path["kind"], app.engine.deps.kinds
    if name not in kinds or not isinstance(kinds[name], Workflow):
        raise Problem(404, "Not found", f"no workflow is called {name!r}")
    return await submission.submit(app, call)


@api.route(
    "GetJobGraph", "GET jobs/{job_id}/graph", READ, {200: "workflow_views:GraphView"}, (400, 404, 422),
    parameters=(_FORMAT,),
)  # fmt: skip
async def get_job_graph(app: App, call: Call) -> Answer:
    """The steps of a run, what has become of each and what it waits for; as JSON, or as a Mermaid diagram."""
    from shared.workflows.looking import data_of, look_at, mermaid

    wanted = read_choice(call.query, "format", ("json", "mermaid"))
    look = await look_at(app.engine.deps, await _run(app, call))
    if wanted == "mermaid" or (wanted is None and _MERMAID in call.headers.get("accept", "")):
        return Answer(200, mermaid(look).encode(), _NO_STORE, f"{_MERMAID}; charset=utf-8")
    return json_answer(data_of(look), headers=_NO_STORE)


@api.route(
    "SendEvent", "POST jobs/{job_id}/events/{event}", SUBMIT, {202: "workflow_views:EventView"}, (400, 404, 409),
    body="workflow_views:EventBody", optional=True, samples=({"content": {"granted": True}},),
)  # fmt: skip
async def send_event(app: App, call: Call) -> Answer:
    """Tell a run of an event. It is kept, whether the run waits for it yet or not; of several of one name the first counts."""
    from shared.api.workflow_views import EventBody

    content = read_model(EventBody, call.body, optional=True).content
    run, name = await _run(app, call), call.path["event"]
    event, first = await _conductor(app, run).come(run, name, content)
    return json_answer({"job_id": event.job_id, "run_id": run.job_id, "event": name, "first": first}, 202, _NO_STORE)


@api.route(
    "RenewRun", "POST jobs/{job_id}/renew", OPERATE, {202: "schemas:TicketView"}, (400, 404, 409), headers=TICKET
)
async def renew_run(app: App, call: Call) -> Answer:
    """Have a failed run go on with the newest definition of its workflow; 409 where what it completed is not the same there."""
    from shared.api.views import ticket_answer
    from shared.jobs.ticket import Ticket
    from shared.workflows.errors import DefinitionChangedError

    run = await _run(app, call)
    try:
        await _conductor(app, run).renew(run)
    except DefinitionChangedError as error:
        raise Problem(409, "Conflict", str(error)) from None
    current = await app.engine.get(run.job_id)
    return await ticket_answer(app, Ticket(current.value, current.etag), call.api_url)


async def _run(app: App, call: Call) -> Job:
    from shared.workflows.kind import Workflow
    from shared.workflows.looking import NoRunError

    job = (await app.engine.get(read_uuid(call.path["job_id"], "job_id"))).value
    kinds = app.engine.deps.kinds
    if job.kind not in kinds or not isinstance(kinds[job.kind], Workflow):
        raise NoRunError(f"job {job.job_id} is no run of a workflow")
    return job


def _conductor(app: App, run: Job) -> Conductor:
    from shared.workflows.conductor import Conductor

    conductor = app.engine.children.parent(run.kind)
    assert isinstance(conductor, Conductor)  # noqa: S101 - of every workflow
    return conductor
