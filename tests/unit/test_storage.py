"""What everybody does over the ports: writes that must hold, pages of a query, cached values."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

import pytest

from shared.jobs.testing import FakeClock, MemoryDocuments
from shared.ports import PreconditionError, Query, StorageError, Where
from shared.storage import Cached, compare_and_swap, every, iso, pages, write

SECONDS = timedelta(seconds=5)


@pytest.fixture
def documents() -> MemoryDocuments:
    return MemoryDocuments(FakeClock())


@compare_and_swap("the counter", tries=100)
async def count(documents: MemoryDocuments) -> int:
    found = await documents.read("c", "p", "counter")
    await asyncio.sleep(0)  # the others read meanwhile
    n = found.value["n"] + 1 if found else 1
    await write(documents, "c", {"id": "counter", "pk": "p", "n": n}, found)
    return n


async def test_writers_that_overtake_each_other_lose_no_write(documents: MemoryDocuments) -> None:
    counted = await asyncio.gather(*(count(documents) for _ in range(20)))
    assert sorted(counted) == list(range(1, 21))


async def test_a_writer_that_is_overtaken_without_end_says_so() -> None:
    tries: list[int] = []
    pauses: list[tuple[str, int]] = []

    async def pause(who: str, number: int) -> None:
        pauses.append((who, number))

    @compare_and_swap("the thing", tries=3, pause=pause)
    async def never(who: str) -> None:
        tries.append(1)
        raise PreconditionError(who)

    with pytest.raises(PreconditionError, match="the thing is changed by others without end"):
        await never("me")
    assert (len(tries), pauses) == (3, [("me", 0), ("me", 1), ("me", 2)])


async def test_any_other_error_is_not_tried_again() -> None:
    tries: list[int] = []

    @compare_and_swap("the thing")
    async def broken() -> None:
        tries.append(1)
        raise StorageError("down")

    with pytest.raises(StorageError, match="down"):
        await broken()
    assert len(tries) == 1


@pytest.mark.parametrize("most", [None, 0, 1, 4, 5, 9, 99])
async def test_every_document_is_found_once_and_no_more_than_wanted(
    documents: MemoryDocuments, most: int | None
) -> None:
    for n in range(9):
        await documents.create("c", {"id": f"{n}", "pk": "p", "n": n})
    query = Query((Where("n", ">=", 0),), limit=2, descending=True)
    found = [each["n"] async for each in every(documents, "c", query, most)]
    assert found == list(range(8, -1, -1))[:most]
    sizes = [len(page) async for page in pages(documents, "c", query, most)]
    assert sum(sizes) == len(found)
    assert all(0 < size <= 2 for size in sizes)


def test_moments_in_the_order_of_text() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
    assert iso(moment) == iso(moment.astimezone(timezone(timedelta(hours=2)))) == "2026-01-02T03:04:05.000006Z"
    assert iso(moment) < iso(moment + timedelta(microseconds=1))


async def test_who_asks_meanwhile_gets_the_same_answer_or_failure_and_the_next_one_a_new_try() -> None:
    made: list[str] = []

    async def make(key: str) -> int:
        made.append(key)
        await asyncio.sleep(0)
        if len(made) == 1:
            raise StorageError("down")
        return len(made)

    kept: Cached[str, int] = Cached(FakeClock(), SECONDS, make)
    outcomes = await asyncio.gather(*(kept.get("a") for _ in range(5)), return_exceptions=True)
    assert [str(each) for each in outcomes] == ["down"] * 5
    assert await asyncio.gather(*(kept.get("a") for _ in range(5))) == [2] * 5


async def test_a_value_is_believed_for_its_time_each_key_by_itself() -> None:
    made: list[str] = []

    async def make(key: str) -> str:
        made.append(key)
        return f"{key}{len(made)}"

    clock = FakeClock()
    kept: Cached[str, str] = Cached(clock, SECONDS, make)
    assert [await kept.get(key) for key in "aabb"] == ["a1", "a1", "b2", "b2"]
    clock.advance(4.9)
    assert await kept.get("a") == "a1"
    assert kept.put("b", "told") == "told"
    clock.advance(0.1)
    assert [await kept.get(key) for key in "ab"] == ["a3", "told"]


async def test_where_storage_fails_the_last_value_holds_and_before_it_the_usual_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers: list[str] = []

    async def make(key: str) -> str:
        if answers:
            return answers.pop()
        raise StorageError("down")

    clock = FakeClock()
    kept: Cached[str, str] = Cached(clock, SECONDS, make, lambda: "usual", "things")
    assert await kept.get("a") == "usual"
    assert caplog.messages == ["things not read: of=a cause=StorageError"]
    answers.append("known")
    assert await kept.get("a") == "usual"  # believed for a while, so that storage is left alone
    clock.advance(5)
    assert await kept.get("a") == "known"
    clock.advance(5)
    assert await kept.get("a") == "known"


async def test_one_who_goes_away_takes_the_answer_from_nobody() -> None:
    let_go = asyncio.Event()

    async def make(_: str) -> str:
        await let_go.wait()
        return "made"

    kept: Cached[str, str] = Cached(FakeClock(), SECONDS, make)
    first, second = (asyncio.ensure_future(kept.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    let_go.set()
    assert await second == "made"


async def test_storage_that_never_answers_is_not_waited_for() -> None:
    async def make(_: str) -> None:
        await asyncio.Event().wait()

    kept: Cached[str, None] = Cached(FakeClock(), SECONDS, make, patience=0.01)
    with pytest.raises(StorageError):
        await kept.get("a")
