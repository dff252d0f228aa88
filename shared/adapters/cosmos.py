"""Documents in Azure Cosmos DB."""
# ruff: noqa: S608  values are parameters, and names are checked

from __future__ import annotations

import asyncio
import random
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
from shared.containers import Container
from shared.ports import (
    AlreadyExistsError,
    Document,
    Page,
    PreconditionError,
    Query,
    StorageError,
    Versioned,
    checked_id,
    checked_name,
    names_of,
    page,
)

_PARTITION_KEY = "/pk"
_TTL_BY_DOCUMENT = -1
"""The container's default: no document expires but those with a ``ttl`` of their own."""
_ETAG = '/"_etag"/?'
"""Cosmos DB's own property of every item, which its policies leave out by default."""
_KEYS = ("id", "pk")
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 1.0
"""Seconds between two tries of one write, doubled each time."""
_OWNER_MISSING = 1003
"""The sub-status that tells a missing container from a missing document."""


class CosmosDocuments:
    """Containers of one Cosmos DB database (`shared.ports.DocumentStore`).

    A document is stored as the ``body`` of an item, beside what Cosmos DB and this adapter look at: ``id``, ``pk``, ``ttl`` and
    ``version``. So one patch replaces it as a whole, on condition of its version, without a read: a patch takes ten
    properties at most and cannot say "and nothing else". Earlier versions stored a document as the item itself: that form is
    read, and replaced by the next write; queries with conditions do not find it.

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

    async def read(self, container: str, pk: str, id: str) -> Versioned[Document] | None:
        """Return the document and its ETag, or None."""
        with translated("reading a document"):
            items = await self._container(container)
            try:
                found = await items.read_item(checked_id(id), pk)
            except CosmosResourceNotFoundError as error:
                _raise_if_container_is_gone(error)
                return None
        return Versioned(_document(found), str(found["_etag"]))

    async def create(self, container: str, document: Document) -> str:
        """Create the document and return its ETag; AlreadyExistsError if partition and id are taken."""
        with translated("creating a document"):
            items, item = await self._container(container), _item(document)
            try:
                return _etag(await items.create_item(item, no_response=True))
            except CosmosResourceExistsError:
                raise AlreadyExistsError("the document exists already") from None

    async def replace(self, container: str, document: Document, etag: str) -> str:
        """Replace the document if the ETag still matches; return the new one, else PreconditionError (also if missing)."""
        with translated("replacing a document"):
            items, item = await self._container(container), _item(document)
            try:
                return _etag(await items.replace_item(item["id"], item, **_if(etag), no_response=True))
            except CosmosResourceNotFoundError as error:
                _raise_if_container_is_gone(error)
                raise PreconditionError("the document is gone") from None
            except CosmosAccessConditionFailedError:
                raise PreconditionError("the document has changed") from None

    async def put_newer(self, container: str, document: Document) -> bool:
        """Write the document unless the stored one has the same or a higher ``version``; say if it wrote.

        One request where it is the first version and makes the document, or a later one and replaces it.
        """
        if document["version"] == 1 and await self._created(container, document):
            return True
        wait = _FIRST_WAIT
        while (written := await self._patched(container, document)) is None:
            if await self._created(container, document):
                return True
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  no secret
            wait = min(2 * wait, _LONGEST_WAIT)
        return written

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
        names = names_of(query)
        with translated("querying documents"):
            items = await self._container(container)
            rows = items.query_items(text, parameters=parameters, max_item_count=query.limit + 1, **scope)
            documents = [_document(row) if names is None else row async for row in rows]
        return page(documents, query)

    async def close(self) -> None:
        """Close the connections."""
        await close_all(self._client, *self._owned)

    async def _created(self, container: str, document: Document) -> bool:
        try:
            await self.create(container, document)
        except AlreadyExistsError:
            return False
        return True

    async def _patched(self, container: str, document: Document) -> bool | None:
        """Replace a stored document of a lower version; False where its version is not lower, None where there is none."""
        item = _item(document)
        operations = [{"op": "set", "path": f"/{name}", "value": item[name]} for name in ("body", "version", "ttl")]
        version = repr(float(document["version"]))
        lower = f"FROM c WHERE c.version < {version} OR (c.version = {version} AND NOT IS_DEFINED(c.body))"
        with translated("replacing a document"):
            items = await self._container(container)
            try:
                await items.patch_item(item["id"], item["pk"], operations, filter_predicate=lower, no_response=True)
            except CosmosResourceNotFoundError as error:
                _raise_if_container_is_gone(error)
                return None
            except CosmosAccessConditionFailedError:
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
            name, PartitionKey(_PARTITION_KEY), default_ttl=_TTL_BY_DOCUMENT, indexing_policy=indexing_policy(name)
        )


def indexing_policy(container: str) -> dict[str, Any]:
    """What Cosmos DB keeps an index of in a container: what is declared of it (`Container`), else everything."""
    indexed = container.indexed if isinstance(container, Container) else None
    unindexed = container.unindexed if isinstance(container, Container) else ()
    if indexed is None:
        included, excluded = ["/*"], [f"/body{path}" for path in unindexed]
    else:
        included, excluded = [f"/body/{name}/?" for name in indexed], ["/*"]
    return {
        "includedPaths": [{"path": path} for path in included],
        "excludedPaths": [{"path": path} for path in [*excluded, _ETAG]],
    }


def _if(etag: str) -> dict[str, Any]:
    return {"etag": etag, "match_condition": MatchConditions.IfNotModified}


def _etag(written: Any) -> str:
    """The headers have it whether or not the service sends the document back."""
    return str(written.get_response_headers()["etag"])


def _item(document: Document) -> dict[str, Any]:
    """What is stored for a document. Its own time to live and version stay in it: the item always has both."""
    body = {name: value for name, value in document.items() if name not in _KEYS}
    keys = {"id": checked_id(document["id"]), "pk": document["pk"]}
    return {**keys, "version": document.get("version", 0), "ttl": document.get("ttl", _TTL_BY_DOCUMENT), "body": body}


def _document(item: dict[str, Any]) -> Document:
    """The document in an item; one without a body is the document itself, but for Cosmos DB's own properties."""
    if "body" in item:
        return {"id": item["id"], "pk": item["pk"], **item["body"]}
    return {name: value for name, value in item.items() if not name.startswith("_")}


def _property(name: str) -> str:
    return f'c["{name}"]' if name in _KEYS else f'c["body"]["{checked_name(name)}"]'


def _raise_if_container_is_gone(error: CosmosResourceNotFoundError) -> None:
    if error.sub_status == _OWNER_MISSING:
        raise StorageError("the Cosmos DB container is gone") from error


def _sql(query: Query) -> tuple[str, list[dict[str, Any]]]:
    order = _property(query.order_by)
    conditions = [f"{_property(where.name)} {where.op} @p{n}" for n, where in enumerate(query.where)]
    values: dict[str, Any] = {f"@p{n}": where.value for n, where in enumerate(query.where)}
    if query.order_by not in _KEYS:
        conditions.append(f"IS_STRING({order})")
    if query.after is not None:
        conditions.append(f"{order} {'<' if query.descending else '>'} @after")
        values["@after"] = query.after
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    names = names_of(query)
    what = "*" if names is None else ", ".join(map(_property, names))
    direction = "DESC" if query.descending else "ASC"
    text = f"SELECT TOP {int(query.limit) + 1} {what} FROM c{where} ORDER BY {order} {direction}"
    return text, [{"name": name, "value": value} for name, value in values.items()]
