"""Adventures in memory: the real app over memory, with a host that delivers when it is told to."""

from __future__ import annotations

import json
from typing import Any

from shared.app import App
from shared.bootstrap import compose
from shared.declarations import settings_of
from shared.domains.stories import api
from shared.domains.stories.kinds import generate_adventure_entry, speak_adventure_entry
from shared.domains.users.public import UserStore
from shared.jobs.testing import MemoryApp
from shared.web.answers import Answer
from shared.web.routes import Call

QUEUE = "adventure-pipeline"
ANN = {"user_id": "ann", "language": "fr", "native_language": "en", "level": "A2", "genre": "mystery", "length": 3}


class StoryApp(MemoryApp):
    """Stories without an account or a wait, and their routes called as the host calls them."""

    def __init__(self, environ: dict[str, str] | None = None) -> None:
        chosen = settings_of(environ or {})
        super().__init__(generate_adventure_entry, speak_adventure_entry, settings=chosen)
        self._chosen = chosen

    @property
    def app(self) -> App:
        """The app as a process has it now: its storage calls are those that `restart` says."""
        deps = self.engine.deps
        return compose(self._chosen, deps.blobs, deps.queues, deps.documents, self.clock)

    async def with_user(self, user_id: str = "ann") -> None:
        """Make a user, undisturbed."""
        from shared.domains.users.model import UserSettings

        await UserStore(self.documents, self.clock).put(user_id, UserSettings())

    async def begin(self, headers: dict[str, str] | None = None, **changes: Any) -> dict[str, Any]:
        """Begin an adventure."""
        return told(await api.create_adventure(self.app, call(ANN | changes, headers=headers)))

    async def decide(self, adventure_id: str, entry_id: str, choice: int = 0) -> dict[str, Any]:
        """Decide what comes next."""
        body = {"entry_id": entry_id, "choice": choice}
        return told(await api.decide_adventure(self.app, call(body, adventure_id=adventure_id)))

    async def adventure(self, adventure_id: str) -> dict[str, Any]:
        """An adventure as it stands."""
        return told(await api.get_adventure(self.app, call(adventure_id=adventure_id)))

    async def entry(self, adventure_id: str, entry_id: str) -> dict[str, Any]:
        """An entry as it stands."""
        return told(await api.get_adventure_entry(self.app, call(adventure_id=adventure_id, entry_id=entry_id)))


def call(
    body: Any = None, headers: dict[str, str] | None = None, query: dict[str, str] | None = None, **path: str
) -> Call:
    """A request that was let through."""
    sent = json.dumps(body).encode() if body is not None else b""
    return Call(path=path, query=query or {}, headers=headers or {}, body=sent)


def told(answer: Answer) -> dict[str, Any]:
    """What an answer says, which is one of success."""
    assert answer.status < 300, answer
    return dict(json.loads(answer.body))
