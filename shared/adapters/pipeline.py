"""The pipeline that each request of the storage SDK goes through, without the policies that do nothing here.

The SDK's own has sixteen policies: most look at options that this app never sets, and each costs every request two calls and an
await. What is left: retries, headers, credentials, and what queues need to name and to read messages. What the SDK builds
is known by name and order: where a new version builds something else, its clients are left as they are, and a contract test
says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any
from uuid import uuid4
from wsgiref.handlers import format_date_time

from azure.core.pipeline import AsyncPipeline, PipelineRequest
from azure.core.pipeline.policies import AsyncHTTPPolicy

RETRY, HEADERS, AGENT = "SafeRetry", "StorageHeadersPolicy", "UserAgentPolicy"
CREDENTIALS = ("SharedKeyCredentialPolicy", "AsyncStorageBearerTokenCredentialPolicy")
BLOBS = (
    "QueueMessagePolicy", "ProxyPolicy", AGENT, "AsyncContentValidationPolicy", "ContentDecodePolicy",
    "AsyncRedirectPolicy", "StorageHosts", RETRY, HEADERS, "StorageRequestHook", "StorageLoggingPolicy",
    "AsyncStorageResponseHook", "DistributedTracingPolicy", "HttpLoggingPolicy", "StorageSensitiveHeaderCleanupPolicy",
)  # fmt: skip
"""What the blob SDK builds, but for the credential, which stands after the request hook where there is one."""
QUEUES = (BLOBS[0], "RangeHeaderPolicy", *BLOBS[1:])
"""What the queue SDK builds."""
FOR_QUEUES = ("QueueMessagePolicy", "ContentDecodePolicy")
"""What queues need beyond the rest: a message's name in the address, and answers read as XML."""

_OPTIONS = (
    "validate_content", "data_stream_total", "download_stream_current", "upload_stream_current", "headers",
    "raw_request_hook", "raw_response_hook",
)  # fmt: skip
"""What the SDK passes along for policies that are gone; the transport would take it for its own."""


class RequestHeaders(AsyncHTTPPolicy[Any, Any]):
    """What every try of a request carries: when it was made, by what, and an id of its own.

    The SDK's ids are of version 1, which asks the machine's clock and address for each.
    """

    def __init__(self, user_agent: str) -> None:
        super().__init__()
        self._user_agent = user_agent

    async def send(self, request: PipelineRequest[Any]) -> Any:
        """Set the headers, and drop the options that nobody reads."""
        headers, options = request.http_request.headers, request.context.options
        for name in _OPTIONS:
            options.pop(name, None)
        headers["User-Agent"] = self._user_agent
        headers["x-ms-date"] = format_date_time(time())
        headers["x-ms-client-request-id"] = str(uuid4())
        return await self.next.send(request)


def policies_of(client: Any) -> dict[str, Any]:
    """The policies of a client's pipeline by the names of their classes, in their order."""
    policies = client._pipeline._impl_policies  # noqa: SLF001  the SDK has no public way to its pipeline
    return {type(getattr(policy, "_policy", policy)).__name__: policy for policy in policies}


def is_known(built: Mapping[str, Any], expected: tuple[str, ...]) -> bool:
    """Whether the SDK built what this module was written for."""
    return tuple(name for name in built if name not in CREDENTIALS) == expected


def lean(client: Any, expected: tuple[str, ...], needed: tuple[str, ...] = ()) -> None:
    """Leave of a client's pipeline what is needed.

    Args:
        client: of a container, or of the queue service, from which clients of single queues are made later.
        expected: the names that its pipeline must have, else it stays as it is.
        needed: what goes before the retries, by name.
    """
    built = policies_of(client)
    if not is_known(built, expected):
        return
    agent = built[AGENT]._policy.user_agent  # noqa: SLF001
    credentials = [policy for name, policy in built.items() if name in CREDENTIALS]
    kept = [*(built[name] for name in needed), built[RETRY], RequestHeaders(agent), *credentials]
    pipeline = client._pipeline  # noqa: SLF001
    vars(pipeline).update(vars(AsyncPipeline(pipeline._transport, kept)))  # noqa: SLF001
