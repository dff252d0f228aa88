"""Which services pipelines may name: those of Azure's own domains, the app's own, and what the operator lists.

The app signs in to them with its identity and sends them content; a token that a stranger's server is sent is a token lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from shared.domains.pipelines.settings import ExecutorOptions
from shared.settings import Settings

_AZURE = (
    ".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".search.windows.net", ".documents.azure.com",
    ".openai.azure.us", ".cognitiveservices.azure.us", ".search.azure.us", ".documents.azure.us",
)  # fmt: skip


def refused(setting: str, endpoint: str, app: Settings, own: str | None = None) -> Sequence[str]:
    """Why an address may not be asked, a sentence naming the setting; nothing where it may."""
    parts = urlsplit(endpoint)
    host = parts.netloc.lower()
    listed = host in app.of(ExecutorOptions).hosts or (own is not None and host == urlsplit(own).netloc.lower())
    if "@" in host or parts.scheme not in ("http", "https") or not host:
        return [f"{setting}: not an http or https address"]
    if listed or (parts.scheme == "https" and host.endswith(_AZURE)):
        return ()
    return [f"{setting}: {host} is none of Azure's services; PIPELINE_HOSTS may list it"]
