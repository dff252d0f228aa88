"""The queue of documents: from an upload to its text, again where the cause of a failure is gone, and never twice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from shared.domains.documents.model import Operation, QueueStatus
from shared.domains.documents.queue import DocumentQueueService, TakenError, process_document_queue
from shared.domains.documents.store import DocumentMissingError
from shared.jobs import Priority, SupersededError
from shared.ports import StorageError
from shared.web.answers import Problem
from support.document_app import DocumentApp
from support.documents import pdf

WORDS = b"The parcel was left with the neighbours, who did not know when we would be back."


@pytest.fixture
def app() -> DocumentApp:
    return DocumentApp()


async def test_an_upload_answers_pending_at_once_and_is_read_by_its_job(app: DocumentApp) -> None:
    ticket = await app.upload(WORDS, "C:\\folder\\note.txt")
    assert (ticket["status"], ticket["duplicate"], ticket["version"]) == ("pending", False, 1)
    assert (await app.ask("GetDocumentQueue")).body == b'{"pending":1,"in_progress":0,"failed":0,"completed":0}'
    await app.run()
    document = await app.document(ticket["document_id"])
    assert (document["status"], document["outcome"], document["format"]) == ("completed", "text", "text")
    assert (document["name"], document["language"], document["characters"]) == ("note.txt", "en", len(WORDS))
    assert [each["event"] for each in document["events"]] == ["uploaded", "queued", "read"]
    answer = await app.ask("GetDocumentText", document_id=ticket["document_id"])
    assert (answer.body, answer.content_type) == (WORDS, "text/plain; charset=utf-8")
    assert (await app.ask("GetDocumentQueue")).body == b'{"pending":0,"in_progress":0,"failed":0,"completed":1}'


async def test_the_same_content_is_one_document_also_when_it_comes_twice_at_once(app: DocumentApp) -> None:
    tickets = await asyncio.gather(*(app.upload(WORDS, f"{name}.txt") for name in "abc"))
    assert len({ticket["document_id"] for ticket in tickets}) == 1
    await app.run()
    again = await app.ask("UploadDocument", body=WORDS, name="other.txt")
    assert again.status == 200
    listed = await app.view("ListDocuments")
    assert len(listed["items"]) == 1
    assert listed["items"][0]["status"] == "completed"


async def test_a_new_version_replaces_the_old_one_only_when_it_was_read(app: DocumentApp) -> None:
    first = await app.upload(WORDS, "note.txt")
    await app.run()
    document_id = first["document_id"]
    assert (await app.upload(b"%PDF-1.4 broken", "note.pdf", document_id=document_id))["version"] == 2
    await app.run()
    broken = await app.document(document_id)
    assert (broken["status"], broken["outcome"], broken["current"]["number"], broken["waiting"]["number"]) == (
        "failed",
        "broken",
        1,
        2,
    )
    assert (await app.ask("GetDocumentText", document_id=document_id)).body == WORDS
    await app.upload(b"Better words.", "note.txt", document_id=document_id)
    await app.run()
    read = await app.document(document_id)
    assert (read["status"], read["current"]["number"], read["waiting"]) == ("completed", 3, None)
    assert (await app.ask("GetDocumentText", document_id=document_id)).body == b"Better words."
    kept = [name for name in app.containers("documents").names() if document_id in name]
    assert sorted(kept) == [f"files/{document_id}/3", f"texts/{document_id}/3.json"]
    # What the document began with is another document's content by now.
    assert (await app.upload(WORDS, "note.txt"))["document_id"] != document_id


async def test_one_corrupt_file_stops_nothing_and_says_why(app: DocumentApp) -> None:
    names = {"a.pdf": b"%PDF-1.4 broken", "b.txt": WORDS, "c.docx": b"PK\x03\x04 broken", "d.pdf": pdf("", "")}
    ids = {name: (await app.upload(data, name))["document_id"] for name, data in names.items()}
    await app.run()
    ended = {name: await app.document(document_id) for name, document_id in ids.items()}
    assert {name: each["outcome"] for name, each in ended.items()} == {
        "a.pdf": "broken", "b.txt": "text", "c.docx": "broken", "d.pdf": "no_text",
    }  # fmt: skip
    assert ended["a.pdf"]["words"].startswith("This document is damaged")
    with pytest.raises(Problem, match="damaged"):
        await app.ask("GetDocumentText", document_id=ids["a.pdf"])
    listed = await app.view("ListDocuments", outcome="broken")
    assert {each["name"] for each in listed["items"]} == {"a.pdf", "c.docx"}
    stats = await DocumentQueueService(app.app.engine).get_queue_stats()
    assert stats == {"pending": 0, "in_progress": 0, "failed": 3, "completed": 1}


async def test_a_failed_document_comes_back_by_the_replay_of_its_job(
    app: DocumentApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
    ticket = await app.upload(data, "x.bin")
    await app.run()
    failed = await app.document(ticket["document_id"])
    assert (failed["status"], failed["outcome"]) == ("failed", "unsupported")
    answer = await app.view("ReprocessDocuments", body={"status": "failed", "outcome": "unsupported"})
    assert answer["queued"] == 1
    pending = await app.document(ticket["document_id"])
    assert (pending["status"], pending["job_id"]) == ("pending", failed["job_id"])
    await app.run()
    assert (await app.document(ticket["document_id"]))["status"] == "failed"
    assert (await app.view("ReprocessDocuments", body={"reader_before": 1}))["queued"] == 0
    assert (await app.view("ReprocessDocuments", body={"reader_before": 2}))["queued"] == 1


async def test_the_methods_of_the_queue_take_an_item_from_pending_to_its_end(app: DocumentApp) -> None:
    queue = DocumentQueueService(app.app.engine)
    one, two = [(await app.upload(f"Words {n}.".encode(), f"{n}.txt"))["document_id"] for n in (1, 2)]
    low = await queue.enqueue(one, Operation.REPROCESS)
    assert (low.document_id, low.status) == (one, QueueStatus.PENDING)  # it waits already
    items = await queue.get_pending_items(10)
    assert [item.document_id for item in items] == [one, two]
    assert len(await queue.get_pending_items(1)) == 1
    taken = await queue.mark_in_progress(items[0])
    assert (taken.status, taken.attempt) == (QueueStatus.IN_PROGRESS, 1)
    with pytest.raises(TakenError):
        await queue.mark_in_progress(items[0])
    assert (await app.document(one))["status"] == "in_progress"
    assert [item.document_id for item in await queue.get_pending_items(10)] == [two]
    done = await queue.mark_completed(taken)
    assert done.status is QueueStatus.COMPLETED
    failed = await queue.mark_failed(await queue.mark_in_progress(items[1]), "the scanner was upside down")
    assert (failed.status, failed.error) == (QueueStatus.FAILED, "the scanner was upside down")
    assert (await app.document(two))["words"] == "the scanner was upside down"
    assert await queue.get_queue_stats() == {"pending": 0, "in_progress": 0, "failed": 1, "completed": 1}
    with pytest.raises(DocumentMissingError):
        await queue.enqueue("0" * 8 + "-0000-0000-0000-000000000000")


async def test_who_was_superseded_marks_nothing(app: DocumentApp) -> None:
    queue = DocumentQueueService(app.app.engine)
    await app.upload(WORDS, "x.txt")
    (item,) = await queue.get_pending_items(5)
    taken = await queue.mark_in_progress(item)
    app.clock.advance(3600)
    await app.app.engine.sweep()
    await app.run()  # its lease has ended: the engine took it
    with pytest.raises(SupersededError):
        await queue.mark_completed(taken)
    assert (await app.document(item.document_id))["outcome"] == "text"


async def test_urgent_items_come_first(app: DocumentApp) -> None:
    queue = DocumentQueueService(app.app.engine)
    first = (await app.upload(b"First.", "1.txt"))["document_id"]
    await app.run()
    await app.upload(b"Second.", "2.txt")
    await queue.enqueue(first, Operation.REPROCESS, Priority.HIGH)
    assert next(item.document_id for item in await queue.get_pending_items(5)) == first


async def test_a_cron_beside_the_trigger_and_beside_itself_reads_each_document_once(app: DocumentApp) -> None:
    for number in range(6):
        await app.upload(f"Words {number}.".encode(), f"{number}.txt")
    await app.upload(b"%PDF-1.4 broken", "broken.pdf")
    engine = app.app.engine
    one, other, _ = await asyncio.gather(process_document_queue(engine), process_document_queue(engine), app.run())
    await app.run()
    listed = (await app.view("ListDocuments"))["items"]
    jobs = [(await engine.get(each["job_id"])).value for each in listed]
    assert sorted(each["status"] for each in listed) == ["completed"] * 6 + ["failed"]
    assert [job.attempt for job in jobs] == [1] * 7
    assert one["processed"] + other["processed"] <= 7
    assert await process_document_queue(engine) == {"processed": 0, "completed": 0, "failed": 0}


async def test_a_cron_alone_does_all_the_work(app: DocumentApp) -> None:
    await app.upload(WORDS, "x.txt")
    await app.upload(b"%PDF-1.4 broken", "broken.pdf")
    answer = await app.view("WorkDocumentQueue")
    assert answer == {"processed": 2, "completed": 1, "failed": 1}
    await app.run()  # the messages of both find nothing to do
    assert {each["status"] for each in (await app.view("ListDocuments"))["items"]} == {"completed", "failed"}


async def test_a_password_mends_a_protected_document_and_is_kept_nowhere(
    app: DocumentApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.domains.documents import processing
    from shared.domains.documents.text import Outcome, Refusal, Text

    class Locked:
        async def read(self, data: bytes, name: str, password: str | None = None) -> Text | Refusal:
            return Text("Open.", "pdf") if password == "sesame" else Refusal.of(Outcome.ENCRYPTED, format="pdf")

    monkeypatch.setattr(processing, "document_reader", lambda _: Locked())
    ticket = await app.upload(b"%PDF- locked", "x.pdf")
    await app.run()
    locked = await app.document(ticket["document_id"])
    assert (locked["outcome"], "password" in locked["words"]) == ("encrypted", True)
    await app.view("ReprocessDocument", document_id=ticket["document_id"], body={"password": "sesame"})
    await app.run()
    assert (await app.document(ticket["document_id"]))["status"] == "completed"
    for name in app.blobs.names():
        found = await app.blobs.read(name)
        assert found is not None
        assert b"sesame" not in found.data
    assert await app.documents.read("documents", ticket["document_id"], "password") is None

    await app.view("ReprocessDocument", document_id=ticket["document_id"])  # nobody gives the password again
    await app.run()
    kept = await app.document(ticket["document_id"])
    assert (kept["status"], kept["outcome"], kept["events"][-1]["event"]) == ("completed", "text", "not read anew")
    assert (await app.ask("GetDocumentText", document_id=ticket["document_id"])).body == b"Open."


async def test_what_takes_too_long_is_tried_again_and_then_says_so(
    app: DocumentApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.domains.documents import processing
    from shared.domains.documents.text import Outcome, Refusal, Text

    class Slow:
        async def read(self, data: bytes, name: str, password: str | None = None) -> Text | Refusal:
            return Refusal.of(Outcome.TIMED_OUT)

    monkeypatch.setattr(processing, "document_reader", lambda _: Slow())
    ticket = await app.upload(WORDS, "x.txt")
    await app.run()
    assert (await app.document(ticket["document_id"]))["status"] in ("pending", "in_progress")
    for _ in range(4):
        app.clock.advance(3600)
        await app.run()
    ended = await app.document(ticket["document_id"])
    assert (ended["status"], ended["outcome"], ended["words"]) == (
        "failed",
        "timed_out",
        "Reading this document took too long.",
    )
    assert (await app.app.engine.get(ended["job_id"])).value.failures == 3


@pytest.mark.parametrize("dies_at", range(1, 7))
async def test_an_upload_that_dies_between_two_calls_is_whole_after_the_next(
    app: DocumentApp, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each storage call of an upload in turn is the last of its process; the client sends the file again."""
    calls = 0

    def dying(inner: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def call(*args: object, **kwargs: object) -> object:
            nonlocal calls
            calls += 1
            if calls == dies_at:
                raise StorageError("gone")
            return await inner(*args, **kwargs)

        return call

    files = app.containers("documents")
    with monkeypatch.context() as patch:
        for store, name in (
            (files, "create"),
            (app.documents, "create"),
            (app.documents, "replace"),
            (app.blobs, "create"),
            (app.queues, "send"),
        ):
            patch.setattr(store, name, dying(getattr(store, name)))
        try:
            await app.upload(WORDS, "x.txt")
        except StorageError:
            assert dies_at <= 5
    app.restart()
    ticket = await app.upload(WORDS, "x.txt")
    app.clock.advance(3600)
    await app.app.engine.sweep()
    await app.run()
    document = await app.document(ticket["document_id"])
    assert (document["status"], document["outcome"]) == ("completed", "text")
    assert len((await app.view("ListDocuments"))["items"]) == 1


async def test_the_timer_takes_up_a_document_that_was_left_without_a_job(
    app: DocumentApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.domains.documents.kinds import TendDocuments, tend_documents

    async def dies(*_: object, **__: object) -> None:
        raise StorageError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(app.app.engine, "submit", dies)
        with pytest.raises(StorageError):
            await app.upload(WORDS, "x.txt")
    await app.containers("documents").create("uploads/2000-01-01T00-00-00-forgotten", b"x")
    app.clock.advance(1200)
    ticket = await app.app.submit(tend_documents, TendDocuments())
    await app.run()
    assert (await app.app.engine.get(ticket.job.job_id)).value.results == {"submitted": 1, "uploads_deleted": 1}
    (listed,) = (await app.view("ListDocuments"))["items"]
    assert listed["status"] == "completed"


async def test_documents_are_deleted_with_their_files_alone_and_by_state(app: DocumentApp) -> None:
    ids = [(await app.upload(f"Words {n}.".encode(), f"{n}.txt"))["document_id"] for n in range(3)]
    await app.upload(b"%PDF-1.4 broken", "broken.pdf")
    await app.run()
    await app.ask("DeleteDocument", document_id=ids[0])
    await app.ask("DeleteDocument", document_id=ids[0])
    assert await app.view("ClearDocuments", status="failed") == {"deleted": 1, "more": False}
    assert {each["document_id"] for each in (await app.view("ListDocuments"))["items"]} == set(ids[1:])
    assert not [name for name in app.containers("documents").names() if ids[0] in name]


async def test_a_text_is_had_by_pages_and_in_chunks(app: DocumentApp) -> None:
    ticket = await app.upload(pdf("First page.", "Second page."), "x.pdf")
    await app.run()
    of = {"document_id": ticket["document_id"]}
    assert (await app.ask("GetDocumentText", page=2, **of)).body == b"Second page."
    with pytest.raises(Problem, match="no page 3"):
        await app.ask("GetDocumentText", page=3, **of)
    chunks = await app.view("GetDocumentChunks", size=50, overlap=0, limit=1, **of)
    assert (chunks["total"], chunks["cursor"], chunks["items"][0]["page"]) == (1, None, 1)
    with pytest.raises(Problem, match="overlap"):
        await app.ask("GetDocumentChunks", size=50, overlap=60, **of)


async def test_a_form_brings_a_file_with_its_password_and_priority(app: DocumentApp) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="na\xc3\xafve.txt"\r\nContent-Type: text/plain\r\n\r\n'
        + WORDS + b'\r\n--b\r\nContent-Disposition: form-data; name="priority"\r\n\r\nhigh\r\n--b--\r\n'
    )  # fmt: skip
    headers = {"content-type": "multipart/form-data; boundary=b"}
    ticket = await app.view("UploadDocument", body=body, headers=headers)
    assert (await app.app.engine.get(ticket["job_id"])).value.priority is Priority.HIGH
    await app.run()
    assert (await app.document(ticket["document_id"]))["name"] == "naïve.txt"
    assert (await app.ask("GetDocumentText", document_id=ticket["document_id"])).body == WORDS
    for bad in (body[:-20], b"", body.replace(b"filename", b"nothing")):
        with pytest.raises(Problem):
            await app.ask("UploadDocument", body=bad, headers=headers)
