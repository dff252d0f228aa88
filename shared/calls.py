"""What a process asked of its services: adapters count, the monitor reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last failure of a service: a status or the name of an exception, and when."""

    type: str
    at: datetime


@dataclass(slots=True)
class Calls:
    """What one process asked of its services so far."""

    counts: Counter[str] = field(default_factory=Counter)
    """Transactions by operation, as in `blobs.read`."""
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """The last failure of each service."""

    def count(self, service: str, operation: str) -> None:
        """Count a transaction."""
        self.counts[f"{service}.{operation}"] += 1

    def failed(self, service: str, what: str) -> None:
        """Note a failure: the service's own, not an answer such as "there is none"."""
        self.troubles[service] = Trouble(what, datetime.now(UTC))
