"""Documents as clients meet them: over HTTP, under a host that is killed at the worst moments, with storage behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.azurite import AzuriteProcess
from support.documents import docx, paragraph, pdf, protected
from support.running import REPOSITORY, RunningApp, insist

WORDS = "The parcel was left with the neighbours."


@pytest.fixture
async def app(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[RunningApp]:
    names: Any = {f"JOBS_{each}QUEUE_NAME": f"{unique[:30]}-{each.lower()}q" for each in ("HIGH_", "", "LOW_")}
    names = {name: value.replace("_", "") for name, value in names.items()}
    names |= {"NIGHTSHIFT_STATUS_CONTAINER": unique, "DOCUMENT_FILES_CONTAINER": f"{unique}d"}
    running = RunningApp(azurite.connection_string, tmp_path, app=REPOSITORY, **names)
    await running.start()
    yield running
    await running.kill()


@pytest.fixture
async def client(app: RunningApp) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.url, timeout=60) as opened:
        yield opened


async def ended(client: httpx.AsyncClient, document_id: str) -> dict[str, Any]:
    """A document once it is completed, or has failed."""
    async with asyncio.timeout(180):
        while True:
            document = (await insist(client, "GET", f"/api/documents/{document_id}")).json()
            if document["status"] in ("completed", "failed"):
                return dict(document)
            await asyncio.sleep(0.1)


@pytest.mark.faults
async def test_every_upload_that_was_answered_survives_a_host_that_is_killed(
    app: RunningApp, client: httpx.AsyncClient
) -> None:
    files = {f"{n}.pdf": pdf(f"{WORDS} {n}") for n in range(6)} | {"broken.pdf": b"%PDF-1.4 broken"}
    tickets = {}
    for name, data in files.items():
        answer = await insist(client, "POST", "/api/documents", params={"name": name}, content=data)
        assert (answer.status_code, answer.json()["status"]) == (202, "pending"), answer.text
        tickets[name] = answer.json()["document_id"]
        if name in ("1.pdf", "4.pdf"):
            await app.kill()
            await app.start()
    await app.kill()
    await app.start()
    documents = {name: await ended(client, document_id) for name, document_id in tickets.items()}
    assert documents.pop("broken.pdf")["outcome"] == "broken"
    assert {each["outcome"] for each in documents.values()} == {"text"}
    for name, document in documents.items():
        text = await insist(client, "GET", f"/api/documents/{document['document_id']}/text")
        assert text.text == f"{WORDS} {name[0]}"
        job = (await insist(client, "GET", f"/api/jobs/{document['job_id']}")).json()
        assert job["status"] == "completed"
    assert len((await insist(client, "GET", "/api/documents")).json()["items"]) == len(files)


async def test_a_file_is_put_to_an_address_of_its_own_and_committed_once(client: httpx.AsyncClient) -> None:
    upload = (await insist(client, "POST", "/api/documents/uploads")).json()
    secret = protected(docx(paragraph(WORDS)), "sesame")
    async with httpx.AsyncClient() as storage:
        assert (await storage.put(upload["url"], content=secret, headers=upload["headers"])).status_code == 201
    answer = await client.post(upload["commit"], json={"name": "secret.docx", "password": "sesame"})
    assert answer.status_code == 202, answer.text
    document = await ended(client, answer.json()["document_id"])
    assert (document["outcome"], document["format"]) == ("text", "docx")
    again = await client.post(upload["commit"], json={"name": "secret.docx"})
    assert (again.status_code, again.headers["content-type"]) == (404, "application/problem+json")
    form = await client.post("/api/documents", files={"file": ("other.docx", secret)})
    assert (form.status_code, form.json()["duplicate"], form.json()["document_id"]) == (
        200,
        True,
        document["document_id"],
    )
    listed = (await client.get("/api/documents", params={"format": "docx", "status": "completed"})).json()["items"]
    assert [each["document_id"] for each in listed] == [document["document_id"]]
    assert (await client.delete(f"/api/documents/{document['document_id']}")).status_code == 204
    assert (await client.get(f"/api/documents/{document['document_id']}")).status_code == 404
