"""Every setting of the app, once: name, type, default, unit and meaning.

Settings are read from the environment (app settings in Azure, ``local.settings.json`` on a developer's machine) when the
app starts. A value that does not fit stops the start with a `SettingsError` that names each one that is wrong: better no
function at deployment than a wrong one at night.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

QueueName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:-?[a-z0-9])*$", min_length=3, max_length=63)]
ContainerName = QueueName
HttpUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/]+\S*$")]


class SettingsError(ValueError):
    """An app setting holds a value that the app cannot work with."""


class Settings(BaseModel):
    """The app's settings. A field's alias is the name in the environment."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    # --- storage -----------------------------------------------------------------------------------------------
    storage_connection: str | None = Field(
        None, alias="AzureWebJobsStorage", description="Connection string of the storage account (Azurite, or shared key)."
    )
    storage_account: str | None = Field(
        None, alias="AzureWebJobsStorage__accountName", description="Storage account name, for access by identity."
    )
    storage_blob_uri: HttpUrl | None = Field(
        None, alias="AzureWebJobsStorage__blobServiceUri", description="Blob endpoint, for access by identity."
    )
    storage_queue_uri: HttpUrl | None = Field(
        None, alias="AzureWebJobsStorage__queueServiceUri", description="Queue endpoint, for access by identity."
    )
    storage_credential: str | None = Field(
        None,
        alias="AzureWebJobsStorage__credential",
        description="`managedidentity`, or unset for the default chain of credentials (environment, CLI, ...).",
    )
    storage_client_id: str | None = Field(
        None, alias="AzureWebJobsStorage__clientId", description="Client id of the user-assigned identity for storage."
    )
    azure_client_id: str | None = Field(
        None, alias="AZURE_CLIENT_ID", description="Client id of the user-assigned identity for everything else."
    )
    status_container: ContainerName = Field(
        "hot-topics", alias="NIGHTSHIFT_STATUS_CONTAINER", description="Blob container of `jobs/{job_id}/status.json`."
    )

    # --- documents ---------------------------------------------------------------------------------------------
    cosmos_endpoint: HttpUrl | None = Field(
        None, alias="COSMOS_ENDPOINT", description="Cosmos DB account; where it is unset, documents are kept in SQLite."
    )
    cosmos_key: str | None = Field(
        None, alias="COSMOS_KEY", description="Account key, for emulators only; in Azure the identity is used."
    )
    cosmos_database: str = Field("nightshift", alias="COSMOS_DATABASE", description="Database name.")
    sqlite_path: str = Field(
        ".nightshift/nightshift.db", alias="NIGHTSHIFT_SQLITE_PATH", description="File of the embedded document store."
    )

    # --- the engine --------------------------------------------------------------------------------------------
    lease_seconds: float = Field(
        60, alias="JOBS_LEASE_SECONDS", ge=1, le=3600, description="Seconds a claim lasts without a sign of life."
    )
    sweep_grace_seconds: float = Field(
        120, alias="JOBS_SWEEP_GRACE_SECONDS", ge=0, le=86400,
        description="Seconds past its due time after which a job counts as stuck and the sweep mends it.",
    )  # fmt: skip
    sweep_schedule: str = Field(
        "0 */5 * * * *", alias="JOBS_SWEEP_SCHEDULE", description="NCRONTAB of the sweep over recent jobs (UTC)."
    )
    full_sweep_schedule: str = Field(
        "0 30 3 * * *", alias="JOBS_FULL_SWEEP_SCHEDULE", description="NCRONTAB of the sweep over every job (UTC)."
    )
    retry_after_seconds: int = Field(
        2, alias="JOBS_RETRY_AFTER_SECONDS", ge=1, le=3600, description="Seconds a client is told to wait between polls."
    )
    queue_high: QueueName = Field("jobs-high", alias="JOBS_HIGH_QUEUE_NAME", description="General queue, high priority.")
    queue_normal: QueueName = Field("jobs", alias="JOBS_QUEUE_NAME", description="General queue, normal priority.")
    queue_low: QueueName = Field("jobs-low", alias="JOBS_LOW_QUEUE_NAME", description="General queue, low priority.")

    # --- taste -------------------------------------------------------------------------------------------------
    taste_queue: QueueName = Field(
        "taste-analysis-jobs", alias="TASTE_JOB_QUEUE_NAME", description="Queue of taste analysis jobs."
    )
    taste_poison_queue: QueueName = Field(
        "", alias="TASTE_JOB_DEAD_LETTER_QUEUE_NAME", validate_default=False,
        description="Poison queue of taste analysis; default `{TASTE_JOB_QUEUE_NAME}-poison`, the host's own name for it.",
    )  # fmt: skip
    taste_max_retries: int = Field(
        4, alias="TASTE_JOB_MAX_RETRIES", ge=0, le=50, description="Retries after the first attempt of a taste job."
    )
    taste_base_backoff_seconds: float = Field(
        5, alias="TASTE_JOB_BASE_BACKOFF_SECONDS", ge=0, le=86400, description="Ceiling of the first retry's delay, seconds."
    )
    taste_max_backoff_seconds: float = Field(
        300, alias="TASTE_JOB_MAX_BACKOFF_SECONDS", ge=0, le=604800, description="Ceiling of every retry's delay, seconds."
    )
    taste_jitter_seconds: float = Field(
        2, alias="TASTE_JOB_JITTER_SECONDS", ge=0, le=86400, description="Seconds of random delay added to every retry."
    )
    taste_dedupe_ttl_seconds: int = Field(
        3600, alias="TASTE_JOB_DEDUPE_TTL_SECONDS", ge=0, le=2592000,
        description="Seconds for which the same signal on the same item gets the first ticket; 0 turns dedupe off.",
    )  # fmt: skip
    taste_prior_schedule: str = Field(
        "0 15 * * * *", alias="TASTE_PRIOR_SCHEDULE", description="NCRONTAB of the refresh of what all users like (UTC)."
    )

    # --- fetching and analysis ---------------------------------------------------------------------------------
    fetch_allowed_hosts: str = Field(
        "", alias="FETCH_ALLOWED_HOSTS",
        description="Comma-separated `host` or `host:port` that may be fetched although not public; for tests and the demo.",
    )  # fmt: skip
    fetch_timeout_seconds: float = Field(
        10, alias="FETCH_TIMEOUT_SECONDS", gt=0, le=120, description="Seconds for one fetch, redirects included."
    )
    image_max_bytes: int = Field(
        8 * 1024 * 1024, alias="IMAGE_MAX_BYTES", ge=1024, description="Largest image that is fetched, bytes."
    )
    image_max_pixels: int = Field(
        40_000_000, alias="IMAGE_MAX_PIXELS", ge=1, description="Largest image that is decoded, pixels."
    )
    openai_endpoint: HttpUrl | None = Field(
        None, alias="AZURE_OPENAI_ENDPOINT", description="Azure OpenAI resource; unset: the built-in analysers."
    )
    openai_vision_deployment: str | None = Field(
        None, alias="AZURE_OPENAI_VISION_DEPLOYMENT", description="Deployment of the vision model."
    )
    openai_api_key: str | None = Field(
        None, alias="AZURE_OPENAI_API_KEY", description="Key; unset: the identity is used."
    )
    openai_api_version: str = Field("2024-10-21", alias="AZURE_OPENAI_API_VERSION", description="API version.")

    @model_validator(mode="before")
    @classmethod
    def _poison_queue_of_host(cls, given: dict[str, Any]) -> dict[str, Any]:
        queue = given.get("TASTE_JOB_QUEUE_NAME", cls.model_fields["taste_queue"].default)
        return {"TASTE_JOB_DEAD_LETTER_QUEUE_NAME": f"{queue}-poison", **given}

    @model_validator(mode="after")
    def _backoff_in_order(self) -> Settings:
        if self.taste_max_backoff_seconds < self.taste_base_backoff_seconds:
            raise ValueError("TASTE_JOB_MAX_BACKOFF_SECONDS must be at least TASTE_JOB_BASE_BACKOFF_SECONDS")
        return self


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment.

    Raises:
        SettingsError: naming every setting that is wrong, what it holds and what was expected. Secrets are not shown.
    """
    given: dict[str, Any] = {}
    for name, field in Settings.model_fields.items():
        value = environ.get(field.alias or name, "").strip()
        if value:
            given[field.alias or name] = value
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        raise SettingsError(_describe(error)) from None


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load(os.environ)


_SECRET = ("AzureWebJobsStorage", "COSMOS_KEY", "AZURE_OPENAI_API_KEY")


def _describe(error: ValidationError) -> str:
    lines = []
    for problem in error.errors(include_url=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        shown = "" if not name or name in _SECRET else f" (it is {problem['input']!r})"
        lines.append(f"{name}: {problem['msg']}{shown}" if name else problem["msg"].removeprefix("Value error, "))
    return "app settings: " + "; ".join(lines)
