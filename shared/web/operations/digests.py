"""Operations on digests."""

from __future__ import annotations

from shared.web.operations.model import Operation

OPERATIONS: tuple[Operation, ...] = ()
