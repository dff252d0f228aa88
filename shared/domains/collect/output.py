"""What a topic brought, as a blob beside `jobs/`, written once however often its job runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from shared.domains.collect.model import Harvest, Item
from shared.jobs import Job
from shared.ports import AlreadyExistsError, BlobStore
from shared.storage import iso


@dataclass(frozen=True, slots=True)
class Written:
    """A topic's blob."""

    name: str
    items: int
    refused: dict[str, int] = field(default_factory=dict)
    """Items that could not be used, by reason."""


class Output:
    """The blobs of one job.

    The name is made of the moment at which the job was submitted: another attempt finds what an earlier one wrote. Two jobs
    of one second and topic want one name; the second takes it with the end of its id added.
    """

    def __init__(self, blobs: BlobStore, job: Job) -> None:
        self._blobs = blobs
        self._job = job

    async def write(self, source: str, slug: str, topic: str, harvest: Harvest, limit: int) -> Written:
        """Write a topic's items; where another attempt did so, its blob stands."""
        items = harvest.items[:limit]
        data = json.dumps(self._content(source, topic, harvest, items)).encode()
        for name in self._names(source, slug):
            try:
                await self._blobs.create(name, data)
                return Written(name, len(items), dict(harvest.refused))
            except AlreadyExistsError:
                found = await self._blobs.read(name)
                if found and (mine := self._mine(name, found.data)):
                    return mine
        raise AlreadyExistsError(slug)

    def _names(self, source: str, slug: str) -> tuple[str, str]:
        start = f"{self._job.created_at:%Y%m%d_%H%M%S}_{source}_{slug}"
        return f"{start}.json", f"{start}_{self._job.job_id[-12:]}.json"

    def _content(self, source: str, topic: str, harvest: Harvest, items: Sequence[Item]) -> dict[str, Any]:
        return {
            "job_id": self._job.job_id,
            "source": source,
            "topic": topic,
            "url": harvest.url,
            "submitted_at": iso(self._job.created_at),
            "found": harvest.found,
            "items": [asdict(item) for item in items],
        }

    def _mine(self, name: str, data: bytes) -> Written | None:
        try:
            content = json.loads(data)
            return Written(name, len(content["items"])) if content["job_id"] == self._job.job_id else None
        except (ValueError, KeyError, TypeError):
            return None
