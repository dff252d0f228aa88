"""Operations on digests."""

from __future__ import annotations

from shared.api import schemas
from shared.domains.digests.api import DigestView, FeedbackView, RecordPage, SuggestionFeedback
from shared.web.operations.model import ETAG, PAGE, TICKET, USER, Operation, Parameter

_WEEK = Parameter("week", "path", {"type": "string", "pattern": r"^\d{4}-W\d{2}$"}, "An ISO week, such as 2026-W47.")
_DIGEST = Parameter(
    "digest_id", "path", {"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9._:@|+=-]{0,127}~\d{4}-W\d{2}$"},
    "The digest's id: user and week, such as ann~2026-W47.",
)  # fmt: skip
_FORMAT = Parameter(
    "format", "query", {"type": "string", "enum": ["json"], "default": "json"},
    "`html` answers the page in place of the data, as an `Accept` that begins with `text/html` does.",
)  # fmt: skip

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ListDigests", "get", "digests/{user_id}", "A user's digests, the newest first", "digests",
        {200: RecordPage}, (422, 503), (USER, *PAGE[2:]),
    ),
    Operation(
        "GetLatestDigest", "get", "digests/{user_id}/latest", "A user's newest digest", "digests",
        {200: DigestView, 304: None}, (404, 422, 503), (USER, ETAG, _FORMAT), headers=("ETag",),
    ),
    Operation(
        "GetDigest", "get", "digests/{user_id}/{week}", "A user's digest of a week", "digests",
        {200: DigestView, 304: None}, (404, 422, 503), (USER, _WEEK, ETAG, _FORMAT), headers=("ETag",),
    ),
    Operation(
        "RunDigest", "post", "digests/{user_id}/run", "Make this week's digest of a user anew", "digests",
        {202: schemas.TicketView}, (404, 422, 503), (USER,), headers=TICKET,
    ),
    Operation(
        "PostDigestFeedback", "post", "digests/{digest_id}/feedback", "Take a signal on a suggestion", "digests",
        {200: FeedbackView, 202: schemas.TicketView}, (400, 404, 413, 422, 503), (_DIGEST,), body=SuggestionFeedback,
        samples=({"item_id": "0f8c5a1e7d3b", "signal": "up"},),
    ),
)  # fmt: skip
