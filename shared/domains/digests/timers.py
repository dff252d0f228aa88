"""When digests are made."""

from __future__ import annotations

from shared.domains.digests.settings import DigestSettings
from shared.jobs import Missed, Timer

WEEKLY = Timer(
    "PluckItWeeklyDigest",
    schedule=lambda settings: settings.of(DigestSettings).digest_schedule,
    kind="weekly-digest",
    missed=Missed.SKIP,
    meaning="Makes each user's digest of the week.",
)
