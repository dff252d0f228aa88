"""A small world for digests: items, moods, a user with a taste."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from shared.app import App
from shared.domains.items.model import Item, Origin, Price, item_id_of
from shared.domains.items.store import ItemStore
from shared.domains.moods.model import Mood, Signals, Support, counting
from shared.domains.moods.store import MoodStore
from shared.domains.taste.analysis import WordAnalyser, analyse
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import Item as Words
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.store import TasteStore
from shared.domains.users.model import OwnedSettings, UserSettings
from shared.domains.users.store import UserStore

TITLES = (
    "Navy linen shirt", "Red silk evening dress", "Black leather boots", "White cotton t-shirt", "Olive wool coat",
    "Striped Breton top in white and navy", "Camel trench coat", "Blue denim jeans", "Floral midi skirt", "Grey cashmere sweater",
    "Burgundy velvet blazer", "Tan suede loafers", "Pink satin clutch", "Green puffer jacket", "Beige linen trousers",
)  # fmt: skip


def item(n: int, seen: datetime, title: str | None = None, image_url: str | None = None) -> Item:
    """An item of one of four sources."""
    url = f"https://shop.example/{n}"
    source = n % 4
    return Item(
        item_id_of(url), url, title or f"{TITLES[n % len(TITLES)]} No. {n}", f"A piece of this season, number {n}.",
        (Origin(f"s{source}", "rss", f"Source {source}"),), seen, seen, image_url,
        Price(Decimal("49.90"), "EUR") if n % 2 else None, ("new",), (n % 10) / 10,
    )  # fmt: skip


async def stock(app: App, until: datetime, count: int = 30, first: int = 0) -> list[Item]:
    """Put items on the shelf, seen one after the other in the hours before a moment."""
    items = [item(n, until - timedelta(hours=1 + n - first)) for n in range(first, first + count)]
    for each in items:
        await ItemStore(app.documents, app.clock).put(each)
    return items


async def mood(app: App, seen: datetime) -> None:
    """One mood with one article."""
    appearance = Signals(palette=("navy", "white"), patterns=("striped",), fabrics=("linen",), key_pieces=("shirt",))
    plain = Mood("coastal", "Coastal", "Coastal", seen, seen, "Salt air and washed linen.", signals=appearance)
    article = Support("a", "By the sea", "https://shop.example/0", seen, 1.0)
    await MoodStore(app.documents).put_newer(counting(plain, [article], timedelta(days=14)))


async def user(app: App, user_id: str, **settings: object) -> None:
    """A user who owns jeans."""
    await UserStore(app.documents, app.clock).put(user_id, UserSettings.model_validate(settings))
    owned = OwnedSettings(title="White jeans", category="jeans", colours=("white",))
    await UserStore(app.documents, app.clock).own(user_id, "jeans-1", owned)


async def likes(app: App, user_id: str, title: str, signal: str = "up", item_id: str = "liked") -> None:
    """A signal as the taste job records it."""
    job = TasteJob.model_validate(
        {"user_id": user_id, "item_id": item_id, "signal": signal, "item": Words(title=title), "occurred_at": app.clock.now()}
    )  # fmt: skip
    findings = await analyse([WordAnalyser()], job.item, None)
    store = TasteStore(app.documents, app.clock)
    await store.record(Evidence.of(job, findings, ImageNote("none")))
    await store.fold(user_id)
