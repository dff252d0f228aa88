"""What operators say of pipelines, vaults and executions: the bodies of requests, validated to the last field."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domains.pipelines.marked import LARGEST
from shared.domains.pipelines.tasks import IDENTIFIER
from shared.jobs import Priority

_STRICT = ConfigDict(extra="forbid", frozen=True, defer_build=True)
OWN_ID = r"^[a-z0-9][a-z0-9_-]{0,79}$"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=LARGEST)]
OwnId = Annotated[str, StringConstraints(pattern=OWN_ID)]
Description = Annotated[str, StringConstraints(max_length=2000)]


class FileToCheck(BaseModel):
    """The body of `POST /api/pipelines/validate`."""

    model_config = _STRICT

    text: Text = Field(description="The file, in YAML.")
    file: Name = Field("pipeline.yaml", description="What it is called in messages.")


class NewPipeline(BaseModel):
    """The body of `POST /api/pipelines`."""

    model_config = _STRICT

    text: Text = Field(description="The file, in YAML.")
    id: OwnId | None = Field(None, description="What it is called in addresses; unset: made of its name.")
    name: Name | None = Field(None, description="For people; unset: the file's.")
    description: Description | None = None
    pipeline: Name | None = Field(None, description="Which of the file's pipelines is run; unset: the first.")
    enabled: bool = True


class PipelineChanges(BaseModel):
    """The body of `PATCH /api/pipelines/{pipeline_id}`: what is given changes."""

    model_config = _STRICT

    text: Text | None = None
    name: Name | None = None
    description: Description | None = None
    pipeline: Name | None = None
    enabled: bool | None = None


class ExecutionRequest(BaseModel):
    """The body of `POST /api/pipelines/{pipeline_id}/execute`."""

    model_config = _STRICT

    items: Annotated[list[dict[str, Any]], Field(max_length=1000)] = Field(
        default_factory=list, description="Content items, or the fields of some; none: the input executor finds them."
    )
    execution_id: Annotated[str, StringConstraints(pattern=IDENTIFIER)] | None = Field(
        None, description="What it is called: the same again is the same execution. Unset: it is made up."
    )
    priority: Priority | None = None
    max_retries: Annotated[int, Field(ge=0, le=20)] | None = None
    vault_id: OwnId | None = None


class DryRun(BaseModel):
    """The body of `POST /api/pipelines/{pipeline_id}/dry-run`."""

    model_config = _STRICT

    items: Annotated[list[dict[str, Any]], Field(max_length=10)] = Field(
        default_factory=list, description="Content items, or the fields of some; none: the input executor finds some."
    )
    limit: Annotated[int, Field(ge=1, le=10)] = Field(3, description="How many items go through at most.")


class NewVault(BaseModel):
    """The body of `POST /api/vaults`."""

    model_config = _STRICT

    name: Name
    pipeline_id: OwnId
    id: OwnId | None = Field(None, description="What it is called in addresses; unset: made of its name.")
    description: Description = ""
    enabled: bool = True
    input: dict[str, Any] = Field(
        default_factory=dict, description="Settings of the pipeline's input executor that are others for this vault."
    )


class VaultChanges(BaseModel):
    """The body of `PATCH /api/vaults/{vault_id}`: what is given changes."""

    model_config = _STRICT

    name: Name | None = None
    pipeline_id: OwnId | None = None
    description: Description | None = None
    enabled: bool | None = None
    input: dict[str, Any] | None = None


class Retry(BaseModel):
    """The body of `POST /api/executions/{execution_id}/retry`."""

    model_config = _STRICT

    definition: Literal["pinned", "fixed"] = Field(
        "pinned",
        description="`pinned`: by the version that it was begun with; `fixed`: by the present one, as an execution of its own.",
    )
    item: str | None = Field(
        None, max_length=100, description="The `unique_id` of the one item that is retried; unset: all."
    )
