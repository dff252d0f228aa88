"""The storage SDK's pipeline: what the SDK builds, and what of it is left."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from azure.core.settings import settings as azure_settings
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueServiceClient

from shared.adapters import opening, pipeline, retries, transport
from shared.adapters.pipeline import lean, policies_of
from shared.ports import BlobStore, MessageQueues
from shared.settings import load
from support.azurite import AzuriteProcess
from support.wire import Wire

SECRET = "c2VjcmV0"
LEAN = ["SafeRetry", "RequestHeaders"]
KEY, IDENTITY = "SharedKeyCredentialPolicy", "AsyncStorageBearerTokenCredentialPolicy"
BY_KEY = {"AzureWebJobsStorage": f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={SECRET}"}
BY_SIGNATURE = {
    "AzureWebJobsStorage": "BlobEndpoint=https://a.example;QueueEndpoint=https://a.example;SharedAccessSignature=sv=1&sig=x"
}
BY_IDENTITY = {"AzureWebJobsStorage__accountName": "a"}


def names(client: Any) -> list[str]:
    return list(policies_of(client))


async def test_the_sdk_builds_what_is_known() -> None:
    """Fails where a new version of the SDK builds another pipeline: then look at what is new, and say it in `pipeline`."""
    options: dict[str, Any] = {"retry_policy": retries.SafeRetry()}
    blobs = ContainerClient("https://a.blob.core.windows.net", "c", credential=SECRET, **options)
    queues = QueueServiceClient("https://a.queue.core.windows.net", credential=SECRET, **options)
    for client, known in ((blobs, pipeline.BLOBS), (queues, pipeline.QUEUES)):
        built = names(client)
        assert built.index(KEY) == built.index("StorageRequestHook") + 1
        assert [name for name in built if name != KEY] == list(known)
        await client.close()


@pytest.mark.parametrize(
    ("environment", "credential"), [(BY_KEY, [KEY]), (BY_SIGNATURE, []), (BY_IDENTITY, [IDENTITY])]
)
async def test_what_is_needed_is_left(environment: dict[str, str], credential: list[str]) -> None:
    blobs, queues = opening.open_blobs(load(environment), "c"), opening.open_queues(load(environment))
    assert names(blobs._container) == [*LEAN, *credential]
    assert names(queues._service) == ["QueueMessagePolicy", "ContentDecodePolicy", *LEAN, *credential]
    assert names(queues._service.get_queue_client("x")) == names(queues._service)
    await blobs.close()
    await queues.close()


async def test_a_pipeline_that_is_not_known_is_left_as_it_is() -> None:
    client = ContainerClient("https://a.blob.core.windows.net", "c", credential=SECRET)
    before = names(client)
    lean(client, pipeline.BLOBS)
    assert names(client) == before
    await client.close()


async def test_every_request_has_a_date_an_agent_and_an_id_of_its_own(
    azure_blobs: BlobStore, azure_queues: MessageQueues, wire: Wire, unique: str
) -> None:
    etag = await azure_blobs.create("x", b"")
    await azure_blobs.read("x")
    await azure_blobs.replace("x", b"", etag)
    await azure_blobs.list_page("")
    await azure_blobs.delete("x")
    await azure_queues.send(unique, "x")
    (message,) = await azure_queues.receive(unique)
    await azure_queues.delete(unique, message)
    headers = [request.headers for request in wire.requests]
    ids = {uuid.UUID(each["x-ms-client-request-id"]) for each in headers}
    assert len(ids) == len(headers) == 12
    assert {each.version for each in ids} == {4}
    assert all(each["User-Agent"].startswith("azsdk-python-storage-") for each in headers)
    assert all(each["x-ms-date"].endswith("GMT") for each in headers)


async def test_the_sdks_make_no_spans_unless_the_environment_asks(
    azurite: AzuriteProcess, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure_settings.tracing_enabled, "_user_value", azure_settings.tracing_enabled._user_value)
    azure_settings.tracing_enabled = True
    monkeypatch.setenv("AZURE_TRACING_ENABLED", "true")
    transport.quiet()
    assert azure_settings.tracing_enabled() is True
    monkeypatch.delenv("AZURE_TRACING_ENABLED")
    blobs = opening.open_blobs(load({"AzureWebJobsStorage": azurite.connection_string}), unique)
    assert azure_settings.tracing_enabled() is False
    await blobs.close()
