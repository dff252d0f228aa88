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

ALL = (JOBS, DEDUPE, DEAD_LETTERS, KINDS, TASTE)
