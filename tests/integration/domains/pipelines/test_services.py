"""Executors that work with services of Azure, over real HTTP with stand-ins for them; Cosmos DB by its own SDK."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from azure.cosmos import PartitionKey
from azure.cosmos.aio import CosmosClient

from shared.domains.pipelines.executing import ContentError
from shared.jobs import RetryLater
from support.cosmos import KEY, CosmosProcess
from support.executors import Bench, item
from support.sites import Site, open_site

LAYOUT = {
    "content": "# Title\n\nHello",
    "pages": [{"pageNumber": 1, "width": 8.5, "height": 11, "unit": "inch", "lines": [{"content": "Title"}, {"content": "Hello"}]}],
    "tables": [
        {
            "rowCount": 1, "columnCount": 2, "boundingRegions": [{"pageNumber": 1}],
            "cells": [{"rowIndex": 0, "columnIndex": 1, "content": "b"}, {"rowIndex": 0, "columnIndex": 0, "content": "a"}],
        }
    ],
    "keyValuePairs": [{"key": {"content": "No."}, "value": {"content": "7"}, "confidence": 0.9}],
    "figures": [{"id": "1.1", "caption": {"content": "A chart"}, "boundingRegions": [{"pageNumber": 1}]}],
}  # fmt: skip


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


class Analysing:
    """A long operation of a service: started by a POST, done after some looks."""

    def __init__(self, site: Site, path: str, result: dict[str, Any], looks: int = 2) -> None:
        self.site, self.result, self.looks = site, result, looks
        self.started: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.asked = 0
        site.handlers[path] = self.start
        site.handlers["/operations/1"] = self.look

    async def start(self, request: web.Request) -> web.Response:
        self.started.append(request)
        self.bodies.append(await request.read())
        return web.Response(status=202, headers={"Operation-Location": self.site.url("/operations/1")})

    async def look(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.asked < self.looks:
            return web.json_response({"status": "running"}, headers={"Retry-After": "0"})
        return web.json_response(self.result)


def intelligence(site: Site, **more: Any) -> dict[str, Any]:
    return {
        "doc_intelligence_endpoint": site.url("/"), "doc_intelligence_credential_type": "azure_key_credential",
        "doc_intelligence_credential_key": "k", **more,
    }  # fmt: skip


ANALYSE = "/documentintelligence/documentModels/prebuilt-layout:analyze"


async def test_document_intelligence_reads_a_document(site: Site) -> None:
    service = Analysing(site, ANALYSE, {"status": "succeeded", "analyzeResult": LAYOUT})
    bench = Bench({"PIPELINE_HOSTS": site.host})
    settings = intelligence(site, extract_key_value_pairs=True, pages="1-3", locale="en-US", include_full_result=True)
    (made,) = await bench.do("document_intelligence_extractor", settings, await bench.file("a.pdf", b"%PDF"))
    output = made.data["doc_intell_output"]
    assert output["text"] == "# Title\n\nHello"
    assert output["pages"][0]["text"] == "Title\nHello"
    assert output["tables"] == [{"table_number": 1, "page_number": 1, "rows": 1, "columns": 2, "data": [["a", "b"]]}]
    assert output["key_value_pairs"] == [{"key": "No.", "value": "7", "confidence": 0.9}]
    assert output["figures"] == [{"id": "1.1", "caption": "A chart", "page_numbers": [1]}]
    assert made.data["doc_intell_output_full_result"] == LAYOUT
    assert made.summary_data == {"pages_analyzed": 1, "extraction_status": "success", "extractor": "azure"}
    assert service.bodies == [b"%PDF"]
    (request,) = service.started
    assert request.headers["Ocp-Apim-Subscription-Key"] == "k"
    asked = {
        "api-version": "2024-11-30",
        "outputContentFormat": "markdown",
        "pages": "1-3",
        "locale": "en-US",
        "features": "keyValuePairs",
    }
    assert asked.items() <= dict(request.query).items()


@pytest.mark.parametrize(
    ("result", "error", "words"),
    [
        ({"status": "failed", "error": {"code": "InvalidContent", "message": "secret"}}, ContentError, "could not analyse this document: InvalidContent"),
        ({"status": "running"}, RetryLater, "longer than"),
    ],
)  # fmt: skip
async def test_an_analysis_that_fails_or_never_ends(
    site: Site, result: dict[str, Any], error: type[Exception], words: str
) -> None:
    Analysing(site, ANALYSE, result)
    bench = Bench({"PIPELINE_HOSTS": site.host})
    with pytest.raises(error, match=words):
        await bench.do(
            "document_intelligence_extractor", intelligence(site, timeout_secs=1.5), await bench.file("a.pdf", b"%PDF")
        )


@pytest.mark.parametrize(
    ("status", "error"),
    [(429, RetryLater), (503, RetryLater), (401, ContentError), (400, ContentError), (307, ContentError)],
)
async def test_refusals_and_pauses_of_a_service(site: Site, status: int, error: type[Exception]) -> None:
    site.serve(
        ANALYSE,
        json.dumps({"error": {"code": "Why", "message": "secret"}}),
        status,
        "application/json",
        retry_after="9",
        location="http://x/",
    )
    bench = Bench({"PIPELINE_HOSTS": site.host})
    with pytest.raises(error) as raised:
        await bench.do("document_intelligence_extractor", intelligence(site), await bench.file("a.pdf", b"%PDF"))
    assert "secret" not in str(raised.value)
    if isinstance(raised.value, RetryLater):
        assert raised.value.seconds == 9


async def test_a_service_that_points_elsewhere_is_not_followed(site: Site) -> None:
    async def start(_: web.Request) -> web.Response:
        return web.Response(status=202, headers={"Operation-Location": "https://elsewhere.example/1"})

    site.handlers[ANALYSE] = start
    bench = Bench({"PIPELINE_HOSTS": site.host})
    with pytest.raises(ContentError, match="points to another host"):
        await bench.do("document_intelligence_extractor", intelligence(site), await bench.file("a.pdf", b"%PDF"))
    with pytest.raises(ContentError, match="none of Azure's services"):
        await Bench().do("document_intelligence_extractor", intelligence(site), await bench.file("a.pdf", b"%PDF"))


async def test_without_the_service_the_app_s_own_reader_reads() -> None:
    bench = Bench()
    given = await bench.file("a.md", b"# Title\n\nHello\n\n| a | b |\n|---|---|\n| 1 | 2 |\n")
    (made,) = await bench.do("azure_document_intelligence_extractor", {"extract_key_value_pairs": True}, given)
    assert "Hello" in made.data["doc_intell_output"]["text"]
    assert made.data["doc_intell_output"]["key_value_pairs"] == []
    assert made.summary_data["extractor"] == "built-in"
    (line,) = bench.needs("azure_document_intelligence_extractor", {"model_id": "prebuilt-invoice"})
    assert "AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT" in line


async def test_content_understanding_answers_as_it_is(site: Site) -> None:
    result = {"status": "Succeeded", "result": {"contents": [{"markdown": "# T"}]}}
    service = Analysing(site, "/contentunderstanding/analyzers/prebuilt-documentSearch:analyzeBinary", result)
    settings = {
        "content_understanding_endpoint": site.url("/"), "content_understanding_credential_type": "subscription_key",
        "content_understanding_subscription_key": "k", "content_understanding_polling_interval": 0.01, "include_full_response": True,
    }  # fmt: skip
    bench = Bench({"PIPELINE_HOSTS": site.host})
    (made,) = await bench.do("azure_content_understanding_extractor", settings, await bench.file("a.pdf", b"%PDF"))
    assert made.data["content_understanding_result"] == result
    assert service.started[0].query["api-version"] == "2025-11-01"
    assert "AZURE_CONTENT_UNDERSTANDING_ENDPOINT" in Bench().needs("azure_content_understanding_extractor")[0]


class Index:
    """An index of AI Search: takes documents, and refuses some for a while."""

    def __init__(self, site: Site) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self.keys: list[str] = []
        self.answers: dict[str, list[int]] = {}
        site.handlers["/indexes('docs')/docs/search.index"] = self.take

    async def take(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers.get("api-key", ""))
        batch = (await request.json())["value"]
        self.batches.append(batch)
        rows = []
        for each in batch:
            waiting = self.answers.get(each["content"], [])
            status = waiting.pop(0) if waiting else 201
            rows.append(
                {
                    "key": each["id"],
                    "status": status < 300,
                    "statusCode": status,
                    "errorMessage": "secret" if status > 300 else None,
                }
            )
        return web.json_response({"value": rows}, status=200 if all(row["status"] for row in rows) else 207)


def search(site: Site, **more: Any) -> dict[str, Any]:
    return {
        "ai_search_account": site.url(""), "ai_search_index": "docs", "ai_search_credential_type": "azure_key_credential",
        "ai_search_api_key": "k", **more,
    }  # fmt: skip


CHUNKS = [{"text": "one", "embedding": [0.1, 0.2]}, {"text": "two", "embedding": [0.3, 0.4]}, {"text": "three"}]


async def test_chunks_are_put_into_an_index_in_batches_and_keep_their_keys(site: Site) -> None:
    index, bench = Index(site), Bench({"PIPELINE_HOSTS": site.host})
    given, settings = item(chunks=CHUNKS, title="T"), search(site, batch_size=2)
    await bench.do("ai_search_index_output", settings, given)
    (made,) = await bench.do("ai_search_index_output", settings, given)
    assert made.summary_data == {"indexed_count": 3, "index_status": "success"}
    assert [len(each) for each in index.batches] == [2, 1, 2, 1]
    assert index.batches[:2] == index.batches[2:]
    first = index.batches[0][0]
    assert first["@search.action"] == "mergeOrUpload"
    assert (first["content"], first["embedding"], first["title"], first["chunk_index"]) == ("one", [0.1, 0.2], "T", 0)
    assert first["id"].endswith("-0")
    assert set(index.keys) == {"k"}


async def test_a_mapping_says_what_goes_where(site: Site) -> None:
    index, bench = Index(site), Bench({"PIPELINE_HOSTS": site.host})
    mappings = {"chunk.text": "content", "id.filename": "name", "metadata.author": "author", "about": "about"}
    settings = search(
        site, content_to_index_mappings=json.dumps(mappings), add_timestamp=False, index_action_type="upload"
    )
    await bench.do(
        "ai_search_index_output", settings, item(chunks=CHUNKS[:1], about={"a": 1}, metadata={"author": "Ann"})
    )
    (document,) = index.batches[0]
    assert document == {
        "@search.action": "upload", "id": document["id"], "content": "one", "name": "a.txt", "author": "Ann", "about": '{"a": 1}', "chunk_index": 0,
    }  # fmt: skip


async def test_documents_that_may_be_taken_later_are_sent_again_alone(site: Site) -> None:
    index, bench = Index(site), Bench({"PIPELINE_HOSTS": site.host})
    index.answers = {"two": [503, 409]}
    await bench.do("ai_search_index_output", search(site), item(chunks=CHUNKS))
    assert [[each["content"] for each in batch] for batch in index.batches] == [
        ["one", "two", "three"],
        ["two"],
        ["two"],
    ]
    assert bench.clock.slept == [1.0, 2.0]
    index.answers = {"two": [503] * 9}
    with pytest.raises(RetryLater, match="does not take 1 documents now"):
        await bench.do("ai_search_index_output", search(site, max_retries=1), item(chunks=CHUNKS))
    index.answers = {"one": [400]}
    with pytest.raises(ContentError, match=r"refuses 1 of 3 documents \(400\)"):
        await bench.do("ai_search_index_output", search(site), item(chunks=CHUNKS))


async def test_documents_in_the_form_of_gpt_rag_are_sent_as_they_are(site: Site) -> None:
    index, bench = Index(site), Bench({"PIPELINE_HOSTS": site.host})
    given = item("r.pdf", chunks=CHUNKS, pdf_output={"text": "# The report\n\none"}, summary="S", category="x")
    (made,) = await bench.do(
        "gptrag_search_index_document_generator", {"category_field": "category", "id_prefix": "d-"}, given
    )
    documents = made.data["search_documents"]
    assert [each["content"] for each in documents] == ["one", "two", "three"]
    assert documents[0]["title"] == "The report"
    assert (documents[0]["summary"], documents[0]["category"], documents[0]["filepath"]) == ("S", "x", "//in/r.pdf")
    assert all(
        set(each["id"]) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") for each in documents
    )
    await bench.do("ai_search_index_output", search(site, chunk_iterator_field="search_documents"), made)
    assert [each["id"] for each in index.batches[0]] == [each["id"] for each in documents]
    (whole,) = await bench.do("gptrag_search_index_document_generator", {"max_chunk_size": 3}, item(text="äöü"))
    assert [each["content"] for each in whole.data["search_documents"]] == ["ä"]


def test_an_index_that_is_not_named_is_told() -> None:
    lines = Bench().needs("ai_search_index_output")
    assert ["AZURE_AI_SEARCH_SERVICE_ACCOUNT_NAME" in lines[0], "AZURE_AI_SEARCH_INDEX" in lines[1]] == [True, True]
    assert Bench().needs("ai_search_index_output", {"ai_search_account": "acc", "ai_search_index": "i"}) == []


QUERY = {
    "query_template": "SELECT * FROM c WHERE c.sku = @sku AND c.price >= @least",
    "field_mappings": {"@sku": "p.sku", "@least": "least"},
}


async def test_records_are_written_once_for_each_id_and_found_again() -> None:
    bench = Bench()
    goods = [item(str(n), sku=f"s{n % 2}", price=n, id=f"i/{n}") for n in range(4)]
    settings = {"collection": "goods", "id_field": "id", "fields": "sku, price, id"}
    await bench.do("cosmos_output", settings, *goods)
    made = await bench.do("cosmos_output", settings, *goods)
    assert made[0].summary_data["cosmos_output"]["collection"] == "goods"
    asked = item(p={"sku": "s1"}, least=2)
    found = (await bench.do("cosmos_db_lookup", {"cosmos_container": "goods", **QUERY}, asked))[0].data[
        "cosmos_lookup_result"
    ]
    assert [(each["sku"], each["price"], each["id_"]) for each in found] == [("s1", 3, "i/3")]
    point = {"cosmos_container": "goods", "lookup_mode": "point_read", "field_mappings": {"id": "k"}}
    (one,) = await bench.do("cosmos_db_lookup", point, item(k="i/2"))
    assert one.data["cosmos_lookup_result"]["price"] == 2
    (none,) = await bench.do("cosmos_db_lookup", {**point, "output_field": "a.b"}, item(k="nothing"))
    assert none.data["a"] == {"b": None}
    (missing,) = await bench.do("cosmos_db_lookup", {"cosmos_container": "goods", **QUERY}, item())
    assert missing.data["cosmos_lookup_result"] == []
    with pytest.raises(ContentError, match="no field 'id'"):
        await bench.do("cosmos_output", {"collection": "goods", "id_field": "id"}, item())


@pytest.mark.parametrize(
    "query",
    [
        "DELETE FROM c",
        "SELECT c.a FROM c",
        "SELECT * FROM c WHERE c.a = 1",
        "SELECT * FROM c WHERE c.a = @a OR c.b = @b",
    ],
)
def test_a_query_that_is_not_understood_here_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match="without cosmos_endpoint"):
        Bench().needs("cosmos_db_lookup", {"cosmos_container": "c", "query_template": query})


async def test_records_of_an_account_are_looked_up_by_its_sdk(cosmos: CosmosProcess, unique: str) -> None:
    async with CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False) as client:
        database = await client.create_database_if_not_exists(unique)
        container = await database.create_container_if_not_exists("goods", PartitionKey("/pk"))
        for n in range(3):
            await container.create_item({"id": str(n), "pk": "a", "sku": "s", "price": n})
    host = cosmos.endpoint.split("/")[2]
    bench = Bench({"PIPELINE_HOSTS": host})
    settings = {
        "cosmos_endpoint": cosmos.endpoint,
        "cosmos_key": KEY,
        "cosmos_database": unique,
        "cosmos_container": "goods",
    }
    (made,) = await bench.do(
        "cosmos_db_lookup",
        {**settings, **QUERY, "result_mode": "first", "partition_key_field": "pk"},
        item(p={"sku": "s"}, least=2, pk="a"),
    )
    assert made.data["cosmos_lookup_result"]["price"] == 2
    point = {**settings, "lookup_mode": "point_read", "field_mappings": {"id": "k", "partition_key": "pk"}}
    found = await bench.do("cosmos_db_lookup", point, item(k=1, pk="a"), item(k=9, pk="a"), item())
    assert [each.data["cosmos_lookup_result"] and each.data["cosmos_lookup_result"]["price"] for each in found] == [
        1,
        None,
        None,
    ]
    with pytest.raises(ContentError, match="none of Azure's services"):
        await Bench().do("cosmos_db_lookup", {**settings, **QUERY, "fail_pipeline_on_error": True}, item())
