"""When a call to Azure Storage is made again."""

from __future__ import annotations

import random
from typing import Any

from aiohttp import ClientConnectorError
from azure.core.exceptions import AzureError, ServiceRequestTimeoutError
from azure.storage.blob.aio import ExponentialRetry

RETRIES = 3
"""How often a call that failed is made again, at most."""

_FIRST_WAIT = 0.2
_SERVER_BUSY = 503


class SafeRetry(ExponentialRetry):
    """Few quick retries, and never one that would make a lie of its answer.

    A conditional write whose answer was lost may have taken effect. Sent again it fails on its own condition, and its
    caller believes that somebody else was first. So it is made again only where the service surely did not take it.
    """

    def __init__(self) -> None:
        super().__init__(retry_total=RETRIES)

    def get_backoff_time(self, settings: dict[str, Any]) -> float:
        """Seconds until the next try: about 0.2, 0.4 and 0.8, with jitter."""
        return float(_FIRST_WAIT * 2 ** (settings["count"] - 1) * random.uniform(0.5, 1.5))  # noqa: S311  no secret

    def increment(
        self, settings: dict[str, Any], request: Any, response: Any = None, error: AzureError | None = None
    ) -> bool:
        """Count a failure, and say whether to try again."""
        if _is_conditional(request) and not _was_refused(response, error):
            return False
        return bool(super().increment(settings, request, response, error))


def _is_conditional(request: Any) -> bool:
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def _was_refused(response: Any, error: AzureError | None) -> bool:
    if error is None:
        return bool(response.status_code == _SERVER_BUSY)
    unreachable = isinstance(error.inner_exception, ClientConnectorError)
    return unreachable or isinstance(error, ServiceRequestTimeoutError)
