"""Pipelines over HTTP: checking, making, changing, executing them; and the catalogue of executors."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from shared.web.answers import Answer, Problem, cached_answer, json_answer, matches, quoted
from shared.web.parameters import LIST
from shared.web.requests import read_limit, read_model
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import INSPECT, OPERATE, READ, REPLAY

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.pipelines.store import PipelineStore, StoredPipeline
    from shared.domains.pipelines.vaults import Vault, VaultStore
    from shared.storage import Versioned

T = TypeVar("T")
_NO_STORE = {"Cache-Control": "no-store"}
_OWN = {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,79}$"}
_NUMBER = {"type": "integer", "minimum": 1}
_EXECUTION = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:~-]{0,299}$"}
_IF_MATCH = Parameter("If-Match", "header", {"type": "string"}, "The ETag of the version that the client means.")
_SAMPLE = "executors:\n  - {id: read, type: content_retriever}\n  - {id: extract, type: pdf_extractor}\n"

api = Api(
    __name__,
    "pipelines",
    Parameter("pipeline_id", "path", _OWN, "The pipeline's id."),
    Parameter("number", "path", _NUMBER, "The version's number."),
    Parameter("vault_id", "path", _OWN, "The vault's id."),
    Parameter("execution_id", "path", _EXECUTION, "The execution's id."),
)


@api.route("ListExecutors", "GET executors", READ, {200: "views:ExecutorList"})
async def list_executors(app: App, call: Call) -> Answer:  # noqa: ARG001 - the catalogue is the code's
    """The executors that pipelines are made of, each with the schema of its settings."""
    from shared.domains.pipelines.schema import catalogue

    return json_answer({"items": catalogue()})


@api.route("GetPipelineSchema", "GET executors/schema", READ, {200: "shared.api.schemas:Document"})
async def get_pipeline_schema(app: App, call: Call) -> Answer:  # noqa: ARG001 - the schema is the code's
    """The JSON schema of pipelines, for editors."""
    from shared.domains.pipelines.schema import file_schema

    return json_answer(file_schema())


@api.route(
    "ValidatePipeline", "POST pipelines/validate", OPERATE, {200: "views:CheckView"}, body="requests:FileToCheck",
    samples=({"text": _SAMPLE},),
)  # fmt: skip
async def validate_pipeline(app: App, call: Call) -> Answer:
    """Check a file: what is wrong, each with its line and column; what is lacking; what is better done otherwise."""
    from shared.domains.pipelines.checking import check
    from shared.domains.pipelines.requests import FileToCheck
    from shared.domains.pipelines.views import check_view

    asked = read_model(FileToCheck, call.body)
    return json_answer(check_view(check(asked.text, app.settings), asked.file))


@api.route("ListPipelines", "GET pipelines", INSPECT, {200: "views:PipelinePage"}, (422,), parameters=LIST)
async def list_pipelines(app: App, call: Call) -> Answer:
    """Pipelines in the order of their ids."""
    from shared.domains.pipelines.store import StoredPipeline
    from shared.domains.pipelines.views import pipeline_summary

    page = await _pipelines(app).page(read_limit(call.query), call.query.get("cursor") or None)
    items = [pipeline_summary(StoredPipeline.model_validate(each)) for each in page.items]
    return json_answer({"items": items, "cursor": page.cursor}, headers=_NO_STORE)


@api.route(
    "CreatePipeline", "POST pipelines", OPERATE, {201: "views:PipelineView"}, (409,), body="requests:NewPipeline",
    headers=("ETag", "Location"), samples=({"name": "Invoices", "text": _SAMPLE},),
)  # fmt: skip
async def create_pipeline(app: App, call: Call) -> Answer:
    """Make a pipeline of a file; 422 says what is wrong with it, line by line."""
    from shared.domains.pipelines import editing
    from shared.domains.pipelines.requests import NewPipeline

    made = await editing.create_pipeline(app, read_model(NewPipeline, call.body))
    return await _shown(app, made, 201, {"Location": f"{call.api_url}/pipelines/{made.value.id}"})


@api.route("GetPipeline", "GET pipelines/{pipeline_id}", INSPECT, {200: "views:PipelineView", 304: None}, (404,))
async def get_pipeline(app: App, call: Call) -> Answer:
    """A pipeline: its file, its executors and edges, and what is lacking."""
    current = await _pipeline(app, call)
    return cached_answer(await _view(app, current.value), current.etag, call.if_none_match)


@api.route(
    "ChangePipeline", "PATCH pipelines/{pipeline_id}", OPERATE, {200: "views:PipelineView"}, (404, 412),
    parameters=(_IF_MATCH,), body="requests:PipelineChanges", headers=("ETag",), samples=({"enabled": False},),
)  # fmt: skip
async def change_pipeline(app: App, call: Call) -> Answer:
    """Change a pipeline. Another file is another version: executions that were begun keep to theirs."""
    from shared.domains.pipelines import editing
    from shared.domains.pipelines.requests import PipelineChanges
    from shared.storage import compare_and_swap

    given = read_model(PipelineChanges, call.body).model_dump(exclude_unset=True, exclude_none=True)

    @compare_and_swap("the pipeline")
    async def change() -> Answer:
        current = await _pipeline(app, call)
        _require_match(current, call)
        return await _shown(app, await editing.change_pipeline(app, current, given))

    return await change()


@api.route(
    "DeletePipeline", "DELETE pipelines/{pipeline_id}", OPERATE, {204: None}, (404, 409, 412), parameters=(_IF_MATCH,)
)  # fmt: skip
async def delete_pipeline(app: App, call: Call) -> Answer:
    """Delete a pipeline; 409 while vaults feed it. Executions that were begun go on."""
    from shared.ports import PreconditionError

    current = await _pipeline(app, call)
    _require_match(current, call)
    fed = [vault.id async for vault in _vaults(app).every(current.value.id)]
    if fed:
        raise Problem(409, "Conflict", f"these vaults feed it: {', '.join(fed[:10])}")
    try:
        await _pipelines(app).delete(current.value.id, current.etag)
    except PreconditionError:
        raise _stale() from None
    return Answer(204)


@api.route("ListPipelineVersions", "GET pipelines/{pipeline_id}/versions", INSPECT, {200: "views:VersionList"}, (404,))
async def list_pipeline_versions(app: App, call: Call) -> Answer:
    """A pipeline's versions, the newest first."""
    found = await _pipelines(app).versions((await _pipeline(app, call)).value.id)
    items = [{"number": each["number"], "created_at": each["created_at"]} for each in found]
    return json_answer({"items": items}, headers=_NO_STORE)


