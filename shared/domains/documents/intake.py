"""Taking documents in: what was uploaded, kept before it is answered for."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.domains.documents.model import Operation, QueueStatus, Stored, Version
from shared.domains.documents.queue import DocumentQueueService
from shared.domains.documents.store import DocumentMissingError
from shared.ports import AlreadyExistsError

if TYPE_CHECKING:
    from shared.jobs import Priority
    from shared.jobs.engine import Engine

_LONGEST_NAME = 200
_UNWANTED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, and what was said of it."""

    name: str
    data: bytes
    document_id: str | None = None
    """The document of which it is a new version; None for a document of its own."""
    password: str | None = None
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A document that was taken in. `duplicate`: there was one with this content already."""

    stored: Stored
    duplicate: bool = False


class Intake:
    """Takes documents in. From the answer on, a document cannot be lost."""

    def __init__(self, engine: Engine) -> None:
        self._queue = DocumentQueueService(engine)
        self._files = self._queue.files
        self._clock = engine.deps.clock

    async def take(self, upload: Upload) -> Taken:
        """Keep a file, then its document, then have it read: who dies in between leaves what the next try, or the timer, takes up.

        Raises:
            DocumentMissingError: it is a new version of a document that does not exist.
        """
        sha256 = hashlib.sha256(upload.data).hexdigest()
        if upload.document_id:
            return await self._new_version(upload, upload.document_id, sha256)
        known = await self._files.with_content(sha256)
        if known is None:
            document_id = await self._files.free_id(sha256)
            stored = await self._create(upload, document_id, sha256)
            if stored is not None:
                return Taken(await self._queued(stored, upload))
            found = await self._files.read(document_id)
            known = found.value if found else None
        if known is None:
            raise DocumentMissingError("the document was deleted meanwhile")
        return Taken(await self._again(known, upload), duplicate=True)

    async def _create(self, upload: Upload, document_id: str, sha256: str) -> Stored | None:
        """A new document; None where somebody else uploads the same content at the same moment."""
        version = self._version(upload, 1, sha256)
        await self._files.put_file(document_id, version, upload.data)
        now = self._clock.now()
        stored = Stored(
            id=document_id,
            name=version.name,
            status=QueueStatus.PENDING,
            waiting=version,
            uploaded_at=now,
            updated_at=now,
        ).with_event(now, "uploaded", version.name)
        try:
            await self._files.create(stored)
        except AlreadyExistsError:
            return None
        return stored

    async def _new_version(self, upload: Upload, document_id: str, sha256: str) -> Taken:
        found = await self._files.read(document_id)
        if found is None or found.value.latest is None:
            raise DocumentMissingError(f"there is no document {document_id}")
        latest = found.value.latest
        if latest.sha256 == sha256:
            return Taken(await self._again(found.value, upload), duplicate=True)
        version = self._version(upload, latest.number + 1, sha256)
        await self._files.drop(document_id, version)  # what a try left that died here
        await self._files.put_file(document_id, version, upload.data)
        now = self._clock.now()

        def newer(stored: Stored) -> Stored | None:
            if stored.latest and stored.latest.number >= version.number:
                return None
            return stored.with_event(now, "uploaded", version.name, waiting=version, status=QueueStatus.PENDING)

        stored = await self._files.change(document_id, newer)
        if found.value.waiting:
            await self._files.drop(document_id, found.value.waiting)  # nobody will read it any more
        return Taken(await self._queued(stored, upload))

    async def _again(self, stored: Stored, upload: Upload) -> Stored:
        """The same content once more: read again only where a password came with it, or it was left without a job."""
        stuck = stored.status is QueueStatus.PENDING and not stored.job_id
        return await self._queued(stored, upload) if upload.password or stuck else stored

    async def _queued(self, stored: Stored, upload: Upload) -> Stored:
        if upload.password:
            await self._files.give_password(stored.id, upload.password)
        await self._queue.enqueue(stored.id, Operation.PROCESS, upload.priority)
        found = await self._files.read(stored.id)
        return found.value if found else stored

    def _version(self, upload: Upload, number: int, sha256: str) -> Version:
        return Version(
            number=number,
            name=file_name_of(upload.name),
            bytes=len(upload.data),
            sha256=sha256,
            uploaded_at=self._clock.now(),
        )


def file_name_of(name: str) -> str:
    """A file's name as it is kept: without folders and what nobody can see, its ending whole."""
    last = _UNWANTED.sub("", name.replace("\\", "/")).rstrip("/").rpartition("/")[2].strip()
    if len(last) > _LONGEST_NAME:
        stem, dot, ending = last.rpartition(".")
        ending = ending[:20]
        last = f"{stem[: _LONGEST_NAME - len(ending) - 1]}{dot}{ending}"
    return last or "document"
