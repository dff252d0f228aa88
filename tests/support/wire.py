"""What goes over the wire: every request of the Azure SDKs is counted here, and answers get lost on demand."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import ServiceResponseError
from azure.core.pipeline.transport import AioHttpTransport


class Wire:
    """The requests sent so far, and how many of the next answers are to be lost."""

    def __init__(self) -> None:
        self.requests: list[Any] = []
        self.answers_to_lose = 0

    @property
    def calls(self) -> list[str]:
        """The HTTP methods of the requests, in order."""
        return [request.method for request in self.requests]

    def transport(self) -> AioHttpTransport:
        """A transport that is watched."""
        return _WatchedTransport(self)


class _WatchedTransport(AioHttpTransport):  # type: ignore[misc]  # the SDK exports it dynamically
    def __init__(self, wire: Wire) -> None:
        super().__init__(use_env_settings=False)
        self._wire = wire

    async def send(self, request: Any, **options: Any) -> Any:
        self._wire.requests.append(request)
        response = await super().send(request, **options)
        if self._wire.answers_to_lose:
            self._wire.answers_to_lose -= 1
            raise ServiceResponseError("the answer was lost")
        return response