@api.route(
    "GetPipelineVersion", "GET pipelines/{pipeline_id}/versions/{number:int}", INSPECT, {200: "views:VersionView"}, (404,)
)  # fmt: skip
async def get_pipeline_version(app: App, call: Call) -> Answer:
    """A version of a pipeline, with its file."""
    from shared.storage import iso

    text = call.path["number"]
    found = await _pipelines(app).version(call.path["pipeline_id"], int(text)) if len(text) < 10 else None
    if found is None:
        raise Problem(404, "Not found", "there is no such version")
    return json_answer({"number": found.number, "created_at": iso(found.created_at), "text": found.text})


@api.route(
    "ExecutePipeline", "POST pipelines/{pipeline_id}/execute", REPLAY, {202: "views:ExecutionSummary"}, (404, 409),
    body="requests:ExecutionRequest", headers=("Location",), samples=({"items": [{"text": "Sample content"}]},),
)  # fmt: skip
async def execute_pipeline(app: App, call: Call) -> Answer:
    """Begin an execution of a pipeline over some items."""
    from shared.domains.pipelines import starting
    from shared.domains.pipelines.requests import ExecutionRequest

    asked = read_model(ExecutionRequest, call.body)
    view = await starting.execute(app, (await _pipeline(app, call)).value, asked)
    return json_answer(view, 202, {"Location": f"{call.api_url}/executions/{view['id']}"})


