"""How the Azure SDKs reach their services: HTTP transport and logging, the same for all of them."""

from __future__ import annotations

import logging
import os
from typing import Any
from urllib.request import getproxies

from aiohttp import ClientConnectorError
from azure.core.exceptions import AzureError, ServiceRequestError, ServiceRequestTimeoutError
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


class AnswerLostError(AzureError):
    """The connection broke before the answer to a write: it may have taken effect.

    The transport calls this an error of the request, which the SDK for Cosmos DB takes for one that was never sent.
    """


class SendOnce(AioHttpTransport):  # type: ignore[misc]  # the SDK exports it dynamically
    """A transport that sends a request once: what may be sent again is decided above it.

    Left to itself, aiohttp sends PUT and DELETE again where a connection breaks. A conditional write that took effect then fails
    on its own condition, and its caller believes that somebody else was first.
    """

    async def open(self) -> None:
        """Open the session."""
        await super().open()
        self.session._retry_connection = False  # noqa: SLF001  aiohttp has no public way to say so

    async def send(self, request: Any, **options: Any) -> Any:
        """Send a request and return its answer; AnswerLostError where a write has been sent, and no answer came."""
        try:
            return await super().send(request, **options)
        except ServiceRequestError as error:
            if _is_read(request) or _never_left(error):
                raise
            raise AnswerLostError("no answer to a write", error=error.inner_exception) from error


def _is_read(request: Any) -> bool:
    return request.method in ("GET", "HEAD") or "query" in request.headers.get("Content-Type", "")


def _never_left(error: ServiceRequestError) -> bool:
    return isinstance(error, ServiceRequestTimeoutError) or isinstance(error.inner_exception, ClientConnectorError)


def transport() -> AioHttpTransport:
    """An HTTP transport of up to 100 connections, opened by its first request.

    Whether there is a proxy is looked up once: left to itself, aiohttp searches the environment and the user's netrc at
    every request, which costs as much as all the rest of a small one.
    """
    return SendOnce(
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
