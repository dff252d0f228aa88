"""Records in Cosmos DB: looked up to enrich items, and written of them. Without an account of their own, in the app's document store."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from shared.domains.pipelines.containers import RECORDS
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, ItemSettings, Run, executor
from shared.domains.pipelines.executors.endpoints import refused
from shared.domains.pipelines.executors.fields import Data, hashed, put
from shared.domains.pipelines.executors.forms import Names, TextMap
from shared.jobs import RetryLater
from shared.ports import Query, StorageError, TooLargeError, Where
from shared.settings import Settings
from shared.storage import compare_and_swap, write

_SIMPLE = re.compile(r"\s*SELECT\s+\*\s+FROM\s+c(?:\s+WHERE\s+(?P<where>.+?))?\s*;?\s*", re.IGNORECASE | re.DOTALL)
_EQUAL = re.compile(r"\s*c\.(\w+)\s*(=|<=|>=|<|>)\s*@(\w+)\s*")
_OWN = frozenset({"id", "pk", "ttl", "version"})


class LookupSettings(ItemSettings):
    """Where the records are, and which are wanted."""

    cosmos_endpoint: str | None = Field(
        default=None,
        description="Address of the account; unset: the records that `cosmos_output` has written.",
        examples=["${COSMOS_ENDPOINT}"],
    )
    cosmos_key: str | None = Field(default=None, description="Key of the account.", repr=False)
    credential_type: Literal["key", "default_azure_credential"] = Field(
        default="key", description="The key, or the app's identity."
    )
    cosmos_database: str = Field(default="", description="Database of the account.")
    cosmos_container: str = Field(
        min_length=1, description="Container; or, without an account, the collection of `cosmos_output`."
    )
    lookup_mode: Literal["point_read", "query"] = Field(
        default="query", description="By id and partition key, or by a query."
    )
    query_template: str = Field(
        default="", description="Query with parameters. Without an account only comparisons joined by AND.",
        examples=["SELECT * FROM c WHERE c.sku = @sku"],
    )  # fmt: skip
    field_mappings: TextMap = Field(
        default={},
        description="Parameters and the paths of their values; for point_read `id` and `partition_key`.",
        examples=[{"@sku": "product.sku"}],
    )
    partition_key_field: str = Field(default="", description="Path of the partition key that a query looks in.")
    output_field: str = Field(default="cosmos_lookup_result", description="Field of what was found.")
    result_mode: Literal["first", "all"] = Field(default="all", description="The first record, or a list.")
    flatten_single: bool = Field(default=False, description="A list of one is that one.")
    max_results: int = Field(default=50, ge=1, le=1000, description="Most records.")
    max_concurrent: int = Field(default=5, ge=1, le=100, description="Most items at a time.")
    fail_pipeline_on_error: bool = Field(default=False, description="Whether the execution fails where an item does.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.lookup_mode == "query" and not self.query_template:
            raise ValueError("query_template is needed where lookup_mode is query")
        if (
            self.lookup_mode == "point_read"
            and not {"id", "partition_key"} <= self.field_mappings.keys()
            and self.cosmos_endpoint
        ):
            raise ValueError("field_mappings needs id and partition_key where lookup_mode is point_read")
        if self.cosmos_endpoint and not self.cosmos_database:
            raise ValueError("cosmos_database is needed beside cosmos_endpoint")
        if self.cosmos_endpoint and self.credential_type == "key" and not self.cosmos_key:
            raise ValueError("cosmos_key is needed where credential_type is key")
        if not self.cosmos_endpoint and self.lookup_mode == "query":
            conditions(self.query_template)
        return self


def conditions(query: str) -> list[tuple[str, str, str]]:
    """A simple query as comparisons: property, operator, parameter.

    Raises:
        ValueError: it is another one.
    """
    found = _SIMPLE.fullmatch(query)
    if not found:
        raise ValueError(
            "query_template: without cosmos_endpoint only SELECT * FROM c WHERE c.name = @parameter AND ... is understood"
        )
    parts = re.split(r"\s+AND\s+", found["where"], flags=re.IGNORECASE) if found["where"] else []
    read = [_EQUAL.fullmatch(each) for each in parts]
    if not all(read):
        raise ValueError(
            "query_template: without cosmos_endpoint only comparisons c.name = @parameter, joined by AND, are understood"
        )
    return [(each[1], each[2], each[3]) for each in read if each]


def _lookup_needs(settings: LookupSettings, app: Settings) -> Sequence[str]:
    return (
        refused("cosmos_endpoint", settings.cosmos_endpoint, app, app.cosmos_endpoint)
        if settings.cosmos_endpoint
        else ()
    )


@executor(
    "cosmos_db_lookup",
    settings=LookupSettings,
    category="transform",
    example={
        "cosmos_container": "products", "query_template": "SELECT * FROM c WHERE c.sku = @sku", "field_mappings": {"@sku": "product.sku"},
        "result_mode": "first",
    },
    needs=_lookup_needs,
)  # fmt: skip
async def cosmos_db_lookup(item: Content, settings: LookupSettings, run: Run) -> Content:
    """Look records up by values of an item.

    In a container of Cosmos DB, or, without an account, among the records that `cosmos_output` has written into a collection of that name. Values go as parameters, never into the query's text. What is not found
    is `null`, or an empty list.
    """
    for line in _lookup_needs(settings, run.settings):
        raise ContentError(line)
    values = {name.removeprefix("@"): item.get(path) for name, path in settings.field_mappings.items()}
    partition = item.get(settings.partition_key_field) if settings.partition_key_field else None
    found = await (
        _foreign(settings, values, partition, run) if settings.cosmos_endpoint else _own(settings, values, run)
    )
    result: Any = found
    if (
        settings.result_mode == "first"
        or settings.lookup_mode == "point_read"
        or (settings.flatten_single and len(found) == 1)
    ):
        result = found[0] if found else None
    put(item.data, settings.output_field, result)
    item.summary_data |= {"cosmos_lookup_status": "success", "records_found": len(found)}
    return item


async def _own(settings: LookupSettings, values: Data, run: Run) -> list[Data]:
    if settings.lookup_mode == "point_read":
        known = values.get("id")
        found = (
            await run.documents.read(RECORDS, settings.cosmos_container, record_id(str(known)))
            if known is not None
            else None
        )
        return [shown_record(found.value)] if found else []
    wheres = []
    for name, operator, parameter in conditions(settings.query_template):
        value = values.get(parameter)
        if not isinstance(value, str | int | float):
            return []  # nothing equals what is not there
        wheres.append(Where(name if name not in _OWN else f"{name}_", operator, value))  # type: ignore[arg-type] # as matched
    query = Query(tuple(wheres), limit=settings.max_results, partition=settings.cosmos_container)
    return [shown_record(each) for each in (await run.documents.query(RECORDS, query)).items]


async def _foreign(settings: LookupSettings, values: Data, partition: Any, run: Run) -> list[Data]:
    """What an account answers, its errors as errors of the item."""
    from azure.core.exceptions import AzureError
    from azure.cosmos.exceptions import CosmosHttpResponseError

    try:
        async with _opened(settings, run) as container:
            if settings.lookup_mode == "point_read":
                return await _point(container, values)
            return await _queried(container, settings, values, partition)
    except CosmosHttpResponseError as error:
        if error.status_code in (400, 401, 403, 404):
            raise ContentError(f"Cosmos DB refuses the lookup ({error.status_code})") from None
        raise RetryLater(0.0, f"Cosmos DB answered {error.status_code}") from None
    except AzureError as error:
        raise RetryLater(0.0, f"Cosmos DB did not answer ({type(error).__name__})") from None


@asynccontextmanager
async def _opened(settings: LookupSettings, run: Run) -> AsyncIterator[Any]:
    from azure.cosmos.aio import CosmosClient
    from azure.identity.aio import DefaultAzureCredential

    async with AsyncExitStack() as stack:
        credential: Any = settings.cosmos_key
        if settings.credential_type != "key":
            signed = DefaultAzureCredential(managed_identity_client_id=run.settings.azure_client_id)
            credential = await stack.enter_async_context(signed)
        endpoint = str(settings.cosmos_endpoint)
        client = CosmosClient(endpoint, credential, enable_endpoint_discovery=endpoint.startswith("https:"))
        await stack.enter_async_context(client)
        yield client.get_database_client(settings.cosmos_database).get_container_client(settings.cosmos_container)


async def _point(container: Any, values: Data) -> list[Data]:
    from azure.cosmos.exceptions import CosmosResourceNotFoundError

    if values.get("id") is None or values.get("partition_key") is None:
        return []
    try:
        return [dict(await container.read_item(str(values["id"]), values["partition_key"]))]
    except CosmosResourceNotFoundError:
        return []


async def _queried(container: Any, settings: LookupSettings, values: Data, partition: Any) -> list[Data]:
    parameters = [{"name": f"@{name}", "value": value} for name, value in values.items()]
    more = {"partition_key": partition} if partition is not None else {}
    found: list[Data] = []
    async for row in container.query_items(
        settings.query_template, parameters=parameters, max_item_count=settings.max_results, **more
    ):
        found.append(row if isinstance(row, dict) else {"value": row})
        if len(found) >= settings.max_results:
            break
    return found


class RecordSettings(ItemSettings):
    """What is written, and under which id."""

    collection: str = Field(
        pattern=r"^[\w-]{1,100}$",
        description="Name of the collection: what `cosmos_db_lookup` calls container.",
        examples=["invoices"],
    )
    id_field: str | None = Field(
        default=None, description="Path of the id; unset: made of the item's canonical id.", examples=["invoice.number"]
    )
    fields: Names = Field(default=(), description="Fields that are written; none: all.")
    include_summary: bool = Field(default=True, description="Write the item's summary, as `summary_data`.")
    ttl_seconds: int | None = Field(
        default=None, ge=60, description="After this time the record is deleted; unset: never. Unit: seconds."
    )


@executor(
    "cosmos_output",
    settings=RecordSettings,
    category="output",
    example={"collection": "invoices", "id_field": "invoice.number"},
)
async def cosmos_output(item: Content, settings: RecordSettings, run: Run) -> Content:
    """Write items as records into the app's document store.

    Into the container `pipeline_records` of Cosmos DB, or of the embedded store; one record for each id, written over by a later one. `cosmos_db_lookup` finds them.
    """
    known = item.get(settings.id_field) if settings.id_field else None
    if settings.id_field and known is None:
        raise ContentError(f"there is no field {settings.id_field!r} for the record's id")
    name = record_id(str(known)) if settings.id_field else hashed(item.id.canonical_id)
    fields = {path: item.get(path) for path in settings.fields} if settings.fields else dict(item.data)
    record: Data = {
        **{field if field not in _OWN else f"{field}_": value for field, value in fields.items()},
        "id": name, "pk": settings.collection, "content_id": item.id.model_dump(mode="json"), "pipeline": run.pipeline, "execution_id": run.execution_id,
    }  # fmt: skip
    if settings.include_summary:
        record["summary_data"] = item.summary_data
    if settings.ttl_seconds:
        record["ttl"] = settings.ttl_seconds
    try:
        await _keep(run, record)
    except TooLargeError:
        raise ContentError("the record is larger than 2 MB; `fields` may name those that are wanted") from None
    except StorageError as error:
        raise RetryLater(0.0, f"the record was not written ({type(error).__name__})") from None
    item.summary_data["cosmos_output"] = {"collection": settings.collection, "id": name}
    return item


@compare_and_swap("the record")
async def _keep(run: Run, record: Data) -> None:
    await write(run.documents, RECORDS, record, await run.documents.read(RECORDS, record["pk"], record["id"]))


def record_id(text: str) -> str:
    """An id as the store takes it; what it does not take becomes a hash."""
    return text if re.fullmatch(r"[\w.:@-]{1,200}", text) else hashed(text)


def shown_record(document: Data) -> Data:
    """A record as it was written."""
    return {name: value for name, value in document.items() if name not in ("pk", "ttl") and not name.startswith("_")}
