"""Documents over HTTP: uploading, looking, reading them again, and the queue."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.parameters import LIST, PAGE, UUID
from shared.web.requests import read_choice, read_limit, read_model, read_moment, unfit
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import OPERATE, READ, WRITE, Rule

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.documents.intake import Taken, Upload
    from shared.domains.documents.model import Stored
    from shared.domains.documents.queue import DocumentQueueService
    from shared.domains.documents.text import Text
    from shared.ports import Where

LARGEST_UPLOAD = 100 * 2**20
"""What a function takes in one request; larger files are put to an address of their own."""
_UPLOAD = Rule("client", "writes", LARGEST_UPLOAD)
_NO_STORE = {"Cache-Control": "no-store"}
_UPLOAD_MINUTES = 60
_MOST_CLEARED = 200

api = Api(
    __name__,
    "documents",
    Parameter("document_id", "path", UUID, "The document's id."),
    Parameter("upload_id", "path", {"type": "string"}, "The upload's id."),
)
_NAME = Parameter("name", "query", {"type": "string"}, "The file's name, where the body is the file itself.")
_OF = Parameter("document_id", "query", UUID, "The document of which the file is a new version.")
_FILTERS = (
    Parameter("status", "query", "model:QueueStatus", "Only in this state."),
    Parameter("outcome", "query", "text:Outcome", "Only those whose reading ended so."),
    Parameter("format", "query", {"type": "string"}, "Only of this format, such as `pdf`."),
    Parameter("language", "query", {"type": "string"}, "Only in this language (ISO 639-1)."),
)
_SPLIT = (
    Parameter("size", "query", {"type": "integer", "minimum": 50, "maximum": 20000, "default": 1000}, "Characters of a chunk."),
    Parameter("overlap", "query", {"type": "integer", "minimum": 0, "maximum": 10000, "default": 150}, "Characters repeated."),
)  # fmt: skip


@api.route(
    "UploadDocument", "POST documents", _UPLOAD, {200: "views:DocumentTicket", 202: "views:DocumentTicket"}, (404,),
    parameters=(_NAME, _OF), media=("application/octet-stream", "multipart/form-data"), headers=("Location",),
)  # fmt: skip
async def upload_document(app: App, call: Call) -> Answer:
    """Take a document in, as the body or as a file of a form (with the fields `password`, `document_id`, `priority`): 202 with "pending"."""
    from shared.domains.documents.uploads import upload_of

    return await _take(app, call, upload_of(call))


@api.route("CreateDocumentUpload", "POST documents/uploads", WRITE, {201: "views:UploadView"})
async def create_document_upload(app: App, call: Call) -> Answer:
    """An address to which a file of any size can be put, for an hour; commit it afterwards."""
    from shared.domains.documents.views import UploadView
    from shared.storage import iso

    until = app.clock.now() + timedelta(minutes=_UPLOAD_MINUTES)
    upload_id = f"{until:%Y-%m-%dT%H-%M-%S}-{uuid4()}"
    view: UploadView = {
        "upload_id": upload_id,
        "url": await _queue(app).files.upload_address(upload_id, until),
        "headers": {"x-ms-blob-type": "BlockBlob"},
        "expires_at": iso(until),
        "commit": f"{call.api_url}/documents/uploads/{upload_id}",
    }
    return json_answer(view, 201, _NO_STORE)


@api.route(
    "CommitDocumentUpload", "POST documents/uploads/{upload_id}", WRITE,
    {200: "views:DocumentTicket", 202: "views:DocumentTicket"}, (404,), body="requests:UploadCommit", headers=("Location",),
    samples=({"name": "report.pdf"},),
)  # fmt: skip
async def commit_document_upload(app: App, call: Call) -> Answer:
    """Take in the file that was put to an upload's address."""
    from shared.domains.documents.intake import Upload
    from shared.domains.documents.requests import UploadCommit
    from shared.domains.documents.uploads import checked_upload_id

    wanted, upload_id = read_model(UploadCommit, call.body), checked_upload_id(call.path["upload_id"])
    files = _queue(app).files
    data = await files.uploaded(upload_id)
    if data is None:
        raise Problem(404, "Not found", "nothing was put to this upload's address, or it was committed already")
    upload = Upload(wanted.name, data, wanted.document_id, wanted.password, wanted.priority)
    answer = await _take(app, call, upload)
    await files.drop_upload(upload_id)
    return answer


