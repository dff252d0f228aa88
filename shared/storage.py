"""What everybody does over the ports, said once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Versioned(Generic[T]):
    """A value as it is stored, with the ETag under which it may be replaced."""

    value: T
    etag: str
    written_at: datetime | None = None
    """When it was written, by the service's clock; None where that is not known."""
