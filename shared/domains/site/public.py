"""What other domains may have of the site."""

from __future__ import annotations

from shared.domains.site.contributing import Contribution, contribute
from shared.domains.site.ports import EnricherUnavailableError

__all__ = [
    "Contribution",
    "EnricherUnavailableError",
    "contribute",
]