@api.route(
    "DryRunPipeline", "POST pipelines/{pipeline_id}/dry-run", REPLAY, {200: "views:DryRunView"}, (404,),
    body="requests:DryRun", samples=({"limit": 3},),
)  # fmt: skip
async def dry_run_pipeline(app: App, call: Call) -> Answer:
    """Run a few items through a pipeline here and now, and show what comes out of each executor. Nothing is written."""
    from shared.domains.pipelines import showing
    from shared.domains.pipelines.requests import DryRun
    from shared.web.requests import validating

    asked = read_model(DryRun, call.body)
    pipeline = (await _pipeline(app, call)).value
    with validating():
        return json_answer(await showing.dry_run(app, pipeline, asked.items, asked.limit), headers=_NO_STORE)


@api.route("ListVaults", "GET vaults", INSPECT, {200: "views:VaultPage"}, (422,), parameters=LIST)
async def list_vaults(app: App, call: Call) -> Answer:
    """Vaults in the order of their ids."""
    from shared.domains.pipelines.vaults import Vault
    from shared.domains.pipelines.views import vault_view

    page = await _vaults(app).page(read_limit(call.query), call.query.get("cursor") or None)
    items = [vault_view(Vault.model_validate(each)) for each in page.items]
    return json_answer({"items": items, "cursor": page.cursor}, headers=_NO_STORE)


@api.route(
    "CreateVault", "POST vaults", OPERATE, {201: "views:VaultView"}, (409,), body="requests:NewVault",
    headers=("ETag", "Location"), samples=({"name": "Invoices", "pipeline_id": "invoices"},),
)  # fmt: skip
async def create_vault(app: App, call: Call) -> Answer:
    """Feed a pipeline from its source; it is looked at at once."""
    from shared.domains.pipelines import editing
    from shared.domains.pipelines.requests import NewVault
    from shared.domains.pipelines.views import vault_view

    made = await editing.create_vault(app, read_model(NewVault, call.body))
    headers = {"ETag": quoted(made.etag), "Location": f"{call.api_url}/vaults/{made.value.id}"}
    return json_answer(vault_view(made.value), 201, headers)


@api.route("GetVault", "GET vaults/{vault_id}", INSPECT, {200: "views:VaultView", 304: None}, (404,))
async def get_vault(app: App, call: Call) -> Answer:
    """A vault."""
    from shared.domains.pipelines.views import vault_view

    current = await _vault(app, call)
    return cached_answer(vault_view(current.value), current.etag, call.if_none_match)


@api.route(
    "ChangeVault", "PATCH vaults/{vault_id}", OPERATE, {200: "views:VaultView"}, (404, 409, 412),
    parameters=(_IF_MATCH,), body="requests:VaultChanges", headers=("ETag",),
    samples=({"input": {"polling_interval_seconds": 60}},),
)  # fmt: skip
async def change_vault(app: App, call: Call) -> Answer:
    """Change a vault, or switch it on or off; it is looked at at once, and from then on as it is now."""
    from shared.domains.pipelines import editing
    from shared.domains.pipelines.requests import VaultChanges
    from shared.domains.pipelines.views import vault_view
    from shared.storage import compare_and_swap

    given = read_model(VaultChanges, call.body).model_dump(exclude_unset=True, exclude_none=True)

    @compare_and_swap("the vault")
    async def change() -> Answer:
        current = await _vault(app, call)
        _require_match(current, call)
        changed = await editing.change_vault(app, current, given)
        return json_answer(vault_view(changed.value), headers={"ETag": quoted(changed.etag)})

    return await change()


