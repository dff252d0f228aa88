"""Content in containers of Azure Storage."""

from __future__ import annotations

import mimetypes
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import PurePosixPath
from typing import Literal

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import Found, InputSettings, Run, input_executor
from shared.domains.pipelines.executors.forms import Extensions, Moment
from shared.domains.pipelines.executors.storage import Account, opened, refused
from shared.ports import BlobInfo
from shared.settings import Settings


class BlobInputSettings(InputSettings, Account):
    """Which container, and which of its blobs."""

    blob_container_name: str = Field(description="The container.", examples=["documents"])
    discover_mode: Literal["files", "virtual_folders"] = Field(
        default="files", description="An item for each blob, or for each folder right below the prefix."
    )
    prefix_from_input_field: None = Field(
        default=None,
        description="Not supported: an input stands at the beginning of a pipeline, and has no items before it.",
    )
    prefix: str | None = Field(default=None, description="What the names begin with.", examples=["invoices/2024/"])
    file_extensions: Extensions = Field(
        default=(), description="Suffixes that are taken; none: all.", examples=[[".pdf", ".docx"]]
    )
    max_depth: int = Field(default=0, ge=0, description="Deepest folder below the prefix, which is 1; 0: any.")
    batch_size: int = Field(default=100, ge=1, description="Without effect: blobs are listed 5,000 at a time.")
    include_metadata: bool = Field(default=True, description="Whether items have the blob's metadata.")
    sort_by: Literal["name", "last_modified", "size"] = Field(
        default="name", description="Order in which they are found."
    )
    sort_ascending: bool = Field(default=True, description="Smallest, or oldest, first.")
    min_size_bytes: int = Field(default=0, ge=0, description="Smallest blob that is taken. Unit: bytes.")
    max_size_bytes: int = Field(default=0, ge=0, description="Largest blob that is taken; 0: any. Unit: bytes.")
    modified_after: Moment | None = Field(
        default=None, description="Oldest change that is taken.", examples=["2025-01-01T00:00:00Z"]
    )
    modified_before: Moment | None = Field(default=None, description="Latest change that is taken.")

    @model_validator(mode="after")
    def _possible(self) -> BlobInputSettings:
        if self.max_size_bytes and self.max_size_bytes < self.min_size_bytes:
            raise ValueError("max_size_bytes is below min_size_bytes")
        if self.modified_after and self.modified_before and self.modified_before < self.modified_after:
            raise ValueError("modified_before is before modified_after")
        return self


def _needs(settings: BlobInputSettings, app: Settings) -> Sequence[str]:
    return refused(settings.blob_container_name, app)


@input_executor(
    "azure_blob_input_discovery",
    settings=BlobInputSettings,
    aliases=("azure_blob_input",),
    example={"blob_container_name": "documents", "prefix": "invoices/2024/", "file_extensions": [".pdf", ".docx"]},
    needs=_needs,
)
async def azure_blob_input_discovery(settings: BlobInputSettings, run: Run) -> AsyncIterator[Found]:
    """Find blobs of a container.

    Items have `blob_name`, `blob_path`, `container_name`, `size`, `last_modified` and `content_type`; `content_retriever` fetches the bytes. A blob that is written anew is
    another item. All filters go before `max_results`.
    """
    blobs = opened(run, settings.blob_container_name, settings.blob_storage_account, settings.key)
    listed = (each async for each in blobs.list(settings.prefix or "") if _wanted(each, settings))
    if settings.discover_mode == "virtual_folders":
        for folder, newest in (await _folders(listed, settings)).items():
            yield _folder(folder, newest, settings)
    elif settings.sort_by == "name" and settings.sort_ascending:
        async for info in listed:
            yield _blob(info, settings)
    else:
        for info in sorted([each async for each in listed], key=_order(settings), reverse=not settings.sort_ascending):
            yield _blob(info, settings)


def _order(settings: BlobInputSettings) -> Callable[[BlobInfo], tuple[float, str]]:
    def by(info: BlobInfo) -> tuple[float, str]:
        value = {"name": 0.0, "last_modified": info.last_modified.timestamp(), "size": float(info.size)}[
            settings.sort_by
        ]
        return value, info.name

    return by


def _wanted(info: BlobInfo, settings: BlobInputSettings) -> bool:
    if info.name.endswith("/"):
        return False
    deep = info.name.count("/") - (settings.prefix or "").count("/")
    return (
        (not settings.max_depth or deep <= settings.max_depth)
        and (not settings.file_extensions or PurePosixPath(info.name).suffix.lower() in settings.file_extensions)
        and info.size >= settings.min_size_bytes
        and (not settings.max_size_bytes or info.size <= settings.max_size_bytes)
        and (settings.modified_after is None or info.last_modified >= settings.modified_after)
        and (settings.modified_before is None or info.last_modified <= settings.modified_before)
    )


def _blob(info: BlobInfo, settings: BlobInputSettings) -> Found:
    changed = info.last_modified.isoformat()
    kind = mimetypes.guess_type(info.name)[0] or "application/octet-stream"
    about = {"size": info.size, "last_modified": changed, "content_type": kind, "etag": info.etag}
    if settings.include_metadata:
        about = {**info.metadata, **about}
    data = {
        "blob_name": PurePosixPath(info.name).name, "blob_path": info.name, "container_name": settings.blob_container_name,
        "size": info.size, "last_modified": changed, "content_type": kind,
        **({"metadata": dict(info.metadata)} if settings.include_metadata else {}),
    }  # fmt: skip
    known = content_id(
        _canonical(settings, info.name), info.etag, source_name=settings.blob_storage_account or "storage", source_type="azure_blob",
        container=settings.blob_container_name, path=info.name, filename=PurePosixPath(info.name).name, metadata=about,
    )  # fmt: skip
    return Found(Content(id=known, data=data), info.last_modified)


def _canonical(settings: BlobInputSettings, path: str) -> str:
    return f"azure_blob:{settings.blob_storage_account or ''}/{settings.blob_container_name}/{path}"


async def _folders(listed: AsyncIterator[BlobInfo], settings: BlobInputSettings) -> dict[str, BlobInfo]:
    """The folders right below the prefix, each with its blob that changed last."""
    prefix = settings.prefix or ""
    base = prefix if prefix.endswith("/") or not prefix else prefix.rpartition("/")[0] + "/" * ("/" in prefix)
    found: dict[str, BlobInfo] = {}
    async for info in listed:
        below = info.name.removeprefix(base).split("/")
        if len(below) > 1:
            folder = f"{base}{below[0]}/"
            last = found.get(folder)
            found[folder] = info if last is None or info.last_modified > last.last_modified else last
    return dict(sorted(found.items(), reverse=not settings.sort_ascending))


def _folder(folder: str, newest: BlobInfo, settings: BlobInputSettings) -> Found:
    """A folder is another item once something in it has changed."""
    name = folder.rstrip("/").rpartition("/")[2]
    known = content_id(
        _canonical(settings, folder), f"{newest.name} {newest.etag}", source_name=settings.blob_storage_account or "storage",
        source_type="azure_blob_folder", container=settings.blob_container_name, path=folder, filename=name,
    )  # fmt: skip
    data = {"folder_prefix": folder, "folder_name": name, "container_name": settings.blob_container_name}
    return Found(Content(id=known, data=data), newest.last_modified)
