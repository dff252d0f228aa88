"""Whether an adventure can be had, and what it is then."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from shared.domains.stories import services
from shared.domains.stories.languages import NAMES
from shared.domains.stories.model import Adventure
from shared.domains.stories.settings import StorySettings
from shared.domains.stories.store import AdventureStore
from shared.domains.users.public import known_user
from shared.jobs.ids import derived_id
from shared.web.answers import Problem
from shared.web.requests import unfit

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.stories.views import NewAdventure


async def new_adventure(app: App, wanted: NewAdventure, key: str | None) -> Adventure:
    """The adventure that is asked for, of which nothing is stored yet. With a key its id derives from that and the user.

    Raises:
        Problem: 404 for an unknown user, 422 where nobody writes the language or translates the pair, 409 for one too many.
    """
    user = await known_user(app, wanted.user_id)
    if not services.generator(app.settings).can_write(wanted.language):
        raise unfit("language", f"is not written here: {NAMES[wanted.language]}")
    if not services.translator(app.settings).can_translate(wanted.language, wanted.native_language):
        pair = f"from {NAMES[wanted.language]} to {NAMES[wanted.native_language]}"
        raise unfit("native_language", f"cannot be had: nothing here translates {pair}")
    now = app.clock.now()
    made = Adventure(
        adventure_id=_id_for(user.user_id, key) if key else derived_id(now, secrets.token_hex(16)),
        user_id=user.user_id, language=wanted.language, native_language=wanted.native_language, level=wanted.level,
        genre=wanted.genre, length=wanted.length, created_at=now, updated_at=now,
    )  # fmt: skip
    await _bounded(app, made)
    return made


async def _bounded(app: App, made: Adventure) -> None:
    most = app.settings.of(StorySettings).most_of_user
    if await AdventureStore(app.documents).count(made.user_id, most) >= most:
        raise Problem(409, "Too many adventures", f"a user has at most {most} adventures: delete one")


def _id_for(user_id: str, key: str) -> str:
    """An id that is the same whenever the same user sends the same key."""
    digest = hashlib.sha256(f"{user_id}\n{key}".encode()).hexdigest()
    return derived_id(datetime.fromtimestamp(0, UTC), digest)
