"""Documents in the document store, their files and texts in a container of blobs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from shared.domains.documents.containers import DOCUMENTS
from shared.domains.documents.model import (
    PASSWORD_ID,
    PASSWORD_SECONDS,
    Stored,
    Version,
    file_name,
    id_of,
    text_name,
)
from shared.domains.documents.settings import DocumentSettings
from shared.domains.documents.text import Heading, Page, Table, Text
from shared.ports import AlreadyExistsError, Clock, Containers, DocumentStore, Query, Where
from shared.settings import Settings
from shared.storage import Versioned, compare_and_swap, iso

_MOST_IDS = 20
"""Documents that began with the same content and have another one by now."""


class DocumentMissingError(LookupError):
    """There is no such document."""


class DocumentFiles:
    """One document at a time, and lists of them, the newest first."""

    def __init__(self, documents: DocumentStore, containers: Containers, clock: Clock, settings: Settings) -> None:
        self._documents = documents
        self._blobs = containers(settings.of(DocumentSettings).files_container)
        self._clock = clock

    # --- what is known of documents ------------------------------------------------------------------------------

    async def read(self, document_id: str) -> Versioned[Stored] | None:
        """A document, or None."""
        found = await self._documents.read(DOCUMENTS, document_id, document_id)
        return Versioned(Stored.model_validate(found.value), found.etag) if found else None

    async def create(self, stored: Stored) -> None:
        """Keep a new document; AlreadyExistsError where there is one of its id."""
        await self._documents.create(DOCUMENTS, stored.to_document())

    @compare_and_swap("the document")
    async def change(self, document_id: str, change: Callable[[Stored], Stored | None]) -> Stored:
        """Change a document; None leaves it as it is. The function may be called more than once.

        Raises:
            DocumentMissingError: there is no such document.
        """
        found = await self.read(document_id)
        if found is None:
            raise DocumentMissingError(f"there is no document {document_id}")
        changed = change(found.value)
        if changed is None:
            return found.value
        await self._documents.replace(DOCUMENTS, changed.to_document(), found.etag)
        return changed

    async def with_content(self, sha256: str) -> Stored | None:
        """The document whose newest upload has this content, if there is one."""
        for name in ("waiting_sha256", "sha256"):
            page = await self._documents.query(
                DOCUMENTS, Query((Where(name, "=", sha256),), order_by="sort", descending=True, limit=5)
            )
            for each in map(Stored.model_validate, page.items):
                if each.latest and each.latest.sha256 == sha256:
                    return each
        return None

    async def free_id(self, sha256: str) -> str:
        """An id for a new document with this content: the first that is not taken by one whose content has changed since."""
        for attempt in range(_MOST_IDS):
            found = await self.read(id_of(sha256, attempt))
            if found is None or (found.value.latest and found.value.latest.sha256 == sha256):
                return id_of(sha256, attempt)
        return id_of(sha256, _MOST_IDS)

    async def page(
        self, where: tuple[Where, ...], limit: int, cursor: str | None = None
    ) -> tuple[list[Stored], str | None]:
        """One page of documents, the newest first, and the cursor of the next."""
        query = Query(where, order_by="sort", descending=True, limit=limit, after=cursor)
        page = await self._documents.query(DOCUMENTS, query)
        return [Stored.model_validate(each) for each in page.items], page.cursor

    # --- passwords -----------------------------------------------------------------------------------------------

    async def give_password(self, document_id: str, password: str) -> None:
        """Keep a password until it has opened its document, an hour at most. No log and no job tells of it."""
        await self.forget_password(document_id)
        until = self._clock.now() + timedelta(seconds=PASSWORD_SECONDS)
        content = {"id": PASSWORD_ID, "pk": document_id, "password": password, "until": iso(until)}
        try:
            await self._documents.create(DOCUMENTS, {**content, "ttl": PASSWORD_SECONDS})
        except AlreadyExistsError:
            return  # somebody else gave one at the same moment

    async def password(self, document_id: str) -> str | None:
        """The password that was given lately, if one was."""
        found = await self._documents.read(DOCUMENTS, document_id, PASSWORD_ID)
        if found is None or str(found.value["until"]) <= iso(self._clock.now()):
            return None
        return str(found.value["password"])

    async def forget_password(self, document_id: str) -> None:
        """Delete it, if there is one."""
        await self._documents.delete(DOCUMENTS, document_id, PASSWORD_ID)

    # --- files and texts -----------------------------------------------------------------------------------------

    async def put_file(self, document_id: str, version: Version, data: bytes) -> None:
        """Keep an upload. Again is the same."""
        try:
            await self._blobs.create(file_name(document_id, version), data)
        except AlreadyExistsError:
            return

    async def file(self, document_id: str, version: Version) -> bytes | None:
        """An upload, or None where it is gone."""
        found = await self._blobs.read(file_name(document_id, version))
        return found.data if found else None

    async def put_text(self, document_id: str, version: Version, text: Text) -> None:
        """Keep what was read, in the place of what was read before."""
        name = text_name(document_id, version)
        data = await asyncio.to_thread(lambda: json.dumps(asdict(text), ensure_ascii=False).encode())
        while True:
            try:
                await self._blobs.create(name, data)
                return
            except AlreadyExistsError:
                await self._blobs.delete(name)

    async def text(self, document_id: str, version: Version) -> Text | None:
        """What was read of an upload."""
        found = await self._blobs.read(text_name(document_id, version))
        return await asyncio.to_thread(_text_of, found.data) if found else None

    async def drop(self, document_id: str, version: Version) -> None:
        """Delete an upload and what was read of it."""
        await self._blobs.delete(file_name(document_id, version))
        await self._blobs.delete(text_name(document_id, version))

    async def forget(self, document_id: str) -> None:
        """Delete a document with all its files. Safe to repeat; if it fails, repeat it."""
        await self._documents.delete(DOCUMENTS, document_id, document_id)
        await self.forget_password(document_id)
        for folder in ("files", "texts"):
            async for blob in self._blobs.list(f"{folder}/{document_id}/"):
                await self._blobs.delete(blob.name)

    # --- uploads that bypass the app -----------------------------------------------------------------------------

    async def upload_address(self, upload_id: str, until: datetime) -> str:
        """Where a client may put the file of an upload, until that moment."""
        return await self._blobs.upload_address(f"uploads/{upload_id}", until)

    async def uploaded(self, upload_id: str) -> bytes | None:
        """The file that was put there, or None."""
        found = await self._blobs.read(f"uploads/{upload_id}")
        return found.data if found else None

    async def drop_upload(self, upload_id: str) -> None:
        """Delete it."""
        await self._blobs.delete(f"uploads/{upload_id}")


def _text_of(data: bytes) -> Text:
    content: dict[str, Any] = json.loads(data)
    return Text(
        **{
            **content,
            "pages": tuple(Page(**each) for each in content["pages"]),
            "headings": tuple(Heading(**each) for each in content["headings"]),
            "tables": tuple(
                Table(**{**each, "rows": tuple(tuple(row) for row in each["rows"])}) for each in content["tables"]
            ),
            "links": tuple(content["links"]),
        }
    )
