"""Operations on taste."""

from __future__ import annotations

from shared.api import schemas
from shared.domains.taste.feedback import TasteFeedback
from shared.web.operations.model import ETAG, TICKET, USER, Operation

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "PostTasteFeedback", "post", "taste/feedback", "Take a signal on an item", "taste",
        {202: schemas.TicketView}, (400, 413, 422, 503), body=TasteFeedback, headers=TICKET,
        samples=({"user_id": "ann", "item_id": "shirt-1", "signal": "up"},),
    ),
    Operation(
        "GetTasteProfile", "get", "taste/{user_id}", "A user's ranked tastes", "taste",
        {200: schemas.TastePage, 304: None}, (422, 503), (USER, ETAG), headers=("ETag",),
    ),
    Operation("DeleteTaste", "delete", "taste/{user_id}", "Forget a user", "taste", {204: None}, (422, 503), (USER,)),
)  # fmt: skip
