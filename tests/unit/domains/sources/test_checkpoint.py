"""Checkpoints: what is remembered, for how long, and which item a thing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.sources.checkpoint import MOST_SEEN, Checkpoint, Checkpoints, identified
from shared.domains.sources.model import Found
from shared.jobs.locks import FencedError
from shared.jobs.testing import FakeClock, MemoryDocuments


def entry(name: str, url: str | None = None) -> Found:
    return Found(url or f"https://shop.example/{name}", title=name, id=name)


def ids(things: list[Found], checkpoint: Checkpoint) -> dict[str, str]:
    return {found.title: item_id for item_id, found in identified(tuple(things), checkpoint)}


def shown(things: list[Found], checkpoint: Checkpoint) -> Checkpoint:
    return checkpoint.with_all(identified(tuple(things), checkpoint))


def test_an_address_is_an_item() -> None:
    things = (entry("a"), entry("b"), entry("c", "https://www.shop.example/a/"))
    found = identified(things, Checkpoint())
    assert [each.title for _, each in found] == ["a", "b", "c"]
    assert identified(things[:1], Checkpoint())[0][0] == identified(things[2:], Checkpoint())[0][0]


def test_no_address_of_its_own() -> None:
    things = [entry("a", "https://shop.example/"), entry("b", "https://shop.example/"), Found(None, id="c", title="c")]
    assert len(set(ids(things, Checkpoint()).values())) == 3


LOG = "https://shop.example/log"
names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


@given(st.lists(names, min_size=1, max_size=8))
def test_entries_that_share_an_address_are_there_once_however_the_feed_moves_on(feeds: list[list[str]]) -> None:
    """One that takes the place of another, alone at the address, is taken for it: then it is that item, changed."""
    checkpoint = Checkpoint()
    stored: dict[str, str] = {}
    for names in feeds:
        things = [entry(name, LOG) for name in names]
        found = ids(things, checkpoint)
        assert len(set(found.values())) == len(names)
        stored |= {item_id: name for name, item_id in found.items()}
        assert len(set(stored.values())) == len(stored)
        checkpoint = shown(things, checkpoint)


def test_the_oldest_are_forgotten_first() -> None:
    checkpoint = Checkpoint()
    for start in range(0, 3 * MOST_SEEN, 500):
        checkpoint = shown([entry(f"{number}") for number in range(start, start + 500)], checkpoint)
    assert len(checkpoint.seen) == MOST_SEEN
    last = identified(tuple(entry(f"{number}") for number in range(2 * MOST_SEEN, 3 * MOST_SEEN)), checkpoint)
    assert all(checkpoint.covers(*each) for each in last)


def test_what_changes_is_not_covered() -> None:
    checkpoint = shown([entry("a")], Checkpoint())
    ((item_id, same),) = identified((entry("a"),), checkpoint)
    assert checkpoint.covers(item_id, same)
    assert checkpoint.knows(item_id)
    assert not checkpoint.covers(item_id, Found(same.url, title="other"))
    popular = Found(same.url, title="a", id="a", score=0.9)
    assert checkpoint.covers(item_id, popular)


async def test_a_checkpoint_is_kept_under_its_fence(clock: FakeClock) -> None:
    checkpoints = Checkpoints(MemoryDocuments(clock))
    one, two = shown([entry("a")], Checkpoint()), shown([entry("b")], Checkpoint())
    assert await checkpoints.read("s") == Checkpoint()
    await checkpoints.write("s", one, fence=4)
    for late in (3, 4):
        with pytest.raises(FencedError):
            await checkpoints.write("s", two, fence=late)
    assert await checkpoints.read("s") == one
    await checkpoints.write("s", two, fence=6)
    assert await checkpoints.read("s") == two
