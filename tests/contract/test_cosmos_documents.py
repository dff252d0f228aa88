"""What the Cosmos DB store does beyond its port: calls over the wire, containers, errors of the service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from shared.adapters import opening
from shared.adapters.cosmos import CosmosDocuments, indexing_policy
from shared.containers import Container
from shared.ports import Document, DocumentStore, Query, StorageError, Where
from shared.settings import load
from support.cosmos import KEY, CosmosProcess
from support.node import free_ports
from support.wire import Wire


def document(id: str, **properties: Any) -> Document:
    return {"id": id, "pk": "p", **properties}


async def test_each_operation_is_one_call(cosmos_documents: DocumentStore, wire: Wire, unique: str) -> None:
    await cosmos_documents.create(unique, document("makes the container"))
    wire.requests.clear()
    etag = await cosmos_documents.create(unique, document("a"))
    await cosmos_documents.read(unique, "p", "a")
    await cosmos_documents.replace(unique, document("a"), etag)
    await cosmos_documents.delete(unique, "p", "a")
    await cosmos_documents.put_newer(unique, document("b", version=1))
    assert wire.calls == ["POST", "GET", "PUT", "DELETE", "POST"]
    wire.requests.clear()
    await cosmos_documents.put_newer(unique, document("b", version=2))
    await cosmos_documents.put_newer(unique, document("b", version=9))
    await cosmos_documents.put_newer(unique, document("b", version=3))
    assert wire.calls == ["PATCH", "PATCH", "PATCH"]
    wire.requests.clear()
    await cosmos_documents.put_newer(unique, document("c", version=2))
    assert wire.calls == ["PATCH", "POST"]


async def test_what_expires_is_said_where_cosmos_db_looks(
    cosmos_documents: DocumentStore, cosmos: CosmosProcess, unique: str
) -> None:
    await cosmos_documents.put_newer(unique, document("a", version=1, ttl=60))
    await cosmos_documents.put_newer(unique, document("b", version=1, ttl=60))
    await cosmos_documents.put_newer(unique, document("b", version=2))
    async with CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False) as client:
        container = client.get_database_client("nightshift").get_container_client(unique)
        stored = [await container.read_item(name, "p") for name in "ab"]
    assert [item["ttl"] for item in stored] == [60, -1]
    assert [item["version"] for item in stored] == [1, 2]


async def test_a_document_of_an_earlier_version_is_read_and_written_in_the_form_of_today(
    cosmos_documents: DocumentStore, cosmos: CosmosProcess, unique: str
) -> None:
    """It was the item itself."""
    earlier = [document(name, version=3, status="failed", ttl=60) for name in ("a", "b", "c")]
    await cosmos_documents.create(unique, document("new", status="failed"))
    async with CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False) as client:
        container = client.get_database_client("nightshift").get_container_client(unique)
        for each in earlier:
            await container.create_item(each)
    read = await cosmos_documents.read(unique, "p", "a")
    assert read is not None
    assert read.value == earlier[0]
    assert (await cosmos_documents.query(unique, Query(partition="p"))).items == [
        *earlier,
        document("new", status="failed"),
    ]

    await cosmos_documents.replace(unique, {**earlier[0], "n": 1}, read.etag)
    assert not await cosmos_documents.put_newer(unique, {**earlier[1], "version": 2})
    assert await cosmos_documents.put_newer(unique, earlier[1])  # the same version, so that a repair mends the index
    assert not await cosmos_documents.put_newer(unique, earlier[1])
    assert await cosmos_documents.put_newer(unique, {**earlier[2], "version": 4})
    found = await cosmos_documents.query(unique, Query((Where("status", "=", "failed"),), partition="p"))
    assert [each["id"] for each in found.items] == ["a", "b", "c", "new"]
    assert [each.get("version") for each in found.items] == [3, 3, 4, None]


async def test_a_query_of_one_partition_is_one_call(cosmos_documents: DocumentStore, wire: Wire, unique: str) -> None:
    for n in range(30):
        await cosmos_documents.create(unique, document(str(n), status="failed"))
    query = Query((Where("status", "=", "failed"),), partition="p", limit=20)
    await cosmos_documents.query(unique, query)
    wire.requests.clear()
    await cosmos_documents.query(unique, query)
    assert wire.calls == ["POST"]


async def test_a_missing_container_is_made_with_its_partition_key_and_no_default_expiry(
    cosmos_documents: DocumentStore, cosmos: CosmosProcess, unique: str
) -> None:
    await asyncio.gather(*(cosmos_documents.read(unique, "p", str(n)) for n in range(10)))
    async with CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False) as client:
        properties = await client.get_database_client("nightshift").get_container_client(unique).read()
    assert properties["partitionKey"]["paths"] == ["/pk"]
    assert properties["defaultTtl"] == -1


def test_what_is_declared_of_a_container_is_its_index() -> None:
    few, most = Container("c", "", indexed=("a", "b")), Container("d", "", unindexed=("/text/?",))
    assert indexing_policy(few) == {
        "includedPaths": [{"path": "/body/a/?"}, {"path": "/body/b/?"}],
        "excludedPaths": [{"path": "/*"}, {"path": '/"_etag"/?'}],
    }
    assert indexing_policy(most) == {
        "includedPaths": [{"path": "/*"}],
        "excludedPaths": [{"path": "/body/text/?"}, {"path": '/"_etag"/?'}],
    }
    assert indexing_policy("e")["includedPaths"] == [{"path": "/*"}]


async def test_without_leave_to_make_it_a_missing_container_is_a_clear_error(
    cosmos: CosmosProcess, unique: str
) -> None:
    client = CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False)
    documents = CosmosDocuments(client, unique)
    for _ in range(2):
        with pytest.raises(StorageError, match="no container 'jobs' in the database"):
            await documents.read("jobs", "p", "a")
    database = await client.create_database(unique)
    await database.create_container("jobs", PartitionKey("/pk"))
    assert await documents.read("jobs", "p", "a") is None
    await documents.close()


async def test_a_container_that_goes_away_is_a_storage_error_and_not_a_missing_document(
    cosmos_documents: DocumentStore, cosmos: CosmosProcess, unique: str
) -> None:
    etag = await cosmos_documents.create(unique, document("a"))
    async with CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False) as client:
        await client.get_database_client("nightshift").delete_container(unique)
    outcomes = await asyncio.gather(
        cosmos_documents.read(unique, "p", "a"), cosmos_documents.create(unique, document("a")),
        cosmos_documents.replace(unique, document("a"), etag), cosmos_documents.delete(unique, "p", "a"),
        cosmos_documents.query(unique, Query()), return_exceptions=True,
    )  # fmt: skip
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 5


async def test_no_server_is_a_storage_error() -> None:
    (port,) = free_ports(1)
    documents = opening.open_documents(load({"COSMOS_ENDPOINT": f"http://127.0.0.1:{port}/", "COSMOS_KEY": KEY}))
    outcomes = await asyncio.gather(
        documents.read("c", "p", "a"), documents.create("c", document("a")), documents.delete("c", "p", "a"),
        documents.query("c", Query()), documents.put_newer("c", document("a", version=2)), return_exceptions=True,
    )  # fmt: skip
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 5
    await documents.close()


async def test_a_server_that_went_away_is_a_storage_error() -> None:
    server = CosmosProcess()
    server.start()
    documents = opening.open_documents(load({"COSMOS_ENDPOINT": server.endpoint, "COSMOS_KEY": KEY}))
    etag = await documents.create("c", document("a"))
    server.kill()
    outcomes = await asyncio.gather(
        documents.read("c", "p", "a"), documents.create("c", document("b")), documents.delete("c", "p", "a"),
        documents.replace("c", document("a"), etag), documents.query("c", Query()), return_exceptions=True,
    )  # fmt: skip
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 5
    await documents.close()


async def test_a_lost_answer_is_a_storage_error(cosmos_documents: DocumentStore, wire: Wire, unique: str) -> None:
    etag = await cosmos_documents.create(unique, document("a"))
    wire.answers_to_lose = 1
    with pytest.raises(StorageError) as raised:
        await cosmos_documents.replace(unique, document("a", n=1), etag)
    assert type(raised.value) is StorageError
    assert wire.answers_to_lose == 0
    found = await cosmos_documents.read(unique, "p", "a")
    assert found is not None
    assert found[0] == document("a", n=1)


async def test_what_the_service_does_not_understand_is_a_storage_error(
    cosmos_documents: DocumentStore, unique: str
) -> None:
    with pytest.raises(StorageError, match="querying documents: 400"):
        await cosmos_documents.query(unique, Query(limit=-5))