@api.route("ListDocuments", "GET documents", READ, {200: "views:DocumentPage"}, (422,), parameters=(*_FILTERS, *PAGE))
async def list_documents(app: App, call: Call) -> Answer:
    """Documents, the newest first."""
    from shared.domains.documents.views import summary_view

    limit, cursor = read_limit(call.query), call.query.get("cursor") or None
    found, cursor = await _queue(app).files.page(_where(call), limit, cursor)
    return json_answer({"items": [summary_view(each) for each in found], "cursor": cursor}, headers=_NO_STORE)


@api.route("GetDocument", "GET documents/{document_id:guid}", READ, {200: "views:DocumentView", 304: None}, (404,))
async def get_document(app: App, call: Call) -> Answer:
    """A document: where it is in the queue, what is known of it, what happened to it."""
    from shared.domains.documents.views import document_view

    return tagged_answer(document_view(await _document(app, call)), call.if_none_match)


@api.route(
    "GetDocumentText", "GET documents/{document_id:guid}/text", READ, {200: None}, (404, 422),
    parameters=(Parameter("page", "query", {"type": "integer", "minimum": 1}, "Only this page."),),
)  # fmt: skip
async def get_document_text(app: App, call: Call) -> Answer:
    """The text of a document, or of one of its pages, as plain text in UTF-8."""
    text = await _text(app, call)
    wanted = call.query.get("page")
    if wanted is None:
        shown = text.text
    else:
        if not wanted.isdecimal() or not wanted.isascii() or len(wanted) > 9:
            raise unfit("page", "must be the number of a page, from 1")
        try:
            shown = text.of_page(int(wanted))
        except LookupError as error:
            raise Problem(404, "Not found", str(error)) from None
    return Answer(200, shown.encode(errors="replace"), _NO_STORE, "text/plain; charset=utf-8")


@api.route(
    "GetDocumentChunks", "GET documents/{document_id:guid}/chunks", READ, {200: "views:ChunkPage"}, (404, 422), parameters=(*_SPLIT, *LIST)
)  # fmt: skip
async def get_document_chunks(app: App, call: Call) -> Answer:
    """The text of a document in chunks, with the headings above each and the page on which it begins."""
    from shared.domains.documents.splitting import OVERLAP, SIZE, split
    from shared.domains.documents.views import chunk_view

    size, overlap = _whole(call, "size", SIZE, 50, 20_000), _whole(call, "overlap", OVERLAP, 0, 10_000)
    if overlap >= size:
        raise unfit("overlap", "must be smaller than size")
    limit, first = read_limit(call.query), _whole(call, "cursor", 0, 0, 10**9)
    text = await _text(app, call)
    chunks = await asyncio.to_thread(split, text, size, overlap)
    items = [chunk_view(each) for each in chunks[first : first + limit]]
    cursor = str(first + limit) if first + limit < len(chunks) else None
    return json_answer({"items": items, "total": len(chunks), "cursor": cursor}, headers=_NO_STORE)


@api.route("DeleteDocument", "DELETE documents/{document_id:guid}", WRITE, {204: None})
async def delete_document(app: App, call: Call) -> Answer:
    """Forget a document with its files. Safe to repeat."""
    await _queue(app).files.forget(call.path["document_id"].lower())
    return Answer(204)


@api.route(
    "ReprocessDocument", "POST documents/{document_id:guid}/reprocess", WRITE, {202: "views:DocumentTicket"}, (404,),
    body="requests:Reprocess", optional=True, headers=("Location",), samples=({"password": "tika"},),
)  # fmt: skip
async def reprocess_document(app: App, call: Call) -> Answer:
    """Have a document read again, with a password if one is given: 202 with "pending"."""
    from shared.domains.documents.model import Operation
    from shared.domains.documents.requests import Reprocess
    from shared.domains.documents.views import ticket_view

    wanted, stored, queue = read_model(Reprocess, call.body, optional=True), await _document(app, call), _queue(app)
    if wanted.password:
        await queue.files.give_password(stored.id, wanted.password)
    await queue.enqueue(stored.id, Operation.REPROCESS, wanted.priority)
    view = ticket_view(await _document(app, call), call.api_url)
    return json_answer(view, 202, {"Location": view["href"]})


@api.route(
    "ReprocessDocuments", "POST documents/reprocess", OPERATE, {202: "views:ReprocessView"}, body="requests:ReprocessMany",
    samples=({"status": "failed", "outcome": "unsupported"}, {"reader_before": 2}),
)  # fmt: skip
async def reprocess_documents(app: App, call: Call) -> Answer:
    """Have many documents read again: by state, by how their reading ended, by the version of the readers."""
    from shared.domains.documents.model import Operation
    from shared.domains.documents.requests import ReprocessMany
    from shared.ports import Where

    wanted, queue = read_model(ReprocessMany, call.body), _queue(app)
    given = {"status": wanted.status, "outcome": wanted.outcome, "format": wanted.format}
    where = [Where(name, "=", str(value)) for name, value in given.items() if value is not None]
    if wanted.reader_before is not None:
        where.append(Where("reader", "<", wanted.reader_before))
    found, cursor = await queue.files.page(tuple(where), wanted.limit, wanted.cursor)
    for stored in found:
        await queue.enqueue(stored.id, Operation.REPROCESS, wanted.priority)
    return json_answer({"queued": len(found), "cursor": cursor}, 202)


