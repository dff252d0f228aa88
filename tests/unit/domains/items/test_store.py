"""Items: one document for each, whoever finds it, and the newest first."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.items.containers import ITEMS
from shared.domains.items.model import Item, Origin, Price, item_id_of
from shared.domains.items.store import ItemStore, Put
from shared.jobs.testing import FakeClock, Faults, FaultyDocuments, MemoryDocuments

T = TypeVar("T")

ONE, TWO = Origin("rss_1", "rss", "One"), Origin("rss_2", "rss", "Two")


def item(name: str, clock: FakeClock, origin: Origin = ONE, **fields: object) -> Item:
    made = Item(
        item_id=item_id_of(name),
        url=f"https://shop.example/{name}",
        title=name,
        text="",
        sources=(origin,),
        first_seen_at=clock.now(),
        updated_at=clock.now(),
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def store(clock: FakeClock, faults: Faults) -> ItemStore:
    return ItemStore(FaultyDocuments(MemoryDocuments(clock), faults), clock, timedelta(days=10))


async def test_new_same_and_changed(store: ItemStore, clock: FakeClock) -> None:
    coat = item("coat", clock)
    assert await store.put(coat) is Put.NEW
    clock.advance(60)
    assert await store.put(item("coat", clock, score=0.9)) is Put.SAME
    assert await store.get(coat.item_id) == coat
    assert await store.put(item("coat", clock, title="Wool coat")) is Put.CHANGED
    found = await store.get(coat.item_id)
    assert found is not None
    assert (found.title, found.version) == ("Wool coat", 2)
    assert (found.first_seen_at, found.updated_at) == (coat.first_seen_at, clock.now())


async def test_a_second_source_is_added_and_changes_nothing(store: ItemStore, clock: FakeClock) -> None:
    await store.put(item("coat", clock))
    elsewhere = item("coat", clock, TWO, title="Coat!!!")
    assert await store.put(elsewhere) is Put.SAME
    assert await store.put(replace(elsewhere, title="Coat???")) is Put.SAME
    found = await store.get(elsewhere.item_id)
    assert found is not None
    assert (found.title, found.version, found.sources) == ("coat", 1, (ONE, TWO))
    assert [each.item_id async for each in store.recent(source_id="rss_2")] == [found.item_id]


async def test_what_it_costs(store: ItemStore, clock: FakeClock, faults: Faults) -> None:
    async def calls(put: Item, *, known: bool) -> int:
        faults.calls.clear()
        await store.put(put, known=known)
        return len(faults.calls)

    assert await calls(item("a", clock), known=False) == 1
    assert await calls(item("a", clock), known=True) == 1
    assert await calls(item("a", clock), known=False) == 2
    assert await calls(item("a", clock, title="b"), known=True) == 2
    assert await calls(item("c", clock), known=True) == 2


async def test_the_newest_come_first_from_a_moment_on(store: ItemStore, clock: FakeClock) -> None:
    began = clock.now()
    for number in range(230):
        clock.advance(60)
        await store.put(item(f"n{number}", clock))
    titles = [each.title async for each in store.recent()]
    assert titles == [f"n{number}" for number in reversed(range(230))]
    since = began + timedelta(minutes=221)
    assert [each.title async for each in store.recent(since)] == titles[:10]
    assert [each.title async for each in store.recent(limit=120)] == titles[:120]
    assert [each.title async for each in store.recent(limit=0)] == []
    assert [each.title async for each in store.recent(limit=2, until=since)] == titles[9:11]


async def test_what_has_expired_is_gone_and_may_come_again(clock: FakeClock) -> None:
    class Lazy(MemoryDocuments):
        """A store that has not come round to deleting, as Cosmos DB may not have."""

        def _put(self, container: str, document: dict[str, object]) -> str:
            return super()._put(container, {name: value for name, value in document.items() if name != "ttl"})

    documents = Lazy(clock)
    store = ItemStore(documents, clock, timedelta(days=10))
    await store.put(item("coat", clock, title="old"))
    clock.advance(10 * 86400)
    assert await documents.read(ITEMS, item_id_of("coat"), item_id_of("coat"))
    assert await store.get(item_id_of("coat")) is None
    assert [each async for each in store.recent()] == []
    assert await store.put(item("coat", clock, title="new")) is Put.NEW
    assert [(each.title, each.version) async for each in store.recent()] == [("new", 1)]


class Turns:
    """Between two calls of one, all others have a turn."""

    async def around(self, _: str, call: Callable[[], Awaitable[T]]) -> T:
        await asyncio.sleep(0)
        return await call()


async def test_many_at_once_make_one_item(clock: FakeClock) -> None:
    documents = MemoryDocuments(clock)
    origins = [Origin(f"rss_{number}", "rss", "feed") for number in range(8)]

    async def put(origin: Origin) -> Put:
        return await ItemStore(FaultyDocuments(documents, Turns()), clock).put(item("coat", clock, origin))

    puts = await asyncio.gather(*map(put, origins))
    assert sorted(puts) == [Put.NEW, *[Put.SAME] * 7]
    (found,) = [each async for each in ItemStore(documents, clock).recent()]
    assert {origin.source_id for origin in found.sources} == {origin.source_id for origin in origins}


texts = st.text(max_size=30)
moments = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(
    st.builds(
        Item,
        item_id=st.text("0123456789abcdef", min_size=32, max_size=32),
        url=st.none() | texts,
        title=texts,
        text=texts,
        sources=st.lists(st.builds(Origin, st.text("abc_1", min_size=1), texts, texts), min_size=1).map(tuple),
        first_seen_at=moments,
        updated_at=moments,
        image_url=st.none() | texts,
        price=st.none() | st.builds(Price, st.decimals(0, 10**9, places=2), st.sampled_from([None, "EUR"])),
        tags=st.lists(texts, max_size=3).map(tuple),
        score=st.floats(0, 1),
        published_at=st.none() | moments,
        version=st.integers(1, 99),
    )
)
def test_a_document_is_read_as_it_was_written(item: Item) -> None:
    assert Item.from_document(item.to_document()) == item


def test_the_hash_is_of_the_content_alone(clock: FakeClock) -> None:
    coat = item("coat", clock)
    for same in ({"score": 0.7}, {"version": 3}, {"sources": (TWO,)}, {"updated_at": datetime(2030, 1, 1, tzinfo=UTC)}):
        assert replace(coat, **same).content_hash == coat.content_hash
    for other in ({"title": "x"}, {"text": "x"}, {"price": Price(Decimal(1))}, {"tags": ("x",)}, {"image_url": "x"}):
        assert replace(coat, **other).content_hash != coat.content_hash
