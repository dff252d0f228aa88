"""Containers of blobs that pipelines name: opened, read within limits, written so that doing it twice does it once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, Field, model_validator

from shared.domains.pipelines.executing import ContentError, Run
from shared.domains.pipelines.settings import ExecutorOptions
from shared.ports import AlreadyExistsError, BlobStore, PreconditionError
from shared.settings import Settings
from shared.storage import compare_and_swap

CredentialType = Literal["default_azure_credential", "azure_key_credential"]
_HOST = "azure-webjobs"
"""How the names of the host's own containers begin: the keys of the app's functions are in one of them."""


class Account(BaseModel):
    """How an account of Azure Storage is named in settings of executors; mixed into them."""

    blob_storage_account: str | None = Field(
        default=None, description="Name of the storage account; unset: the app's own.", examples=["mystorageaccount"]
    )
    blob_storage_credential_type: CredentialType = Field(
        default="default_azure_credential", description="The app's identity, or the account's key."
    )
    blob_storage_account_key: str | None = Field(
        default=None, description="The key, where that is what is used; `${NAME}` of an allowed setting.", repr=False
    )

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if self.blob_storage_credential_type == "azure_key_credential" and not self.blob_storage_account_key:
            raise ValueError("blob_storage_account_key is needed for azure_key_credential")
        return self

    @property
    def key(self) -> str | None:
        """The key that is to be used; None for the app's identity."""
        return self.blob_storage_account_key if self.blob_storage_credential_type == "azure_key_credential" else None


def refused(container: str | None, settings: Settings) -> Sequence[str]:
    """Why a container is not for pipelines, a sentence each."""
    if container and (container == settings.status_container or container.startswith(_HOST)):
        return [f"the container {container!r} is the app's own, and not for pipelines"]
    return ()


def opened(run: Run, container: str, account: str | None, key: str | None = None) -> BlobStore:
    """Open a container.

    Raises:
        ContentError: there can be none of that name, or it is not for pipelines.
    """
    for why in refused(container, run.settings):
        raise ContentError(why)
    try:
        return run.containers(container, account, key)
    except ValueError as error:
        raise ContentError(str(error)) from None


async def read(run: Run, blobs: BlobStore, path: str) -> bytes:
    """The bytes of a blob.

    Raises:
        ContentError: there is none, or it is larger than is taken.
    """
    page = await blobs.list_page(path, limit=1)
    known = page.items[0] if page.items and page.items[0].name == path else None
    found = await blobs.read(path) if known and known.size <= limit_of(run) else None
    if known and found is None and known.size > limit_of(run):
        raise too_large(run, known.size)
    if found is None:
        raise ContentError(f"there is no blob {path!r}")
    return found.data


def limit_of(run: Run) -> int:
    """Bytes of the largest file that is taken."""
    return run.settings.of(ExecutorOptions).max_file_bytes


def too_large(run: Run, size: int) -> ContentError:
    """The error of a file that is larger than is taken."""
    return ContentError(f"the file has {size:,} bytes; {limit_of(run):,} are taken (PIPELINE_MAX_FILE_BYTES)")


async def write(blobs: BlobStore, path: str, data: bytes, metadata: Mapping[str, str], *, overwrite: bool) -> str:
    """Write a blob, and return its ETag. What is there already as it would be written is left as it is.

    Raises:
        ContentError: something else is there, and is not to be written over.
    """
    return await _write(
        blobs,
        path,
        data,
        {name: quote(value, safe=" !\"#$&'()*+,-./:;<=>?@[]^_`{|}~") for name, value in metadata.items()},
        overwrite,
    )


@compare_and_swap("the blob")
async def _write(blobs: BlobStore, path: str, data: bytes, metadata: Mapping[str, str], overwrite: bool) -> str:
    try:
        return await blobs.create(path, data, metadata)
    except AlreadyExistsError:
        there = await blobs.read(path)
    if there is None:
        raise PreconditionError("the blob was deleted meanwhile")
    if there.data == data:
        return there.etag
    if not overwrite:
        raise ContentError(f"there is a blob {path!r} already, and overwrite_existing is off")
    return await blobs.replace(path, data, there.etag, metadata)
