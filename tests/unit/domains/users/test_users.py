"""Users and wardrobes: what is taken, what is kept, and that nothing is left behind."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.taste import feedback
from shared.domains.users import model
from shared.domains.users.containers import USERS
from shared.domains.users.model import OwnedSettings, UserSettings
from shared.domains.users.store import UserStore
from shared.jobs.testing import FakeClock, Faults, FaultyDocuments, MemoryDocuments
from shared.ports import PreconditionError


@pytest.fixture
def documents(clock: FakeClock) -> MemoryDocuments:
    return MemoryDocuments(clock)


@pytest.fixture
def users(documents: MemoryDocuments, clock: FakeClock) -> UserStore:
    return UserStore(documents, clock)


def test_ids_are_the_same_everywhere() -> None:
    assert model.Identifier == feedback.Identifier


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Pacific/Kiritimati"])
def test_time_zones_of_the_database_are_taken(zone: str) -> None:
    assert UserSettings(time_zone=zone).time_zone == zone


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Nowhere/City",
        "Europe",
        "../UTC",
        "/etc/passwd",
        "UTC+1",
        "Europe/Berlin\0",
        "é",
        "localtime",
        "Factory",
        "posixrules",
        "right/UTC",
        "posix/UTC",
    ],
)
def test_other_time_zones_are_refused_by_name(zone: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UserSettings(time_zone=zone)
    assert [each["loc"] for each in caught.value.errors()] == [("time_zone",)]


@pytest.mark.parametrize("settings", [{"name": ""}, {"name": "x" * 101}, {"email": "a@b"}, {"digest": "maybe"}])
def test_what_does_not_fit_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UserSettings.model_validate(settings)


async def test_a_put_that_changes_nothing_writes_nothing(documents: MemoryDocuments, clock: FakeClock) -> None:
    faults = Faults()
    users = UserStore(FaultyDocuments(documents, faults), clock)
    first, new = await users.put("ann", UserSettings(name="Ann"))
    clock.advance(60)
    again, new_again = await users.put("ann", UserSettings(name="Ann"))
    assert (new, new_again, again) == (True, False, first)
    assert faults.calls == ["users.read", "users.create", "users.read"]


async def test_a_change_keeps_when_the_user_was_made(users: UserStore, clock: FakeClock) -> None:
    first, _ = await users.put("ann", UserSettings(name="Ann"))
    clock.advance(60)
    changed, _ = await users.put("ann", UserSettings(digest=False))
    assert (changed.name, changed.digest, changed.created_at) == (None, False, first.created_at)
    assert changed.updated_at > first.updated_at
    assert await users.get("ann") == changed


async def test_every_user_is_listed_once_whatever_they_own(users: UserStore) -> None:
    names = [f"u{n:03d}" for n in range(45)]
    for name in names:
        await users.put(name, UserSettings())
        await users.own(name, "coat", OwnedSettings())
    assert [user.user_id async for user in users.all(page=10)] == names


async def test_a_household_is_one_partition_and_one_call(documents: MemoryDocuments, clock: FakeClock) -> None:
    faults = Faults()
    users = UserStore(FaultyDocuments(documents, faults), clock)
    await users.put("ann", UserSettings(name="Ann"))
    await users.own("ann", "coat", OwnedSettings(title="Camel coat"))
    await documents.create(USERS, {"id": "subscription:s1", "pk": "ann", "type": "subscription", "source_id": "s1"})
    await users.put("bob", UserSettings())
    faults.calls.clear()
    home = await users.household("ann")
    assert home is not None
    assert (home.user.name, [piece.title for piece in home.wardrobe]) == ("Ann", ["Camel coat"])
    assert home.follows == {"s1"}
    assert faults.calls == ["users.query"]
    assert await users.household("nobody") is None


async def test_large_wardrobes_are_read_and_listed_whole(users: UserStore) -> None:
    await users.put("ann", UserSettings())
    for n in range(430):
        await users.own("ann", f"i{n:03d}", OwnedSettings())
    home = await users.household("ann")
    assert home is not None
    assert len(home.wardrobe) == 430
    listed: list[str] = []
    cursor: str | None = None
    while True:
        pieces, cursor = await users.wardrobe("ann", 200, cursor)
        listed += [piece.item_id for piece in pieces]
        if cursor is None:
            break
    assert listed == [f"i{n:03d}" for n in range(430)]


async def test_who_owns_more_than_is_read_is_still_there(users: UserStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their ids, the pieces come before some users and after others."""
    monkeypatch.setattr("shared.domains.users.store.MOST_DOCUMENTS", 2)
    monkeypatch.setattr("shared.domains.users.store._PAGE", 1)
    for user_id in ("ann", "zoe"):
        await users.put(user_id, UserSettings())
        for n in range(3):
            await users.own(user_id, f"i{n}", OwnedSettings())
        assert (home := await users.household(user_id)) is not None
        assert home.user.user_id == user_id


async def test_forgetting_leaves_nothing_and_touches_nobody_else(users: UserStore, documents: MemoryDocuments) -> None:
    for name in ("ann", "anna", "ann|x"):
        await users.put(name, UserSettings())
        await users.own(name, "coat", OwnedSettings())
    await documents.create(USERS, {"id": "subscription:s1", "pk": "ann", "type": "subscription", "source_id": "s1"})
    await users.forget("ann")
    await users.forget("ann")
    assert await users.household("ann") is None
    assert {key[1] for key in documents._kept} == {"anna", "ann|x"}


async def test_a_forgetting_that_broke_off_is_finished_by_the_next(
    users: UserStore, documents: MemoryDocuments, clock: FakeClock
) -> None:
    await users.put("ann", UserSettings())
    for n in range(3):
        await users.own("ann", f"i{n}", OwnedSettings())
    broken = UserStore(FaultyDocuments(documents, Faults(at=3)), clock)
    with pytest.raises(Exception, match="injected"):
        await broken.forget("ann")
    assert await users.household("ann") is None, "the user goes first"
    await users.forget("ann")
    assert not documents._kept


async def test_of_two_that_write_at_once_neither_is_lost_in_silence(
    documents: MemoryDocuments, clock: FakeClock
) -> None:
    class Overtaken(MemoryDocuments):
        async def replace(self, container: str, document: dict[str, Any], etag: str) -> str:
            raise PreconditionError

    overtaken = Overtaken(clock)
    users = UserStore(overtaken, clock)
    await users.put("ann", UserSettings())
    with pytest.raises(PreconditionError):
        await users.put("ann", UserSettings(name="Ann"))
