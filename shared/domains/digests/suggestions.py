"""What a digest says of an item that somebody liked, or not: as it is kept, and as taste hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.domains.digests.showing import digest_of, store_of
from shared.domains.digests.store import Feedback
from shared.domains.digests.views import SuggestionFeedback
from shared.domains.digests.weeks import split_digest_id
from shared.domains.taste.public import Item, TasteJob
from shared.web.requests import read_id, unfit

if TYPE_CHECKING:
    from shared.app import App


async def suggested(app: App, name: str, given: SuggestionFeedback) -> tuple[Feedback, TasteJob]:
    """The feedback with what the digest says of the item.

    Raises:
        Problem: 422 where that is no digest's id, or the digest does not suggest the item; 404 without such a digest.
    """
    found = split_digest_id(name)
    if found is None:
        raise unfit("digest_id", "must be a digest's id, such as ann~2026-W47")
    user_id = read_id(found[0], "digest_id")
    digest = await digest_of(app, await store_of(app).get(user_id, found[1]))
    item = next((one for one in digest["suggestions"] if one["item_id"] == given.item_id), None)
    if item is None:
        raise unfit("item_id", "must be an item that the digest suggests")
    now = app.clock.now()
    feedback = Feedback(user_id, name, given.item_id, given.signal, now, item["title"], item["url"], item["facets"])
    words = Item(title=item["title"][:300], description=item["text"][:5000], keywords=_keywords(item))
    job = TasteJob(
        user_id=user_id, item_id=given.item_id, signal=given.signal, image_url=item["image_url"], item=words, occurred_at=now
    )  # fmt: skip
    return feedback, job


def _keywords(item: dict[str, Any]) -> list[str]:
    """The item's tags, and what was found in it: of a digest that is a year old, the item itself is gone."""
    found = [value for values in item["facets"].values() for value in values]
    return [word.strip()[:100] for word in dict.fromkeys((*item["tags"], *found)) if word.strip()][:50]
