"""Application Insights: where traces and metrics go."""

from __future__ import annotations

import os
from typing import Any

_QUIET = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
)
"""With these the exporter sends to the resource that it was given, and to nobody else."""


def open_exporters(connection: str, authentication: str | None) -> tuple[Any, Any]:
    """The exporters of spans and of metrics. Takes more than a second for its imports: not to be called on the loop.

    Args:
        connection: the connection string.
        authentication: `Authorization=AAD`, with `ClientId=...` for a user-assigned identity; None: the key is enough.
    """
    for name in _QUIET:
        os.environ.setdefault(name, "true")
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    options = {
        "connection_string": connection,
        "credential": _credential(authentication),
        "disable_offline_storage": True,
    }
    return AzureMonitorTraceExporter(**options), AzureMonitorMetricExporter(**options)


def _credential(authentication: str | None) -> Any:
    pairs = (pair.partition("=") for pair in (authentication or "").split(";"))
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if given.get("authorization") != "AAD":
        return None
    from azure.identity import ManagedIdentityCredential

    client_id = given.get("clientid")
    return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()
