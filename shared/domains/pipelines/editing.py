"""What operators make of pipelines and vaults: checked before it is kept, and in effect at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.checking import check
from shared.domains.pipelines.crawling import reschedule, source_of
from shared.domains.pipelines.definition import Definition
from shared.domains.pipelines.store import PipelineStore, StoredPipeline
from shared.domains.pipelines.vaults import Vault, VaultStore
from shared.folding import words
from shared.jobs import FinalError
from shared.jobs.errors import FieldProblem
from shared.ports import AlreadyExistsError, PreconditionError
from shared.web.answers import Problem
from shared.web.requests import invalid

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.pipelines.requests import NewPipeline, NewVault
    from shared.storage import Versioned


def checked_definition(app: App, text: str, main: str | None) -> Definition:
    """The definition that a file holds.

    Raises:
        Problem: 422, with what is wrong, each with its line and column.
    """
    checked = check(text, app.settings)
    if checked.errors:
        raise invalid(tuple(FieldProblem("text", each.line("text")) for each in checked.errors))
    if main is not None and main not in checked.pipelines:
        raise invalid((FieldProblem("pipeline", f"the file has no such pipeline; it has {', '.join(checked.main)}"),))
    if main is None and not checked.main:
        raise invalid((FieldProblem("text", "there are only subworkflows in it: say which is run"),))
    return checked.definition(main)


async def create_pipeline(app: App, asked: NewPipeline) -> Versioned[StoredPipeline]:
    """Make a pipeline.

    Raises:
        Problem: 422, the file is not valid; 409, there is one of this id.
    """
    definition = checked_definition(app, asked.text, asked.pipeline)
    now = app.clock.now()
    name = asked.name or definition.main
    made = StoredPipeline(
        id=asked.id or _slug(name), name=name, text=asked.text, main=definition.main, enabled=asked.enabled,
        description=definition.pipeline.description if asked.description is None else asked.description,
        version=1, definition=definition.hash, created_at=now, updated_at=now, **_input(definition),
    )  # fmt: skip
    try:
        return await PipelineStore(app.documents, app.settings).save(made, definition, None)
    except AlreadyExistsError:
        raise Problem(409, "Conflict", f"there is a pipeline {made.id!r} already") from None


async def change_pipeline(
    app: App, current: Versioned[StoredPipeline], given: Mapping[str, Any]
) -> Versioned[StoredPipeline]:
    """Change a pipeline; its vaults are looked at by what it is now.

    Raises:
        Problem: 422, the file is not valid.
        PreconditionError: somebody else wrote meanwhile.
    """
    before = current.value
    store = PipelineStore(app.documents, app.settings)
    changes = {name: value for name, value in given.items() if name in ("text", "name", "description", "enabled")}
    if "text" in given or "pipeline" in given:
        main = given.get("pipeline") or (None if "text" in given else before.main)
        if main is None and before.main in check(given["text"], app.settings).pipelines:
            main = before.main
        definition = checked_definition(app, given.get("text", before.text), main)
        changes |= {"main": definition.main, **_input(definition)}
    else:
        definition = await store.definition(before.id, before.version, before.definition)
    changed = before.model_copy(update={**changes, "updated_at": app.clock.now()})
    saved = await store.save(changed, definition, current)
    vaults = VaultStore(app.documents, app.settings)
    if saved.value.version != before.version or saved.value.enabled != before.enabled:
        await reschedule(
            app.engine.submit, vaults, [vault.id async for vault in vaults.every(before.id)], app.clock.now()
        )
    return saved


async def create_vault(app: App, asked: NewVault) -> Versioned[Vault]:
    """Make a vault, which is looked at at once.

    Raises:
        Problem: 422, its pipeline is none, finds nothing, or the input's settings do not fit; 409, there is one of this id.
    """
    now = app.clock.now()
    made = Vault(
        id=asked.id or _slug(asked.name), name=asked.name, description=asked.description, pipeline_id=asked.pipeline_id,
        enabled=asked.enabled, input=asked.input, created_at=now, updated_at=now,
    )  # fmt: skip
    await _fits(app, made)
    vaults = VaultStore(app.documents, app.settings)
    try:
        await vaults.write(made, None)
    except AlreadyExistsError:
        raise Problem(409, "Conflict", f"there is a vault {made.id!r} already") from None
    return await _looked_at(app, vaults, made.id)


async def change_vault(app: App, current: Versioned[Vault], given: Mapping[str, Any]) -> Versioned[Vault]:
    """Change a vault, which is looked at at once.

    Raises:
        Problem: 422, as `create_vault`.
        PreconditionError: somebody else wrote meanwhile.
    """
    changed = current.value.model_copy(update={**given, "updated_at": app.clock.now()})
    await _fits(app, changed)
    vaults = VaultStore(app.documents, app.settings)
    await vaults.write(changed, current)
    return await _looked_at(app, vaults, changed.id)


async def _looked_at(app: App, vaults: VaultStore, vault: str) -> Versioned[Vault]:
    try:
        await reschedule(app.engine.submit, vaults, [vault], app.clock.now())
    except FinalError as error:
        raise Problem(409, "Conflict", str(error)) from None
    found = await vaults.get(vault)
    if found is None:
        raise PreconditionError("the vault was deleted meanwhile")
    return found


async def _fits(app: App, vault: Vault) -> None:
    store = PipelineStore(app.documents, app.settings)
    pipeline = await store.get(vault.pipeline_id)
    if pipeline is None:
        raise invalid((FieldProblem("pipeline_id", "there is no such pipeline"),))
    if pipeline.value.input_executor is None:
        words_ = "the pipeline's first executor finds no content: a vault needs one that does, such as azure_blob_input"
        raise invalid((FieldProblem("pipeline_id", words_),))
    definition = await store.definition(pipeline.value.id, pipeline.value.version, pipeline.value.definition)
    try:
        source_of(definition.pipeline.by_id[pipeline.value.input_executor], vault, app.settings)
    except FinalError as error:
        raise invalid((FieldProblem("input", str(error)),)) from None


def _input(definition: Definition) -> dict[str, str | None]:
    """The executor that finds content: the first one, where it does."""
    inputs = [
        node.id
        for node in definition.pipeline.first
        if node.type in executors() and executors()[node.type].shape == "input"
    ]
    return {"input_executor": inputs[0] if inputs else None}


def _slug(name: str) -> str:
    """An id made of a name."""
    found = re.sub(r"[^a-z0-9]+", "-", " ".join(words(name))).strip("-")[:80]
    if not found:
        raise invalid((FieldProblem("id", "is needed: none can be made of this name"),))
    return found
