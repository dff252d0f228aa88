"""Users and digests ask their questions of every document store alike."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared import ports
from shared.domains.digests.store import MADE, SKIPPED, DigestStore, Feedback, Record
from shared.domains.users.model import OwnedSettings, UserSettings
from shared.domains.users.store import UserStore
from shared.jobs.testing import FakeClock, MemoryBlobs
from shared.storage import iso

WEEKS = (("2026-W45", MADE), ("2026-W46", MADE), ("2026-W47", SKIPPED), ("2026-W48", MADE))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def digests(documents: ports.DocumentStore, clock: FakeClock) -> DigestStore:
    return DigestStore(documents, MemoryBlobs(clock), clock)


async def test_records_are_found_by_week_by_state_and_in_pages(
    digests: DigestStore, clock: FakeClock, unique: str
) -> None:
    now = iso(clock.now())
    for week, state in WEEKS:
        await digests.note(Record(unique, week, state, now, now, "signature"))
    assert [record.week for record in await digests.last_two(unique, "2026-W47")] == ["2026-W47", "2026-W46"]
    await digests.note(Record(unique, "2026-W49", SKIPPED, now, now, "signature"))
    latest = await digests.latest(unique)
    assert latest is not None
    assert latest.week == "2026-W48"
    first, cursor = await digests.page(unique, 3, None)
    second, end = await digests.page(unique, 3, cursor)
    assert [record.week[-2:] for record in (*first, *second)] == ["49", "48", "47", "46", "45"]
    assert end is None


async def test_the_last_word_on_an_item_stands(digests: DigestStore, clock: FakeClock, unique: str) -> None:
    heard = []
    for item_id, signal in (("a", "up"), ("b", "down"), ("a", "down"), ("a", "down")):
        clock.advance(1)
        said = Feedback(
            unique, f"{unique}~2026-W48", item_id, signal, clock.now(), "A shirt", None, {"colour": ["navy"]}
        )
        heard.append(await digests.hear(said))
    assert heard == [True, False, True, True], "taste hears what is liked, and what is liked no longer"
    assert [(one.item_id, one.up) for one in await digests.opinions(unique)] == [("a", False), ("b", False)]


async def test_a_household_is_found_listed_and_forgotten(
    documents: ports.DocumentStore, digests: DigestStore, clock: FakeClock, unique: str
) -> None:
    users = UserStore(documents, clock)
    await users.put(unique, UserSettings(name="Ann"))
    await users.own(unique, "coat", OwnedSettings(title="Camel coat", colours=("camel",)))
    home = await users.household(unique)
    assert home is not None
    assert (home.user.name, home.wardrobe[0].colours) == ("Ann", ("camel",))
    assert unique in [user.user_id async for user in users.all(page=2)]
    await users.forget(unique)
    await digests.forget(unique)
    assert await users.household(unique) is None
    assert await digests.opinions(unique) == ()
