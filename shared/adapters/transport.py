"""How the Azure SDKs reach their services: HTTP transport and logging, the same for all of them."""

from __future__ import annotations

import logging
import os
from typing import Any
from urllib.request import getproxies

from azure.core.exceptions import AzureError
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.settings import settings

from shared.adapters.calls import Naming
from shared.calls import Calls

CONNECTION_TIMEOUT = 5
"""Seconds to wait for a connection."""

READ_TIMEOUT = 20
"""Seconds to wait for the next bytes of an answer."""

_TRACING = "AZURE_TRACING_ENABLED"
_REFUSALS = (401, 403, 429)
"""Answers that are trouble, though not the service's; 404, 409 and 412 are ordinary ones."""

COSMOS_LIMITS: dict[str, Any] = {
    "connection_timeout": CONNECTION_TIMEOUT,
    "read_timeout": READ_TIMEOUT,
    "retry_total": 3,
    "retry_backoff_max": 5,
    "retry_throttle_total": 5,
    "retry_throttle_backoff_max": 10,
}
"""Limits for the Cosmos DB SDK, which takes them by name: seconds and counts. Throttling gets more patience."""


def transport() -> AioHttpTransport:
    """An HTTP transport of up to 100 connections, opened by its first request.

    Whether there is a proxy is looked up once: left to itself, aiohttp searches the environment and the user's netrc at
    every request, which costs as much as all the rest of a small one.
    """
    return AioHttpTransport(
        connection_timeout=CONNECTION_TIMEOUT, read_timeout=READ_TIMEOUT, use_env_settings=bool(getproxies())
    )


def counted(sender: AioHttpTransport, service: str, naming: Naming, calls: Calls) -> AioHttpTransport:
    """Have a transport count what it sends, as requests to `service`."""

    async def send(request: Any, **options: Any) -> Any:
        calls.count(service, naming(request))
        try:
            response = await type(sender).send(sender, request, **options)
        except AzureError as error:
            calls.failed(service, type(error).__name__)
            raise
        if response.status_code >= 500 or response.status_code in _REFUSALS:
            calls.failed(service, str(response.status_code))
        return response

    sender.send = send
    return sender


def quiet() -> None:
    """Keep the SDKs from logging every request with its address, and from making spans of their own for each.

    A level that somebody has set stands, and so does tracing that the environment asks for. Unasked, the SDKs look at every call
    for a tracing library that might have been imported.
    """
    if _TRACING not in os.environ:
        settings.tracing_enabled = False
    logger = logging.getLogger("azure")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)
