"""Items written into containers of Azure Storage."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.fields import Data, filled, shown, value_at
from shared.domains.pipelines.executors.forms import Names
from shared.domains.pipelines.executors.storage import CredentialType, opened, refused, write
from shared.settings import Settings

_LONGEST = 1024
"""Characters of a blob's name that Azure takes."""


class BlobOutputSettings(ItemSettings):
    """Where items are written, under which names, and what of them."""

    storage_account_name: str | None = Field(
        default=None, description="Name of the storage account; unset: the app's own."
    )
    credential_type: CredentialType = Field(
        default="default_azure_credential", description="The app's identity, or the account's key."
    )
    credential_key: str | None = Field(default=None, description="The key, where that is what is used.", repr=False)
    container_name: str = Field(description="The container; made where it is missing.", examples=["pipeline-output"])
    path_template: str = Field(
        default="{executor_id}/{year}/{month}/{day}/",
        description="What the names begin with. In braces: fields, `id.unique_id` and the like, `year`, `month`, `day`, `date`, `timestamp`, `executor_id`, `pipeline_name`.",
    )
    filename_template: str = Field(
        default="{id.unique_id}_{timestamp}.json", description="The rest of the name, in the same way."
    )
    content_field: str | None = Field(default=None, description="Field that is written; unset: the whole item.")
    metadata_fields: Names = Field(default=(), description="Fields that become the blob's metadata.")
    compression: Literal["gzip", "zip", "none"] | None = Field(
        default=None, description="Packing; the name's suffix follows."
    )
    overwrite_existing: bool = Field(
        default=True, description="Whether a blob of that name is written over; else the item fails."
    )
    add_timestamp: bool = Field(default=True, description="Write `written_at` into the metadata.")
    pretty_print: bool = Field(default=True, description="Write JSON with indentation.")
    timeout_secs: float = Field(default=60, ge=1, description="Longest time for one item. Unit: seconds.")

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if self.credential_type == "azure_key_credential" and not self.credential_key:
            raise ValueError("credential_key is needed for azure_key_credential")
        return self


def _needs(settings: BlobOutputSettings, app: Settings) -> Sequence[str]:
    return refused(settings.container_name, app)


@executor(
    "azure_blob_output",
    settings=BlobOutputSettings,
    category="output",
    example={"container_name": "pipeline-output", "filename_template": "{id.unique_id}.json", "compression": "gzip"},
    needs=_needs,
)
async def azure_blob_output(item: Content, settings: BlobOutputSettings, run: Run) -> Content:
    """Write items as JSON into a container.

    `timestamp` and the parts of the date are those of the step before this one: an attempt that is repeated writes the same blob, and no second one. The summary has the
    blob's path, size and ETag, as `blob_output`.
    """
    at = item.executor_logs[-1].end_time.astimezone(UTC) if item.executor_logs else run.clock.now()
    name = _name(item, settings, run, at)
    data = _packed(_json(item, settings), settings.compression)
    key = settings.credential_key if settings.credential_type == "azure_key_credential" else None
    blobs = opened(run, settings.container_name, settings.storage_account_name, key)
    etag = await write(blobs, name, data, _metadata(item, settings, at), overwrite=settings.overwrite_existing)
    item.summary_data["blob_output"] = {
        "blob_path": name, "blob_size": len(data), "blob_etag": etag, "blob_last_modified": run.clock.now().isoformat(), "write_status": "success",
    }  # fmt: skip
    return item


def _name(item: Content, settings: BlobOutputSettings, run: Run, at: datetime) -> str:
    names = {
        **item.scope(), **item.summary_data, **item.data, "id": item.id.model_dump(mode="json"), "document_id": item.id.canonical_id,
        "timestamp": at.strftime("%Y%m%d_%H%M%S"), "year": at.strftime("%Y"), "month": at.strftime("%m"), "day": at.strftime("%d"),
        "date": at.strftime("%Y-%m-%d"), "executor_id": run.executor_id, "pipeline_name": run.pipeline,
    }  # fmt: skip
    suffix = {"gzip": ".gz", "zip": ".zip"}.get(settings.compression or "", "")
    file = filled(settings.filename_template, names, "unknown")
    name = filled(settings.path_template, names, "unknown") + (file if file.endswith(suffix) else file + suffix)
    parts = [each for each in name.replace("\\", "/").split("/") if each not in ("", ".", "..")]
    cleaned = "".join(each if each.isprintable() else "_" for each in "/".join(parts))
    if not cleaned or len(cleaned) > _LONGEST:
        raise ContentError(f"the blob's name has {len(cleaned)} characters; 1 to {_LONGEST:,} are taken")
    return cleaned


def _json(item: Content, settings: BlobOutputSettings) -> bytes:
    value = item.model_dump(mode="json") if settings.content_field is None else item.get(settings.content_field)
    if settings.content_field is not None and value is None:
        raise ContentError(f"there is no field {settings.content_field!r}")
    return json.dumps(value, ensure_ascii=False, indent=2 if settings.pretty_print else None).encode("utf-8", "replace")


def _packed(data: bytes, how: str | None) -> bytes:
    """Packed without the time of packing, so that the same content is the same blob."""
    if how == "gzip":
        return gzip.compress(data, mtime=0)
    if how == "zip":
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo("content.json"), data, zipfile.ZIP_DEFLATED)
        return buffer.getvalue()
    return data


def _metadata(item: Content, settings: BlobOutputSettings, at: datetime) -> dict[str, str]:
    names: Data = {**item.summary_data, **item.data, "id": item.id.model_dump(mode="json")}
    found = {_identifier(path): value_at(names, path) for path in settings.metadata_fields}
    told = {name: shown(value)[:2000] for name, value in found.items() if value is not None}
    return {**told, **({"written_at": at.isoformat()} if settings.add_timestamp else {})}


def _identifier(path: str) -> str:
    """What metadata may be called: as a name in C#."""
    name = "".join(each if each.isascii() and (each.isalnum() or each == "_") else "_" for each in path)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"
