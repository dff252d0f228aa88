"""How the adapters of this domain ask their services: by key, or with the app's identity; errors come out as ServiceError."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from shared.azure_ai import TokenProvider, tokens
from shared.domains.stories.ports import ServiceError

if TYPE_CHECKING:
    from shared.fetch.service import Reply
    from shared.settings import Settings


async def ask(service: str, url: str, content: Any, headers: Mapping[str, str]) -> Reply:
    """POST, and return an answer of status 200.

    Raises:
        ServiceError: any other answer, or none. What was sent, and what the service says of it, stays out of the message.
    """
    from shared.fetch import FetchUnavailableError
    from shared.fetch.service import ask as post

    try:
        reply = await post(url, content, headers)
    except FetchUnavailableError as error:
        raise ServiceError(f"{service}: {error}") from None
    if reply.status != 200:
        raise ServiceError(f"{service} answered {reply.status}", reply.retry_after)
    return reply


def content_of(service: str, reply: Reply) -> Any:
    """The answer's JSON, or ServiceError."""
    from shared.fetch import FetchUnavailableError

    try:
        return reply.json()
    except FetchUnavailableError as error:
        raise ServiceError(f"{service}: {error}") from None


class Identity:
    """Tokens of the app's identity for Azure's AI services; kept, since the credential remembers them."""

    def __init__(self, settings: Settings) -> None:
        self._client_id = settings.azure_client_id
        self._token: TokenProvider | None = None

    async def token(self) -> str:
        """A token.

        Raises:
            ServiceError: the identity cannot sign in.
        """
        from azure.core.exceptions import AzureError

        if self._token is None:
            self._token = tokens(self._client_id)
        try:
            return await self._token()
        except AzureError as error:
            raise ServiceError(f"the app's identity cannot sign in ({type(error).__name__})") from None
