"""The document containers by name, each with why its partition key cannot grow without bound.

Every document carries its partition key as ``pk``; ``infra`` makes each container with the path ``/pk``.
"""

JOBS = "jobs"
"""The index of jobs, a projection of the status blobs. ``pk`` = job id: one small document per partition."""

DEDUPE = "dedupe"
"""Markers of dedupe keys and of idempotency keys, gone after their TTL. ``pk`` = the marker's id (a hash): one per partition."""

DEAD_LETTERS = "dead-letters"
"""The vault. ``pk`` = the dead letter's id: one document of at most some 200 KiB per partition."""

KINDS = "kinds"
"""Which kinds of jobs are paused. ``pk`` = the kind's name: one small document for each kind that ever was."""

TASTE = "taste"
"""Evidence and profile. ``pk`` = user id: one user's signals, of which the fold reads the newest few hundred."""

OCCURRENCES = "occurrences"
"""The ledger of timers. ``pk`` = the timer's name: one small document for each scheduled moment, gone after retention."""

LOCKS = "locks"
"""Leased locks with fencing tokens. ``pk`` = the lock's name: one tiny document per partition."""

SOURCES = "sources"
"""What the scraper reads. ``pk`` = the source's id: one document per partition."""

ITEMS = "items"
"""What was gathered. ``pk`` = the item's id (a hash of its canonical URL): one document per partition."""

MOODS = "moods"
"""Moods. ``pk`` = the mood's id: one document per partition."""

USERS = "users"
"""Users, their wardrobe and their subscriptions. ``pk`` = user id: some hundred small documents per partition."""

DIGESTS = "digests"
"""Which digests were made, and the feedback on them. ``pk`` = user id: one document a week, gone after retention."""

OPERATIONS = "operations"
"""What operating the app needs to remember (alarms that are on, say). ``pk`` = the document's id."""

ALL = (
    JOBS, DEDUPE, DEAD_LETTERS, KINDS, TASTE, OCCURRENCES, LOCKS, SOURCES, ITEMS, MOODS, USERS, DIGESTS, OPERATIONS,
)  # fmt: skip
