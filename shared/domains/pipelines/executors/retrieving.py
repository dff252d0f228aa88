"""The bytes of what was found: from containers, from folders and from the web."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors import folders, storage
from shared.domains.pipelines.executors.storage import Account
from shared.domains.pipelines.executors.web import fetched
from shared.settings import Settings


class RetrievalSettings(ItemSettings):
    """Where the bytes go."""

    ignored: ClassVar[frozenset[str]] = frozenset({"settings"})

    include_content_bytes_as_field: bool = Field(
        default=False, description="Write `content`, too: `{file: ...}` with the same reference."
    )
    use_temp_file_for_content: bool = Field(
        default=True, description="Write `temp_file_path`, by which extractors find the bytes."
    )
    temp_folder: str = Field(
        default="./tmp/contentflow",
        description="Without effect: bytes are kept in storage, where every process finds them.",
    )


class ContentRetrievalSettings(RetrievalSettings, Account):
    """Where the bytes are, where an item does not say."""

    blob_storage_account_credential_type: storage.CredentialType = Field(
        default="default_azure_credential",
        description="The same as blob_storage_credential_type: a key is used where either says so.",
    )
    blob_container_name: str | None = Field(default=None, description="The container; unset: the item's own.")

    @model_validator(mode="before")
    @classmethod
    def _known_as(cls, given: Any) -> Any:
        """Either name of the credential's type counts."""
        if isinstance(given, dict) and given.get("blob_storage_account_credential_type") == "azure_key_credential":
            return {**given, "blob_storage_credential_type": "azure_key_credential"}
        return given


def _needs(settings: ContentRetrievalSettings, app: Settings) -> Sequence[str]:
    return storage.refused(settings.blob_container_name, app)


@executor(
    "content_retriever",
    settings=ContentRetrievalSettings,
    category="input",
    example={"max_concurrent": 5},
    needs=_needs,
)
async def content_retriever(item: Content, settings: ContentRetrievalSettings, run: Run) -> Content:
    """Fetch the bytes of items from where they were found.

    From containers (`azure_blob`), the folders of PIPELINE_FOLDERS (`local_file`) and the web (`webpage`, `feed`). Writes `temp_file_path`, a reference by which extractors
    find the bytes in whichever process they run, and `metadata`. An item that has its bytes already is left as it is.
    """
    if item.data.get("temp_file_path"):
        return item
    match item.id.source_type:
        case "azure_blob":
            container = item.id.container or settings.blob_container_name
            data = await _of_blob(item, container, settings.blob_storage_account or _account(item), settings.key, run)
        case "local_file":
            data = await folders.read_file(run, item.id.path or "")
        case "webpage" | "feed" | "web":
            data = (await fetched(run, str(item.get("url") or item.id.canonical_id))).body
        case other:
            raise ContentError(
                f"nothing can be retrieved from a source of type {other!r}: azure_blob, local_file and webpage are known"
            )
    return await _kept(item, data, settings, run)


@executor("azure_blob_content_retriever", settings=RetrievalSettings, category="input", example={"max_concurrent": 5})
async def azure_blob_content_retriever(item: Content, settings: RetrievalSettings, run: Run) -> Content:
    """Fetch the bytes of blobs that `azure_blob_input_discovery` found.

    As `content_retriever` does, for what comes from containers alone.
    """
    if item.data.get("temp_file_path"):
        return item
    if item.id.source_type != "azure_blob":
        raise ContentError(f"this item comes from a source of type {item.id.source_type!r}, and not from azure_blob")
    return await _kept(item, await _of_blob(item, item.id.container, _account(item), None, run), settings, run)


def _account(item: Content) -> str | None:
    """The account that an item was found in; None for the app's own."""
    named = item.id.canonical_id.removeprefix("azure_blob:").partition("/")[0]
    return named if item.id.canonical_id.startswith("azure_blob:") and named else None


async def _of_blob(item: Content, container: str | None, account: str | None, key: str | None, run: Run) -> bytes:
    if not container or not item.id.path:
        raise ContentError("the item does not say in which container it is, and under which name")
    return await storage.read(run, storage.opened(run, container, account, key), item.id.path)


async def _kept(item: Content, data: bytes, settings: RetrievalSettings, run: Run) -> Content:
    reference = await run.files.save(data, item.id.filename or item.id.path or "content")
    if settings.use_temp_file_for_content:
        item.data["temp_file_path"] = reference
    if settings.include_content_bytes_as_field or not settings.use_temp_file_for_content:
        item.data["content"] = {"file": reference}
    there = item.data.get("metadata")
    known: dict[str, Any] = there if isinstance(there, dict) else {}
    about = {"source": item.id.source_type, "container": item.id.container, "path": item.id.path, "size": len(data)}
    item.data["metadata"] = {**known, **{name: value for name, value in about.items() if value is not None}}
    return item


async def bytes_of(item: Content, content_field: str | None, path_field: str | None, run: Run) -> bytes:
    """The bytes that an extractor is to read: of the reference in one of two fields, or a text as it stands in the first.

    Raises:
        ContentError: neither field has any.
    """
    value = item.get(content_field) if content_field else None
    if isinstance(value, str) and value:
        return value.encode()
    reference = value.get("file") if isinstance(value, dict) else item.get(path_field) if path_field else None
    if isinstance(reference, str) and reference:
        return await run.files.load(reference)
    fields = " or ".join(repr(name) for name in (content_field, path_field) if name)
    raise ContentError(f"there are no bytes in {fields}: content_retriever comes before an extractor")
