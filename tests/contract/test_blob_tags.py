"""Blobs that are found by a tag: what every `BlobStore` does, and what a service may answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from shared.adapters import opening
from shared.jobs.testing import FakeClock, MemoryBlobs
from shared.ports import BlobStore, PreconditionError, StorageError, TagPage, TagsRefusedError
from shared.settings import load
from support.azurite import connection_string
from support.node import free_ports
from support.wire import Wire

NOON = "2026-01-05T12:00:00.000000Z"


async def found(blobs: BlobStore, at_most: str, tag: str = "watch") -> dict[str, str]:
    """All pages, of two rows each."""
    rows: dict[str, str] = {}
    page = await blobs.find(tag, at_most, limit=2)
    rows |= {each.name: each.value for each in page.items}
    while page.cursor is not None:
        page = await blobs.find(tag, at_most, page.cursor, limit=2)
        rows |= {each.name: each.value for each in page.items}
    return rows


async def test_blobs_are_found_by_a_tag_of_at_most_a_value(blobs: BlobStore) -> None:
    for n in range(7):
        await blobs.create(f"jobs/{n}", b"", {"n": str(n)}, {"watch": f"2026-01-05T1{n}:00:00.000000Z", "kind": "x"})
    await blobs.create("jobs/untagged", b"", {"watch": "2026-01-05T10:00:00.000000Z"})
    await blobs.create("jobs/other", b"", tags={"kind": "2026"})
    assert await found(blobs, "2026-01-05T14:00:00.000000Z") == {
        f"jobs/{n}": f"2026-01-05T1{n}:00:00.000000Z" for n in range(5)
    }
    assert await found(blobs, "2026-01-05T09:00:00.000000Z") == {}
    assert await found(blobs, "z", "kind") == {"jobs/other": "2026"} | {f"jobs/{n}": "x" for n in range(7)}


async def test_a_write_sets_the_tags_anew_and_without_any_there_are_none(blobs: BlobStore) -> None:
    etag = await blobs.create("x", b"1", tags={"watch": "1", "old": "1"})
    etag = await blobs.replace("x", b"2", etag, tags={"watch": "2"})
    assert (await found(blobs, "9"), await found(blobs, "9", "old")) == ({"x": "2"}, {})
    with pytest.raises(PreconditionError):
        await blobs.replace("x", b"3", '"0x1"', tags={"watch": "3"})
    assert await found(blobs, "9") == {"x": "2"}
    await blobs.replace("x", b"3", etag)
    assert await found(blobs, "9") == {}


async def test_what_is_deleted_is_not_found(blobs: BlobStore) -> None:
    await blobs.create("x", b"", tags={"watch": NOON})
    await blobs.delete("x")
    assert await blobs.find("watch", NOON) == TagPage()


async def test_nothing_is_found_where_there_is_no_container(blobs: BlobStore) -> None:
    assert await blobs.find("watch", NOON) == TagPage()


async def test_any_name_is_found_and_every_character_of_a_tag_is_kept(blobs: BlobStore) -> None:
    value = "aZ 09+-./:=_"
    await blobs.create("ünï/çødé & <✓>'", b"", tags={"a b/c": value})
    assert await found(blobs, value, "a b/c") == {"ünï/çødé & <✓>'": value}


@pytest.mark.parametrize(
    "tags", [{"watch": "it's"}, {'wa"tch': "1"}, {"": "1"}, {"x" * 129: "1"}, {"x": "1" * 257}, {"x": "ü"}]
)
async def test_what_cannot_be_a_tag_is_not_sent(blobs: BlobStore, tags: dict[str, str]) -> None:
    ((name, value),) = tags.items()
    with pytest.raises(ValueError, match="not a tag"):
        await blobs.create("x", b"", tags=tags)
    with pytest.raises(ValueError, match="not a tag"):
        await blobs.find(name, value)
    with pytest.raises(ValueError, match="11 tags; 10 is the limit"):
        await blobs.create("x", b"", tags={str(n): "1" for n in range(11)})
    assert await blobs.read("x") is None


async def test_writing_with_tags_and_finding_are_one_call_each(azure_blobs: BlobStore, wire: Wire) -> None:
    await azure_blobs.create("first", b"makes the container")
    wire.requests.clear()
    etag = await azure_blobs.create("x", b"", {"n": "1"}, {"watch": NOON})
    await azure_blobs.replace("x", b"2", etag, tags={"watch": NOON})
    await azure_blobs.find("watch", NOON)
    assert wire.calls == ["PUT", "PUT", "GET"]


async def test_a_lost_answer_to_a_question_is_asked_for_again(azure_blobs: BlobStore, wire: Wire) -> None:
    await azure_blobs.create("x", b"", tags={"watch": NOON})
    wire.answers_to_lose = 1
    assert await found(azure_blobs, NOON) == {"x": NOON}
    wire.answers_to_lose = 1
    assert [row.name for row in (await azure_blobs.list_page("")).items] == ["x"]


async def test_the_twin_in_memory_refuses_tags_on_demand() -> None:
    blobs = MemoryBlobs(FakeClock())
    blobs.takes_tags = False
    with pytest.raises(TagsRefusedError):
        await blobs.create("x", b"", tags={"watch": NOON})
    with pytest.raises(TagsRefusedError):
        await blobs.find("watch", NOON)
    etag = await blobs.create("x", b"")
    assert await blobs.replace("x", b"", etag)


class UntaggedAccount:
    """An account that does not take tags, and says so as it was told."""

    def __init__(self, connection: str) -> None:
        self.connection = connection
        self.refusal = (400, "BlobTagsNotSupportedForAccountType")

    async def handle(self, request: web.Request) -> web.Response:
        headers = {"ETag": '"0x1"', "Last-Modified": "Mon, 05 Jan 2026 12:00:00 GMT"}
        if "x-ms-tags" not in request.headers and request.query.get("comp") != "blobs":
            return web.Response(status=201, headers=headers)
        status, code = self.refusal
        return web.Response(status=status, headers={"x-ms-error-code": code})


@pytest.fixture
async def account() -> AsyncIterator[UntaggedAccount]:
    (port,) = free_ports(1)
    account = UntaggedAccount(connection_string(port, port))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", account.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield account
    await runner.cleanup()


@pytest.mark.parametrize(
    "refusal",
    [
        (400, "BlobTagsNotSupportedForAccountType"),
        (409, "FeatureNotYetSupportedForHierarchicalNamespaceAccounts"),
        (403, "AuthorizationPermissionMismatch"),
    ],
)
async def test_an_account_or_a_role_without_tags_is_told_from_other_errors(
    account: UntaggedAccount, refusal: tuple[int, str]
) -> None:
    blobs = opening.open_blobs(load({"AzureWebJobsStorage": account.connection}), "c")
    account.refusal = refusal
    with pytest.raises(TagsRefusedError, match=refusal[1]):
        await blobs.create("x", b"", tags={"watch": NOON})
    with pytest.raises(TagsRefusedError, match=refusal[1]):
        await blobs.replace("x", b"", '"0x1"', tags={"watch": NOON})
    with pytest.raises(TagsRefusedError, match=refusal[1]):
        await blobs.find("watch", NOON)
    assert await blobs.create("x", b"") == '"0x1"'
    account.refusal = (404, "ResourceNotFound")
    with pytest.raises(PreconditionError):
        await blobs.replace("x", b"", '"0x1"', tags={"watch": NOON})
    account.refusal = (501, "NotImplemented")
    with pytest.raises(StorageError) as raised:
        await blobs.find("watch", NOON)
    assert type(raised.value) is StorageError
    await blobs.close()
