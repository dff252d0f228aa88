"""Azure's AI services, as those reach them who ask them: by key, or signed in with the app's identity.

Nothing of Azure, nor openai, is imported before somebody asks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import AsyncAzureOpenAI

    from shared.settings import Settings

TokenProvider = Callable[[], Awaitable[str]]
"""Hands out a token that holds for now."""
SCOPE = "https://cognitiveservices.azure.com/.default"
"""What a token for one of these services is asked for."""


def tokens(client_id: str | None, scope: str = SCOPE) -> TokenProvider:
    """Tokens of the app's identity. To be kept by who asks often: it remembers them."""
    from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider

    return get_bearer_token_provider(DefaultAzureCredential(managed_identity_client_id=client_id), scope)


def openai_client(
    settings: Settings,
    endpoint: str,
    key: str | None,
    sign_in: Callable[[], TokenProvider],
    *,
    timeout: float,
    retries: int = 0,
) -> AsyncAzureOpenAI:
    """A client of Azure OpenAI, to be closed after use.

    Args:
        settings: the app's settings.
        endpoint: the resource's address.
        key: its key, or None.
        sign_in: asked for tokens where there is no key.
        timeout: seconds that a question may take.
        retries: how often the client itself asks again; none by default, since the engine does so with its own patience.
    """
    from openai import AsyncAzureOpenAI

    return AsyncAzureOpenAI(
        azure_endpoint=endpoint,
        api_version=settings.openai_api_version,
        api_key=key,
        azure_ad_token_provider=None if key else sign_in(),
        max_retries=retries,
        timeout=timeout,
    )
