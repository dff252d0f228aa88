"""Operations on the app itself."""

from __future__ import annotations

from typing import Any

from shared.web import schemas
from shared.web.operations.model import ETAG, Operation

OPERATIONS: tuple[Operation, ...] = (
    Operation("Health", "get", "health", "Whether the app answers", "operation", {200: schemas.HealthView}, role="anonymous"),
    Operation(
        "GetOpenApi", "get", "openapi.json", "This document", "operation", {200: dict[str, Any], 304: None},
        parameters=(ETAG,), headers=("ETag",), role="anonymous",
    ),
)  # fmt: skip
