"""What can be closed."""

from __future__ import annotations

from typing import Protocol


class Closeable(Protocol):
    """A client, a credential, a connection."""

    async def close(self) -> None:
        """Let go of connections; nothing may be asked of it afterwards."""
        ...


async def close_all(*resources: Closeable) -> None:
    """Close each, in order."""
    for resource in resources:
        await resource.close()
