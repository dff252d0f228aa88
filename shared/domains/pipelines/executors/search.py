"""Documents for search: made in the form that GPT-RAG's index has, and sent to Azure AI Search."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.endpoints import refused
from shared.domains.pipelines.executors.fields import Data, hashed, put, shown, value_at, whole_text
from shared.domains.pipelines.executors.forms import TextMap
from shared.domains.pipelines.executors.services import Service
from shared.jobs import RetryLater
from shared.settings import Settings

_SCOPE = "https://search.azure.com/.default"
_DEFAULT = {
    "chunk.text": "content", "chunk.embedding": "embedding", "id.canonical_id": "url", "id.filename": "filename", "id.path": "filepath",
    "embedding": "embedding", "text": "content", "title": "title", "summary": "summary",
}  # fmt: skip
_PASSING = (409, 422, 429, 503)
"""What the service says of a document that it may take later."""


class IndexSettings(ItemSettings):
    """Which index, and what of an item is put there."""

    ignored: ClassVar[frozenset[str]] = frozenset({"metadata_fields"})

    ai_search_account: str | None = Field(
        default=None,
        description="Name of the search service, or its address.",
        examples=["${AZURE_AI_SEARCH_SERVICE_ACCOUNT_NAME}"],
    )
    ai_search_credential_type: Literal["default_azure_credential", "azure_key_credential"] = Field(
        default="default_azure_credential", description="The app's identity, or a key."
    )
    ai_search_api_key: str | None = Field(default=None, description="The key, where that is what is used.", repr=False)
    ai_search_api_version: str = Field(default="2025-11-01-preview", description="Version of the service's API.")
    ai_search_index: str | None = Field(default=None, description="Name of the index.", examples=["documents"])
    index_mode: Literal["document", "documents", "chunks"] = Field(
        default="chunks", description="A document for the item, or one for each chunk."
    )
    chunk_iterator_field: str = Field(default="chunks", description="Field of the chunks.")
    content_to_index_mappings: TextMap = Field(
        default={},
        description="From path to field of the index; `chunk.` for those of a chunk. Unset: content, embedding, url, filename, filepath, title, summary. Chunks that have an `id` are taken as they are.",
        examples=[{"id.canonical_id": "url", "chunk.text": "content", "chunk.embedding": "vector"}],
    )
    index_action_type: Literal["upload", "merge", "mergeOrUpload", "delete"] = Field(
        default="mergeOrUpload", description="What is done."
    )
    key_field: str = Field(
        default="id",
        description="Field of the index that is its key; made of the item's id, where no mapping writes it.",
    )
    batch_size: int = Field(default=100, ge=1, le=1000, description="Most documents of one request.")
    add_timestamp: bool = Field(default=True, description="Write `indexed_at`, the time of the step before this one.")
    max_retries: int = Field(
        default=3, ge=0, le=10, description="Tries at once for documents that the service may take later."
    )
    retry_delay: float = Field(
        default=1.0, ge=0, le=60, description="Pause before the first of them; it doubles. Unit: seconds."
    )
    timeout_secs: float = Field(default=30.0, ge=1, description="Longest time for one item. Unit: seconds.")

    @model_validator(mode="before")
    @classmethod
    def _known_as(cls, given: Any) -> Any:
        """The names that connectors have for the same."""
        if not isinstance(given, dict):
            return given
        return {
            {"endpoint": "ai_search_account", "index_name": "ai_search_index"}.get(name, name): value
            for name, value in given.items()
        }

    @model_validator(mode="after")
    def _has_its_key(self) -> Self:
        if self.ai_search_credential_type == "azure_key_credential" and not self.ai_search_api_key:
            raise ValueError("ai_search_api_key is needed for azure_key_credential")
        return self

    @property
    def endpoint(self) -> str:
        """The address of the service."""
        account = self.ai_search_account or ""
        return account if "://" in account else f"https://{account}.search.windows.net"


def _needs(settings: IndexSettings, app: Settings) -> Sequence[str]:
    missing = {
        "ai_search_account": (settings.ai_search_account, "AZURE_AI_SEARCH_SERVICE_ACCOUNT_NAME"),
        "ai_search_index": (settings.ai_search_index, "AZURE_AI_SEARCH_INDEX"),
    }
    lines = [
        f"{name}: an index of Azure AI Search is needed; {variable} may name it"
        for name, (value, variable) in missing.items()
        if not value
    ]
    return lines or refused("ai_search_account", settings.endpoint, app)


@executor(
    "ai_search_index_output",
    settings=IndexSettings,
    category="output",
    aliases=("ai_search_index_writer",),
    example={
        "ai_search_account": "my-search",
        "ai_search_index": "documents",
        "content_to_index_mappings": {"chunk.text": "content"},
    },
    needs=_needs,
)
async def ai_search_index_output(item: Content, settings: IndexSettings, run: Run) -> Content:
    """Put items, or their chunks, into an index of Azure AI Search.

    Each document's key is made of the item's canonical id: indexed again, it takes the place of what was there. Vectors stay lists. Documents that the service takes later are sent again; one that it
    refuses fails the item.
    """
    for line in _needs(settings, run.settings):
        raise ContentError(line)
    documents = _documents(item, settings, run)
    service = Service("Azure AI Search", settings.endpoint, _SCOPE, "api-key", _key(settings))
    for at in range(0, len(documents), settings.batch_size):
        await _index(service, documents[at : at + settings.batch_size], settings, run)
    item.summary_data |= {"indexed_count": len(documents), "index_status": "success"}
    return item


def _key(settings: IndexSettings) -> str | None:
    return settings.ai_search_api_key if settings.ai_search_credential_type == "azure_key_credential" else None


async def _index(service: Service, documents: list[Data], settings: IndexSettings, run: Run) -> None:
    path = f"indexes('{settings.ai_search_index}')/docs/search.index?api-version={settings.ai_search_api_version}"
    delay = settings.retry_delay
    for attempt in range(settings.max_retries + 1):
        body = json.dumps(
            {"value": [{"@search.action": settings.index_action_type, **each} for each in documents]}
        ).encode()
        answer = await service.send(run, "POST", path, body, seconds=settings.timeout_secs)
        rows = answer.body.get("value", []) if isinstance(answer.body, dict) else []
        failed = {str(row.get("key")): int(row.get("statusCode") or 0) for row in rows if not row.get("status")}
        if not failed:
            return
        if lasting := sorted({status for status in failed.values() if status not in _PASSING}):
            raise ContentError(
                f"Azure AI Search refuses {len(failed)} of {len(documents)} documents ({', '.join(map(str, lasting))})"
            )
        documents = [each for each in documents if str(each[settings.key_field]) in failed]
        if attempt < settings.max_retries:
            await run.clock.sleep(delay)
            delay *= 2
    raise RetryLater(delay, f"Azure AI Search does not take {len(documents)} documents now")


def _documents(item: Content, settings: IndexSettings, run: Run) -> list[Data]:
    names = {
        **item.summary_data,
        **item.data,
        "id": item.id.model_dump(mode="json"),
        "metadata": item.scope()["metadata"],
    }
    mappings = settings.content_to_index_mappings or _DEFAULT
    at = item.executor_logs[-1].end_time if item.executor_logs else run.clock.now()
    chunks = item.get(settings.chunk_iterator_field) if settings.index_mode == "chunks" else [None]
    made = []
    for number, chunk in enumerate(chunks if isinstance(chunks, list) else []):
        whole = isinstance(chunk, dict) and "id" in chunk and not settings.content_to_index_mappings
        document: Data = dict(chunk) if whole and isinstance(chunk, dict) else _mapped(names, chunk, mappings, settings)
        suffix = "" if chunk is None else f"-{number}"
        document = {settings.key_field: f"{hashed(item.id.canonical_id)}{suffix}", **document}
        if chunk is not None and not whole:
            document["chunk_index"] = number
        if settings.add_timestamp:
            document["indexed_at"] = at.isoformat().replace("+00:00", "Z")
        made.append(document)
    return made


def _mapped(names: Data, chunk: Any, mappings: dict[str, str], settings: IndexSettings) -> Data:
    document: Data = {}
    for path, target in mappings.items():
        of_chunk = path.startswith("chunk.")
        value = value_at(chunk, path.removeprefix("chunk.")) if of_chunk else value_at(names, path)
        if value is not None and (of_chunk or target not in document):
            document[target] = shown(value) if isinstance(value, dict) or _holds_objects(value) else value
    if "content" not in document and settings.index_mode != "chunks" and not settings.content_to_index_mappings:
        document["content"] = next(
            (each["text"] for each in names.values() if isinstance(each, dict) and isinstance(each.get("text"), str)),
            "",
        )
    return document


def _holds_objects(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(each, dict | list) for each in value)


class RagSettings(ItemSettings):
    """Where things are in an item, and what stands in for what is missing."""

    chunk_field: str = Field(
        default="chunks", description="Field of the chunks; without it the whole text is one document."
    )
    content_field: str = Field(default="text", description="Path of the text, in a chunk or in the item.")
    max_chunk_size: int = Field(default=32_766, ge=1, le=32_766, description="Longest text. Unit: bytes of UTF-8.")
    extract_title: bool = Field(
        default=True, description="Take the first heading as the title, where there is no title."
    )
    title_field: str | None = Field(default=None, description="Path of the title.")
    max_title_length: int = Field(default=50, ge=1, description="Longest title. Unit: characters.")
    category_field: str | None = Field(default=None, description="Path of the category.")
    default_category: str | None = Field(default="document", description="Category of what has none.")
    summary_field: str | None = Field(default="summary", description="Path of the summary.")
    source_value: str | None = Field(
        default=None, description="What `source` is; unset: the type of the item's source."
    )
    related_images_field: str | None = Field(
        default=None, description="Path of a list of pictures, in a chunk or in the item."
    )
    related_files_field: str | None = Field(
        default=None, description="Path of a list of files, in a chunk or in the item."
    )
    id_prefix: str | None = Field(default=None, description="What ids begin with.")
    parent_id_field: str | None = Field(
        default=None, description="Path of the id of what it is a part of; unset: container and path."
    )
    url_field: str | None = Field(default=None, description="Path of the address; unset: the item's canonical id.")
    output_field: str = Field(default="search_documents", description="Field of the documents.")
    add_output_metadata: bool = Field(default=False, description="Count the documents in the summary.")


@executor(
    "gptrag_search_index_document_generator",
    settings=RagSettings,
    category="transform",
    example={"title_field": "title", "id_prefix": "doc-"},
)
async def gptrag_search_index_document_generator(item: Content, settings: RagSettings, run: Run) -> Content:
    """Make documents for an index in the form that GPT-RAG has.

    One for each chunk, or one of the whole text. `ai_search_index_output` with `chunk_iterator_field: search_documents` sends them as they are.
    """
    chunks = item.get(settings.chunk_field)
    if not isinstance(chunks, list) or not chunks:
        text = item.get(settings.content_field)
        chunks = [{settings.content_field: text if isinstance(text, str) else whole_text(item) or ""}]
    documents = [
        _rag(item, chunk if isinstance(chunk, dict) else {}, number, settings) for number, chunk in enumerate(chunks)
    ]
    put(item.data, settings.output_field, documents)
    if settings.add_output_metadata:
        item.summary_data["gptrag_search_index_documents"] = {
            "documents_generated": len(documents),
            "timestamp": run.clock.now().isoformat(),
        }
    return item


def _rag(item: Content, chunk: Data, number: int, settings: RagSettings) -> Data:
    text = shown(value_at(chunk, settings.content_field) or "")
    text = text.encode()[: settings.max_chunk_size].decode(errors="ignore")
    place = f"/{item.id.container or ''}/{item.id.path or ''}"
    about = chunk.get("metadata") if isinstance(chunk.get("metadata"), dict) else {}
    pages = (about or {}).get("page_numbers") or [chunk.get("page_number") or 0]
    return {
        "id": _rag_id(item, number, settings), "parent_id": str(_of(item, settings.parent_id_field) or place), "metadata_storage_path": place,
        "metadata_storage_name": item.id.filename or "", "metadata_storage_last_modified": str((item.id.metadata or {}).get("last_modified", "")),
        "metadata_security_group_ids": [], "metadata_security_user_ids": [], "metadata_security_rbac_scopes": "", "chunk_id": number,
        "content": text, "imageCaptions": "", "page": pages[0], "offset": (about or {}).get("offset") or chunk.get("offset") or 0, "length": len(text),
        "title": _title(item, settings), "category": str(_of(item, settings.category_field) or settings.default_category or ""), "filepath": place,
        "url": str(_of(item, settings.url_field) or item.id.canonical_id), "summary": shown(_of(item, settings.summary_field) or ""),
        "related_images": _related(item, chunk, settings.related_images_field), "related_files": _related(item, chunk, settings.related_files_field),
        "source": settings.source_value or item.id.source_type or "",
        **({"contentVector": chunk["embedding"]} if isinstance(chunk.get("embedding"), list) else {}),
    }  # fmt: skip


def _of(item: Content, path: str | None) -> Any:
    if not path:
        return None
    found = item.get(path)
    return value_at(item.scope()["metadata"], path) if found is None else found


def _related(item: Content, chunk: Data, path: str | None) -> list[Any]:
    found = (value_at(chunk, path) or item.get(path)) if path else None
    return found if isinstance(found, list) else []


def _rag_id(item: Content, number: int, settings: RagSettings) -> str:
    """Letters, digits, dashes and lines below, as the keys of an index are; a hash tells apart what that makes equal."""
    bare = re.sub(r"[^A-Za-z0-9_-]+", "-", item.id.canonical_id).strip("-")[:64]
    return f"{settings.id_prefix or ''}{bare}-{hashed(item.id.canonical_id)[:12]}-c{number:05d}"


def _title(item: Content, settings: RagSettings) -> str:
    title = _of(item, settings.title_field)
    if not title and settings.extract_title:
        lines = (line.strip() for line in (whole_text(item) or "").splitlines())
        title = next((line.lstrip("#").strip() for line in lines if re.match(r"#{1,6} \S", line)), None)
    name = (item.id.filename or "").rsplit(".", 1)[0]
    return str(title or name)[: settings.max_title_length]
