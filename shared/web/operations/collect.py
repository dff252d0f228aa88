"""Operations of collection."""

from __future__ import annotations

from shared.domains.collect import api as summarywomble
from shared.web.operations.model import TICKET, Operation

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "SummaryWomble", "post", "summarywomble", "Start a collection (202), or ask how one stands (200)", "collection",
        {200: summarywomble.StatusView, 202: summarywomble.StartedView}, (400, 404, 413, 422, 503),
        body=summarywomble.Body, headers=TICKET,
        samples=({"source": "reddit", "topics": ["technology", "programming"], "limit": 10},),
    ),
)  # fmt: skip
