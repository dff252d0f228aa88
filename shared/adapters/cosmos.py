"""Documents in Azure Cosmos DB."""
# ruff: noqa: S608  values are parameters, and names are checked

from __future__ import annotations

import asyncio
from typing import Any

from azure.core import MatchConditions
from azure.cosmos import PartitionKey
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)

from shared.adapters.closing import Closeable, close_all
from shared.adapters.errors import translated
from shared.ports import (
    AlreadyExistsError,
    Document,
    Page,
    PreconditionError,
    Query,
    StorageError,
    checked_id,
    checked_name,
    page,
)

_PARTITION_KEY = "/pk"
_TTL_BY_DOCUMENT = -1
"""The container's default: no document expires but those with a ``ttl`` of their own."""
_OWNER_MISSING = 1003
"""The sub-status that tells a missing container from a missing document."""


class CosmosDocuments:
    """Containers of one Cosmos DB database (`shared.ports.DocumentStore`).

    Database and containers are expected to be there, made by infra, since the identity of the app may not make any; with
    `may_create`, for emulators, they are made on first need.
    """

    def __init__(self, client: CosmosClient, database: str, *owned: Closeable, may_create: bool = False) -> None:
        """Take over an account's client, and what is to be closed with it (a credential)."""
        self._client = client
        self._database = database
        self._owned = owned
        self._may_create = may_create
        self._containers: dict[str, ContainerProxy] = {}
        self._opening = asyncio.Lock()

    async def read(self, container: str, pk: str, id: str) -> tuple[Document, str] | None:
        """Return the document and its ETag, or None."""
        with translated("reading a document"):
            items = await self._container(container)
            try:
                found = await items.read_item(checked_id(id), pk)
            except CosmosResourceNotFoundError as error:
                _raise_if_container_is_gone(error)
                return None
        return _own_properties(found), str(found["_etag"])

    async def create(self, container: str, document: Document) -> str:
        """Create the document and return its ETag; AlreadyExistsError if partition and id are taken."""
        with translated("creating a document"):
            items = await self._container(container)
            checked_id(document["id"])
            try:
                return _etag(await items.create_item(document, no_response=True))
            except CosmosResourceExistsError:
                raise AlreadyExistsError("the document exists already") from None

    async def replace(self, container: str, document: Document, etag: str) -> str:
        """Replace the document if the ETag still matches; return the new one, else PreconditionError (also if missing)."""
        with translated("replacing a document"):
            items = await self._container(container)
            try:
                return _etag(
                    await items.replace_item(checked_id(document["id"]), document, **_if(etag), no_response=True)
                )
            except CosmosResourceNotFoundError as error:
                _raise_if_container_is_gone(error)
                raise PreconditionError("the document is gone") from None
            except CosmosAccessConditionFailedError:
                raise PreconditionError("the document has changed") from None

    async def put_newer(self, container: str, document: Document) -> bool:
        """Write the document unless the stored one has the same or a higher ``version``; say if it wrote.

        A conditional patch would be one call, but takes ten properties at most and leaves those that are gone. So: read,
        then replace what was read. Who loses to another writer looks again, and each round one of them is through.
        """
        if document["version"] == 1 and await self._created(container, document):
            return True
        while True:
            stored = await self.read(container, document["pk"], document["id"])
            if stored is None:
                if await self._created(container, document):
                    return True
            elif stored[0].get("version", 0) >= document["version"]:
                return False
            elif await self._replaced(container, document, stored[1]):
                return True

    async def delete(self, container: str, pk: str, id: str, etag: str | None = None) -> bool:
        """Delete the document; False where there was none, PreconditionError where the ETag given is stale."""
        with translated("deleting a document"):
            items = await self._container(container)
            try:
                await items.delete_item(checked_id(id), pk, **(_if(etag) if etag else {}))
            except CosmosResourceNotFoundError as error:
                _raise_if_container_is_gone(error)
                return False
            except CosmosAccessConditionFailedError:
                raise PreconditionError("the document has changed") from None
        return True

    async def query(self, container: str, query: Query) -> Page:
        """Return one page of documents."""
        text, parameters = _sql(query)
        scope: dict[str, Any] = {} if query.partition is None else {"partition_key": query.partition}
        with translated("querying documents"):
            items = await self._container(container)
            rows = items.query_items(text, parameters=parameters, max_item_count=query.limit + 1, **scope)
            return page([_own_properties(row) async for row in rows], query)

    async def close(self) -> None:
        """Close the connections."""
        await close_all(self._client, *self._owned)

    async def _created(self, container: str, document: Document) -> bool:
        try:
            await self.create(container, document)
        except AlreadyExistsError:
            return False
        return True

    async def _replaced(self, container: str, document: Document, etag: str) -> bool:
        try:
            await self.replace(container, document, etag)
        except PreconditionError:
            return False
        return True

    async def _container(self, name: str) -> ContainerProxy:
        return self._containers.get(name) or await self._open(name)

    async def _open(self, name: str) -> ContainerProxy:
        """Look at the container once: the SDK needs its properties, and a 404 later means a document."""
        async with self._opening:
            if name not in self._containers:
                if not self._containers:
                    await self._client.__aenter__()
                self._containers[name] = await self._make(name) if self._may_create else await self._find(name)
        return self._containers[name]

    async def _find(self, name: str) -> ContainerProxy:
        container = self._client.get_database_client(self._database).get_container_client(name)
        try:
            await container.read()
        except CosmosResourceNotFoundError:
            raise StorageError(f"Cosmos DB has no container {name!r} in the database {self._database!r}") from None
        return container

    async def _make(self, name: str) -> ContainerProxy:
        database = await self._client.create_database_if_not_exists(self._database)
        return await database.create_container_if_not_exists(
            name, PartitionKey(_PARTITION_KEY), default_ttl=_TTL_BY_DOCUMENT
        )


def _if(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _etag(written: Any) -> str:
    """The headers have it whether or not the service sends the document back."""
    return str(written.get_response_headers()["etag"])


def _own_properties(document: dict[str, Any]) -> Document:
    return {name: value for name, value in document.items() if not name.startswith("_")}


def _raise_if_container_is_gone(error: CosmosResourceNotFoundError) -> None:
    if error.sub_status == _OWNER_MISSING:
        raise StorageError("the Cosmos DB container is gone") from error


def _sql(query: Query) -> tuple[str, list[dict[str, Any]]]:
    order = f'c["{checked_name(query.order_by)}"]'
    conditions = [f'c["{checked_name(where.name)}"] {where.op} @p{n}' for n, where in enumerate(query.where)]
    values: dict[str, Any] = {f"@p{n}": where.value for n, where in enumerate(query.where)}
    if query.order_by != "id":
        conditions.append(f"IS_STRING({order})")
    if query.after is not None:
        conditions.append(f"{order} {'<' if query.descending else '>'} @after")
        values["@after"] = query.after
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    text = f"SELECT TOP {int(query.limit) + 1} * FROM c{where} ORDER BY {order} {'DESC' if query.descending else 'ASC'}"
    return text, [{"name": name, "value": value} for name, value in values.items()]