@api.route("DeleteVault", "DELETE vaults/{vault_id}", OPERATE, {204: None}, (404, 412), parameters=(_IF_MATCH,))
async def delete_vault(app: App, call: Call) -> Answer:
    """Delete a vault: its source is looked at no more. Its executions stay."""
    from shared.ports import PreconditionError

    current = await _vault(app, call)
    _require_match(current, call)
    try:
        await _vaults(app).delete(current.value.id, current.etag)
    except PreconditionError:
        raise _stale() from None
    await _vaults(app).forget(current.value.id)
    return Answer(204)


@api.route("CrawlVault", "POST vaults/{vault_id}/crawl", OPERATE, {202: "views:CrawlView"}, (404, 409))
async def crawl_vault(app: App, call: Call) -> Answer:
    """Look for new content now."""
    from shared.domains.pipelines.crawling import reschedule

    current = await _vault(app, call)
    if not current.value.enabled:
        raise Problem(409, "Conflict", "the vault is switched off")
    begun = await reschedule(app.engine.submit, _vaults(app), [current.value.id], app.clock.now())
    return json_answer({"job_id": begun[0] if begun else None}, 202)


@api.route(
    "GetVaultCheckpoints", "GET vaults/{vault_id}/checkpoints", INSPECT, {200: "views:CheckpointView"}, (404, 409)
)
async def get_vault_checkpoints(app: App, call: Call) -> Answer:
    """How far the look for content has come; 409 where the checkpoint cannot be read."""
    from shared.domains.pipelines.vaults import Checkpoint
    from shared.domains.pipelines.views import checkpoint_view
    from shared.jobs import FinalError

    vault = await _vault(app, call)
    try:
        found = await _vaults(app).checkpoint(vault.value.id)
    except FinalError as error:
        raise Problem(409, "Conflict", str(error)) from None
    return json_answer(checkpoint_view(found.value if found else Checkpoint()), headers=_NO_STORE)


@api.route("DeleteVaultCheckpoints", "DELETE vaults/{vault_id}/checkpoints", OPERATE, {204: None}, (404,))
async def delete_vault_checkpoints(app: App, call: Call) -> Answer:
    """Have everything looked at anew. What was executed already, and is remembered, is not executed again."""
    from shared.domains.pipelines.crawling import reschedule

    vault = await _vault(app, call)
    await _vaults(app).forget(vault.value.id)
    await reschedule(app.engine.submit, _vaults(app), [vault.value.id], app.clock.now())
    return Answer(204)


@api.route(
    "ListVaultExecutions", "GET vaults/{vault_id}/executions", INSPECT, {200: "views:ExecutionPage"}, (404, 422), parameters=LIST
)  # fmt: skip
async def list_vault_executions(app: App, call: Call) -> Answer:
    """A vault's executions, the newest first."""
    vault = await _vault(app, call)
    return await _executions(app, call, vault_id=vault.value.id)


@api.route(
    "ListExecutions", "GET executions", INSPECT, {200: "views:ExecutionPage"}, (422,),
    parameters=(Parameter("pipeline_id", "query", _OWN, "Only of this pipeline."), *LIST),
)  # fmt: skip
async def list_executions(app: App, call: Call) -> Answer:
    """Executions, the newest first."""
    return await _executions(app, call, pipeline_id=call.query.get("pipeline_id") or None)


@api.route("GetExecution", "GET executions/{execution_id}", INSPECT, {200: "views:ExecutionView"}, (404,))
async def get_execution(app: App, call: Call) -> Answer:
    """An execution: how each executor of its pipeline fares, and how many items came out of it."""
    from shared.domains.pipelines import showing, starting

    return json_answer(await showing.execution_view(app, await starting.known(app, call)), headers=_NO_STORE)


