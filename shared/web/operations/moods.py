"""Operations on moods."""

from __future__ import annotations

from shared.domains.moods import api as moods
from shared.domains.moods.vocabulary import PRIMARIES
from shared.web.operations.model import ETAG, WORD, Operation, Parameter

_MOOD = Parameter("mood_id", "path", WORD, "The mood's id, or another spelling of its name.")
_PRIMARY = Parameter(
    "primary", "query", {"type": "string", "enum": list(PRIMARIES)}, "Only those of this primary mood."
)
_LIMIT = Parameter(
    "limit", "query", {"type": "integer", "minimum": 1, "maximum": moods.MOST_SIMILAR, "default": 10}, "How many."
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ListMoods", "get", "moods", "Moods, by how much they are talked about", "moods",
        {200: moods.MoodList, 304: None}, (422, 503), (_PRIMARY, ETAG), headers=("ETag",),
    ),
    Operation(
        "GetMood", "get", "moods/{mood_id}", "A mood, its look and the articles that support it", "moods",
        {200: moods.MoodView, 304: None}, (404, 422, 503), (_MOOD, ETAG), headers=("ETag",),
    ),
    Operation(
        "ListSimilarMoods", "get", "moods/{mood_id}/similar", "The moods most like one", "moods",
        {200: moods.SimilarMoods, 304: None}, (404, 422, 503), (_MOOD, _LIMIT, ETAG), headers=("ETag",),
    ),
)  # fmt: skip
