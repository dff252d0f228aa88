"""What tests of taste need: a job's context, jobs, and a model that looks at images."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.sqlite import SqliteDocuments
from shared.domains.taste.containers import TASTE
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.kinds import analyse_feedback
from shared.jobs.testing import FakeClock
from shared.ports import Query
from shared.settings import Settings, load
from support.sites import Site

SEEN = {
    "style": ["Boho", "martian"],
    "colour": ["Navy Blue"],
    "garment": ["gowns"],
    "occasion": [],
    "pattern": [],
    "material": ["silk"],
}


@dataclass
class Context:
    """What the handlers use of a job's context."""

    documents: SqliteDocuments
    settings: Settings
    clock: FakeClock
    steps: list[str] = field(default_factory=list)
    log: logging.Logger = field(default_factory=lambda: logging.getLogger("test"))

    async def progress(self, step: str, completed: int, total: int) -> None:
        assert 0 <= completed <= total
        self.steps.append(step)

    async def checkpoint(self) -> None:
        self.steps.append("checkpoint")


def job(**changes: Any) -> TasteJob:
    return TasteJob.model_validate(
        {
            "user_id": "u",
            "item_id": "i",
            "signal": "up",
            "item": {"title": "Silk gown", "occasion": "wedding"},
            "occurred_at": "2026-01-01T00:00:00Z",
        }
        | changes
    )


async def run(payload: TasteJob, context: Context) -> Any:
    return await analyse_feedback(payload, context)


async def stored(context: Context) -> dict[str, Any]:
    page = await context.documents.query(TASTE, Query(order_by="sort"))
    return {document["kind"]: document for document in page.items}


def completion(content: str) -> bytes:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return json.dumps(
        {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    ).encode()


def eyes(site: Site, status: int = 200, content: str = json.dumps(SEEN), **headers: str) -> Settings:
    path = "/openai/deployments/eyes/chat/completions"
    site.serve(path, completion(content), status, "application/json", **headers)
    return load(
        {
            "FETCH_ALLOWED_HOSTS": site.host,
            "AZURE_OPENAI_ENDPOINT": site.url(""),
            "AZURE_OPENAI_VISION_DEPLOYMENT": "eyes",
            "AZURE_OPENAI_API_KEY": "not-a-secret",
        }
    )