@api.route(
    "GetExecutionItems", "GET executions/{execution_id}/items", INSPECT, {200: "views:ItemPage"}, (404, 422),
    parameters=(Parameter("executor", "query", {"type": "string"}, "Those that came out of it; unset: those that went in."), *LIST),
)  # fmt: skip
async def get_execution_items(app: App, call: Call) -> Answer:
    """The content items of an execution; `cursor` is the number of the first."""
    from shared.domains.pipelines import showing, starting
    from shared.web.requests import unfit

    limit, cursor = read_limit(call.query), call.query.get("cursor") or "0"
    if not cursor.isdecimal() or len(cursor) > 9:
        raise unfit("cursor", "must be the number of an item")
    executor = call.query.get("executor") or None
    items = await showing.items_of(app, await starting.known(app, call), executor)
    shown = [item.model_dump(mode="json") for item in items[int(cursor) : int(cursor) + limit]]
    return json_answer({"executor": executor, "total": len(items), "items": shown}, headers=_NO_STORE)


@api.route(
    "CancelExecution", "POST executions/{execution_id}/cancel", OPERATE, {202: "views:ExecutionSummary"}, (404, 409)
)  # fmt: skip
async def cancel_execution(app: App, call: Call) -> Answer:
    """Cancel an execution, with all that it has under way."""
    from shared.domains.pipelines import starting

    return json_answer(await starting.cancel(app, await starting.known(app, call), call.caller), 202)


@api.route(
    "RetryExecution", "POST executions/{execution_id}/retry", OPERATE, {202: "views:ExecutionSummary"}, (404, 409),
    body="requests:Retry", optional=True, headers=("Location",), samples=({"definition": "fixed"},),
)  # fmt: skip
async def retry_execution(app: App, call: Call) -> Answer:
    """Retry an execution: from the executor that failed, or, by the present version or of one item, as an execution of its own."""
    from shared.domains.pipelines import starting
    from shared.domains.pipelines.requests import Retry

    asked = read_model(Retry, call.body, optional=True)
    view = await starting.retry(app, await starting.known(app, call), asked, call.caller)
    return json_answer(view, 202, {"Location": f"{call.api_url}/executions/{view['id']}"})


def _pipelines(app: App) -> PipelineStore:
    from shared.domains.pipelines.store import PipelineStore

    return PipelineStore(app.documents, app.settings)


def _vaults(app: App) -> VaultStore:
    from shared.domains.pipelines.vaults import VaultStore

    return VaultStore(app.documents, app.settings)


async def _pipeline(app: App, call: Call) -> Versioned[StoredPipeline]:
    return _there(await _pipelines(app).get(_own_id(call.path["pipeline_id"])), "pipeline")


async def _vault(app: App, call: Call) -> Versioned[Vault]:
    return _there(await _vaults(app).get(_own_id(call.path["vault_id"])), "vault")


def _there(found: T | None, what: str) -> T:
    if found is None:
        raise Problem(404, "Not found", f"there is no such {what}")
    return found


def _own_id(text: str) -> str:
    import re

    if not re.fullmatch(_OWN["pattern"], text):
        raise Problem(404, "Not found", "no id looks like that")
    return text


async def _executions(app: App, call: Call, **where: str | None) -> Answer:
    from shared.domains.pipelines import showing

    page = await showing.executions_of(app).page(read_limit(call.query), call.query.get("cursor") or None, **where)
    return json_answer({"items": await showing.summaries(app, page.items), "cursor": page.cursor}, headers=_NO_STORE)


async def _view(app: App, pipeline: StoredPipeline) -> object:
    from shared.domains.pipelines.checking import check
    from shared.domains.pipelines.views import pipeline_view

    definition = await _pipelines(app).definition(pipeline.id, pipeline.version, pipeline.definition)
    return pipeline_view(pipeline, definition.pipeline, check(pipeline.text, app.settings).lacks)


async def _shown(
    app: App, current: Versioned[StoredPipeline], status: int = 200, headers: dict[str, str] | None = None
) -> Answer:
    return json_answer(await _view(app, current.value), status, {**(headers or {}), "ETag": quoted(current.etag)})


def _require_match(current: Versioned[StoredPipeline] | Versioned[Vault], call: Call) -> None:
    asked = call.headers.get("if-match")
    if asked and not matches(asked, quoted(current.etag)):
        raise _stale()


def _stale() -> Problem:
    return Problem(412, "Precondition failed", "it was changed meanwhile")