@api.route(
    "ClearDocuments", "DELETE documents", OPERATE, {200: "views:ClearedView"}, (422,),
    parameters=(Parameter("status", "query", {"type": "string", "enum": ["failed", "completed"]}, "Those in this state."),),
)  # fmt: skip
async def clear_documents(app: App, call: Call) -> Answer:
    """Forget the documents that failed, or those that are done, some hundred at a time."""
    from shared.ports import Where

    status = read_choice(call.query, "status", ("failed", "completed"))
    if status is None:
        raise unfit("status", "must say which: failed, or completed")
    files = _queue(app).files
    found, cursor = await files.page((Where("status", "=", status),), _MOST_CLEARED)
    for stored in found:
        await files.forget(stored.id)
    return json_answer({"deleted": len(found), "more": cursor is not None})


@api.route("GetDocumentQueue", "GET documents/queue", READ, {200: "views:QueueStats"})
async def get_document_queue(app: App, call: Call) -> Answer:  # noqa: ARG001 - nothing to ask
    """How many items of the queue are pending, in progress, failed and completed."""
    return json_answer(await _queue(app).get_queue_stats(), headers=_NO_STORE)


@api.route("WorkDocumentQueue", "POST documents/process-queue", OPERATE, {200: "views:ProcessedView"})
async def work_document_queue(app: App, call: Call) -> Answer:  # noqa: ARG001 - nothing to say
    """Work on the documents that are due, as a cron does: up to fifty, for some three minutes. Safe beside all else that works on them."""
    from shared.domains.documents.queue import process_document_queue

    return json_answer(await process_document_queue(app.engine))


async def _take(app: App, call: Call, upload: Upload) -> Answer:
    from shared.domains.documents.intake import Intake
    from shared.domains.documents.settings import DocumentSettings
    from shared.domains.documents.store import DocumentMissingError
    from shared.domains.documents.views import ticket_view

    most = app.settings.of(DocumentSettings).max_bytes
    if len(upload.data) > most:
        raise Problem(413, "Content too large", f"the file has {len(upload.data)} bytes; at most {most} are taken")
    try:
        taken: Taken = await Intake(app.engine).take(upload)
    except DocumentMissingError as error:
        raise Problem(404, "Not found", str(error)) from None
    view = ticket_view(taken.stored, call.api_url, duplicate=taken.duplicate)
    status = 200 if taken.duplicate and view["status"] != "pending" else 202
    return json_answer(view, status, {"Location": view["href"]})


def _queue(app: App) -> DocumentQueueService:
    from shared.domains.documents.queue import DocumentQueueService

    return DocumentQueueService(app.engine)


async def _document(app: App, call: Call) -> Stored:
    found = await _queue(app).files.read(call.path["document_id"].lower())
    if found is None:
        raise Problem(404, "Not found", "there is no such document")
    return found.value


async def _text(app: App, call: Call) -> Text:
    stored = await _document(app, call)
    text = await _queue(app).files.text(stored.id, stored.current) if stored.current else None
    if text is None:
        raise Problem(404, "Not found", stored.words or f"this document has no text yet: it is {stored.status.value}")
    return text


def _where(call: Call) -> tuple[Where, ...]:
    from shared.domains.documents.model import QueueStatus
    from shared.domains.documents.text import Outcome
    from shared.ports import Where
    from shared.storage import iso

    read_choice(call.query, "status", list(QueueStatus))
    read_choice(call.query, "outcome", list(Outcome))
    found = [
        Where(name, "=", value)
        for name in ("status", "outcome", "format", "language")
        if (value := call.query.get(name))
    ]
    since, until = read_moment(call.query, "since"), read_moment(call.query, "until")
    found += [Where("sort", ">=", iso(since))] if since else []
    found += [Where("sort", "<", iso(until))] if until else []
    return tuple(found)


def _whole(call: Call, name: str, default: int, least: int, most: int) -> int:
    text = call.query.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and len(text) < 12 and least <= int(text) <= most):
        raise unfit(name, f"must be a whole number from {least} to {most}")
    return int(text)
