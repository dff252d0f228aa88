"""What a job about an entry of an adventure is given."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel, ConfigDict, field_validator

from shared.domains.users.public import Identifier


class EntryJob(BaseModel):
    """The payload of both kinds: ids, as strings."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    adventure_id: str
    entry_id: str
    user_id: Identifier

    @field_validator("adventure_id", "entry_id")
    @classmethod
    def _uuid(cls, value: str) -> str:
        return str(UUID(value))
