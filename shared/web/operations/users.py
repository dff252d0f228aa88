"""Operations on users and their wardrobe."""

from __future__ import annotations

from shared.web.operations.model import Operation

OPERATIONS: tuple[Operation, ...] = ()
