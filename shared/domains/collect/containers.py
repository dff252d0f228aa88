"""What collection writes."""

from __future__ import annotations

from shared.containers import Artifacts

COLLECTED = Artifacts("20", "Collected content: names begin with the year.")
