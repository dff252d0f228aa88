"""What every `DocumentStore` does."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from shared.ports import (
    AlreadyExistsError,
    Document,
    DocumentStore,
    Page,
    PreconditionError,
    Query,
    TooLargeError,
    Versioned,
    Where,
)

RICH: Document = {
    "id": "ünï ✓ 日本 '\" %41+&=;:@~,.()[]{}",
    "pk": "pärt/it\\ion?#1",
    "text": "line\nbreak \U0001f600 ' \" ; -- DROP",
    "list": [1, 2.5, None, True, {"deep": ["x"]}],
    "empty": {},
    "big": 2**53,
    "none": None,
}


def document(id: str, pk: str = "p", **properties: Any) -> Document:
    return {"id": id, "pk": pk, **properties}


async def fill(documents: DocumentStore, container: str, *items: Document) -> None:
    for item in items:
        await documents.create(container, item)


async def read(documents: DocumentStore, container: str, id: str, pk: str = "p") -> Document | None:
    found = await documents.read(container, pk, id)
    return found[0] if found else None


async def ask(documents: DocumentStore, container: str, **query: Any) -> list[str]:
    page = await documents.query(container, Query(**query))
    return [item["id"] for item in page.items]


async def walk(documents: DocumentStore, container: str, query: Query) -> list[Page]:
    pages, after = [], query.after
    while True:
        page = await documents.query(
            container,
            Query(query.where, query.order_by, query.descending, query.limit, query.partition, after),
        )
        pages.append(page)
        if page.cursor is None:
            return pages
        after = page.cursor


# --- one document ------------------------------------------------------------------------------------------------------


async def test_what_was_created_is_read(documents: DocumentStore, unique: str) -> None:
    etag = await documents.create(unique, document("a", n=1))
    assert await documents.read(unique, "p", "a") == Versioned(document("a", n=1), etag)


async def test_values_come_back_as_they_were(documents: DocumentStore, unique: str) -> None:
    etag = await documents.create(unique, RICH)
    assert await documents.read(unique, RICH["pk"], RICH["id"]) == Versioned(RICH, etag)
    page = await documents.query(unique, Query((Where("text", "=", RICH["text"]),), partition=RICH["pk"]))
    assert page == Page([RICH], None)
    etag = await documents.replace(unique, RICH | {"n": 1}, etag)
    assert await documents.put_newer(unique, RICH | {"version": 1})
    assert await read(documents, unique, RICH["id"], RICH["pk"]) == RICH | {"version": 1}
    assert await documents.delete(unique, RICH["pk"], RICH["id"])


async def test_the_callers_document_is_left_alone(documents: DocumentStore, unique: str) -> None:
    mine = document("a", version=1)
    etag = await documents.create(unique, mine)
    await documents.replace(unique, mine, etag)
    await documents.put_newer(unique, mine)
    assert mine == document("a", version=1)


async def test_nothing_is_where_nothing_was_written(documents: DocumentStore, unique: str) -> None:
    await documents.create(unique, document("a"))
    assert await documents.read(unique, "p", "b") is None
    assert await documents.read(unique, "q", "a") is None
    assert not await documents.delete(unique, "p", "b")
    assert not await documents.delete(unique, "q", "a")


async def test_an_id_is_created_once_in_a_partition(documents: DocumentStore, unique: str) -> None:
    await documents.create(unique, document("a", n=1))
    await documents.create(unique, document("a", "q", n=2))
    await documents.create(f"{unique}-2", document("a", n=3))
    with pytest.raises(AlreadyExistsError):
        await documents.create(unique, document("a", n=4))
    assert await read(documents, unique, "a") == document("a", n=1)


async def test_of_fifty_concurrent_creates_one_wins(documents: DocumentStore, unique: str) -> None:
    tries = (documents.create(unique, document("a", n=n)) for n in range(50))
    results = await asyncio.gather(*tries, return_exceptions=True)
    (winner,) = [n for n, result in enumerate(results) if isinstance(result, str)]
    assert sum(isinstance(result, AlreadyExistsError) for result in results) == 49
    assert await read(documents, unique, "a") == document("a", n=winner)


async def test_of_twenty_concurrent_replaces_one_wins(documents: DocumentStore, unique: str) -> None:
    etag = await documents.create(unique, document("a"))
    tries = (documents.replace(unique, document("a", n=n), etag) for n in range(20))
    results = await asyncio.gather(*tries, return_exceptions=True)
    (winner,) = [n for n, result in enumerate(results) if isinstance(result, str)]
    assert sum(type(result) is PreconditionError for result in results) == 19
    assert await documents.read(unique, "p", "a") == (document("a", n=winner), results[winner], None)


async def test_replacing_replaces_the_whole_document(documents: DocumentStore, unique: str) -> None:
    etag = await documents.create(unique, document("a", old=1))
    await documents.replace(unique, document("a", new=2), etag)
    assert await read(documents, unique, "a") == document("a", new=2)


async def test_a_stale_etag_changes_nothing(documents: DocumentStore, unique: str) -> None:
    stale = await documents.create(unique, document("a", n=1))
    fresh = await documents.replace(unique, document("a", n=2), stale)
    with pytest.raises(PreconditionError):
        await documents.replace(unique, document("a", n=3), stale)
    with pytest.raises(PreconditionError):
        await documents.delete(unique, "p", "a", stale)
    assert await documents.read(unique, "p", "a") == Versioned(document("a", n=2), fresh)
    assert await documents.delete(unique, "p", "a", fresh)


async def test_what_is_gone_cannot_be_replaced(documents: DocumentStore, unique: str) -> None:
    etag = await documents.create(unique, document("a"))
    assert await documents.delete(unique, "p", "a")
    with pytest.raises(PreconditionError):
        await documents.replace(unique, document("a"), etag)
    assert not await documents.delete(unique, "p", "a", etag)


@pytest.mark.parametrize("id", ["", "a/b", "a\\b", "a?b", "a#b", "a ", "a\n", "x" * 256])
async def test_an_id_that_cosmos_db_does_not_take_is_taken_by_none(
    documents: DocumentStore, unique: str, id: str
) -> None:
    calls = (
        documents.read(unique, "p", id), documents.create(unique, document(id)), documents.delete(unique, "p", id),
        documents.replace(unique, document(id), "etag"), documents.put_newer(unique, document(id, version=1)),
    )  # fmt: skip
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == [f"not the id of a document: {id!r}"] * 5


async def test_an_id_of_255_characters_is_taken(documents: DocumentStore, unique: str) -> None:
    await documents.create(unique, document("é" * 255))
    assert await read(documents, unique, "é" * 255) == document("é" * 255)


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
async def test_more_than_2_mb_are_too_large(documents: DocumentStore, unique: str) -> None:
    await documents.create(unique, document("a", text="x" * 1_000_000))
    etag = await documents.create(unique, document("b"))
    large = document("b", text="x" * 2_200_000, version=1)
    with pytest.raises(TooLargeError):
        await documents.create(unique, large | {"id": "c"})
    with pytest.raises(TooLargeError):
        await documents.replace(unique, large, etag)
    with pytest.raises(TooLargeError):
        await documents.put_newer(unique, large | {"version": 2})


# --- versions ----------------------------------------------------------------------------------------------------------


async def test_only_a_higher_version_is_written(documents: DocumentStore, unique: str) -> None:
    outcomes = [
        await documents.put_newer(unique, document("a", version=version, n=n))
        for n, version in enumerate([2, 1, 2, 3, 3, 1])
    ]
    assert outcomes == [True, False, False, True, False, False]
    assert await read(documents, unique, "a") == document("a", version=3, n=3)


async def test_a_first_version_makes_the_document(documents: DocumentStore, unique: str) -> None:
    assert await documents.put_newer(unique, document("a", version=1))
    assert not await documents.put_newer(unique, document("a", version=1, n=2))
    assert await read(documents, unique, "a") == document("a", version=1)


async def test_a_newer_version_leaves_nothing_of_the_older(documents: DocumentStore, unique: str) -> None:
    wide: Document = {f"old{n}": n for n in range(30)}
    await documents.put_newer(unique, document("a", version=1, **wide))
    assert await documents.put_newer(unique, document("a", version=2, new=1))
    assert await read(documents, unique, "a") == document("a", version=2, new=1)


async def test_versions_that_arrive_at_once_and_in_any_order_end_with_the_highest(
    documents: DocumentStore, unique: str
) -> None:
    versions = list(range(1, 21)) * 2
    random.Random(7).shuffle(versions)
    results = await asyncio.gather(*(documents.put_newer(unique, document("a", version=v)) for v in versions))
    assert await read(documents, unique, "a") == document("a", version=20)
    written = [version for version, wrote in zip(versions, results, strict=True) if wrote]
    assert len(written) == len(set(written))
    assert 20 in written


# --- queries -----------------------------------------------------------------------------------------------------------


async def test_a_query_gives_all_documents_in_order(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, document("b"), document("c", "q"), document("a", "r"))
    assert await ask(documents, unique) == ["a", "b", "c"]
    assert await ask(documents, unique, descending=True) == ["c", "b", "a"]


async def test_a_query_looks_at_one_partition_if_told(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, document("b"), document("c", "q"), document("a"))
    assert await ask(documents, unique, partition="p") == ["a", "b"]
    assert await ask(documents, unique, partition="none") == []


async def test_containers_are_apart(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, document("a"))
    assert await ask(documents, f"{unique}-2") == []
    assert await documents.read(f"{unique}-2", "p", "a") is None


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Where("n", "=", 2), ["b"]),
        (Where("n", "<", 2), ["a"]),
        (Where("n", "<=", 2), ["a", "b"]),
        (Where("n", ">", 2), ["c"]),
        (Where("n", ">=", 2), ["b", "c"]),
        (Where("n", ">", 1.5), ["b", "c"]),
        (Where("s", "=", "y"), ["b"]),
        (Where("s", ">", "x"), ["b", "c"]),
        (Where("s", "<", "z"), ["a", "b"]),
        (Where("t", "=", True), ["a"]),
        (Where("t", "=", False), ["b"]),
        (Where("id", ">", "a"), ["b", "c", "d"]),
        (Where("pk", "=", "p"), ["a", "b", "c", "d"]),
        (Where("missing", "=", "x"), []),
    ],
)
async def test_comparisons(documents: DocumentStore, unique: str, comparison: Where, expected: list[str]) -> None:
    await fill(
        documents, unique,
        document("a", n=1, s="x", t=True), document("b", n=2, s="y", t=False), document("c", n=3.5, s="z"), document("d"),
    )  # fmt: skip
    assert await ask(documents, unique, where=(comparison,)) == expected


@pytest.mark.parametrize(
    "comparison",
    [Where("s", ">", 0), Where("n", "<", "z"), Where("n", "=", "1"), Where("n", "=", True), Where("t", "=", 1)],
)
async def test_values_of_different_types_do_not_compare(
    documents: DocumentStore, unique: str, comparison: Where
) -> None:
    await fill(documents, unique, document("a", n=1, s="x", t=True))
    assert await ask(documents, unique, where=(comparison,)) == []


async def test_all_comparisons_must_hold(documents: DocumentStore, unique: str) -> None:
    await fill(
        documents, unique,
        document("a", status="failed", at="2026-01-01"), document("b", status="failed", at="2026-01-03"),
        document("c", status="queued", at="2026-01-02"), document("d", "q", status="failed", at="2026-01-02"),
    )  # fmt: skip
    since = (Where("status", "=", "failed"), Where("at", ">=", "2026-01-02"), Where("at", "<", "2026-01-04"))
    assert await ask(documents, unique, where=since) == ["b", "d"]
    assert await ask(documents, unique, where=since, partition="q") == ["d"]


async def test_values_are_parameters(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, document("a", s="x"))
    assert await ask(documents, unique, where=(Where("s", "=", "' OR '1'='1"),)) == []
    for name in ("s = 'x' OR 1=1 --", 's"]', "s'", "", "a.b"):
        with pytest.raises(ValueError, match="not the name of a property"):
            await ask(documents, unique, where=(Where(name, "=", "x"),))


async def test_words_of_sql_are_names_too(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, document("a", value="x", order="1"), document("b", value="x", order="0"))
    assert await ask(documents, unique, where=(Where("value", "=", "x"),), order_by="order") == ["b", "a"]


async def test_a_query_gives_only_what_is_asked_for(documents: DocumentStore, unique: str) -> None:
    rich: dict[str, Any] = {"t": True, "n": 1.5, "list": [{"x": None}], "none": None, "text": "long"}
    await fill(documents, unique, document("a", key="2", **rich), document("b", key="1"), document("c", key="3", n=2))
    first = await documents.query(unique, Query(fields=("list", "t", "none", "n"), limit=2))
    assert first == Page([{"id": "a", "list": [{"x": None}], "t": True, "none": None, "n": 1.5}, {"id": "b"}], "b")
    two = await documents.query(unique, Query((Where("n", ">", 1),), order_by="key", fields=("pk", "n", "n", "key")))
    assert two.items == [{"key": "2", "pk": "p", "n": 1.5}, {"key": "3", "pk": "p", "n": 2}]
    assert (await documents.query(unique, Query(fields=()))).items == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    with pytest.raises(ValueError, match="not the name of a property"):
        await documents.query(unique, Query(fields=("a b",)))


async def test_properties_may_have_the_names_that_a_store_uses_itself(documents: DocumentStore, unique: str) -> None:
    odd = document("a", body={"id": 1}, etag="x", version=3, container="y", key="1")
    assert await documents.put_newer(unique, odd)
    assert await read(documents, unique, "a") == odd
    assert await ask(documents, unique, where=(Where("etag", "=", "x"), Where("version", "<", 4))) == ["a"]


async def test_a_document_without_a_version_is_older_than_any(documents: DocumentStore, unique: str) -> None:
    await documents.create(unique, document("a", old=1, ttl=60))
    assert await documents.put_newer(unique, document("a", version=1, new=1))
    assert await read(documents, unique, "a") == document("a", version=1, new=1)
    assert await documents.put_newer(unique, document("a", version=1.5))
    assert not await documents.put_newer(unique, document("a", version=1.25))


async def test_pages_follow_one_another(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, *(document(f"{n:02}", f"p{n % 3}") for n in range(7)))
    pages = await walk(documents, unique, Query(limit=3))
    assert [[item["id"] for item in page.items] for page in pages] == [["00", "01", "02"], ["03", "04", "05"], ["06"]]
    pages = await walk(documents, unique, Query(limit=3, descending=True))
    assert [[item["id"] for item in page.items] for page in pages] == [["06", "05", "04"], ["03", "02", "01"], ["00"]]


async def test_a_full_last_page_has_no_cursor(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, document("a"), document("b"))
    assert (await documents.query(unique, Query(limit=2))).cursor is None
    assert (await documents.query(unique, Query(limit=1))).cursor == "a"
    assert await documents.query(f"{unique}-2", Query()) == Page([], None)


async def test_the_order_of_any_property_pages_as_well(documents: DocumentStore, unique: str) -> None:
    await fill(
        documents, unique, document("a", key="3"), document("b", key="1"), document("c", key="2"), document("d"),
        document("e", key=5),
    )  # fmt: skip
    pages = await walk(documents, unique, Query(order_by="key", limit=2))
    assert [[item["id"] for item in page.items] for page in pages] == [["b", "c"], ["a"]]
    assert pages[0].cursor == "2"
    assert await ask(documents, unique, order_by="key", descending=True, after="2") == ["b"]


async def test_writing_between_two_pages_neither_repeats_nor_skips(documents: DocumentStore, unique: str) -> None:
    await fill(documents, unique, *(document(f"{n:02}") for n in range(0, 20, 2)))
    first = await documents.query(unique, Query(limit=5))
    await documents.create(unique, document("03"))
    await documents.delete(unique, "p", "04")
    await documents.delete(unique, "p", "08")
    await documents.create(unique, document("09"))
    rest = await documents.query(unique, Query(limit=50, after=first.cursor))
    seen = [item["id"] for item in (*first.items, *rest.items)]
    assert seen == ["00", "02", "04", "06", "08", "09", "10", "12", "14", "16", "18"]


async def test_a_large_page(documents: DocumentStore, unique: str) -> None:
    await asyncio.gather(*(documents.create(unique, document(f"{n:04}", str(n))) for n in range(450)))
    pages = await walk(documents, unique, Query(limit=200))
    assert [len(page.items) for page in pages] == [200, 200, 50]


async def test_a_time_to_live_is_kept_with_the_document(documents: DocumentStore, unique: str) -> None:
    await documents.create(unique, document("a", ttl=60))
    await documents.create(unique, document("b", ttl=-1))
    assert await read(documents, unique, "a") == document("a", ttl=60)
    assert await read(documents, unique, "b") == document("b", ttl=-1)
