"""One POST to a service that the operator has configured: a model, a translator, a voice.

Its address is not a stranger's, so that it may be a private endpoint; its answer is still read within a limit.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.fetch.errors import FetchUnavailableError
from shared.fetch.headers import retry_after

_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What a service answered, whatever its status."""

    status: int
    body: bytes
    retry_after: float | None = None
    """Seconds that it asked to be left alone, if it said so."""

    def json(self) -> Any:
        """The body as JSON; FetchUnavailableError where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise FetchUnavailableError("the service answered something else than JSON") from None


async def ask(
    url: str,
    content: Any,
    headers: Mapping[str, str],
    *,
    timeout_seconds: float = 60.0,
    max_bytes: int = 32 * 1024 * 1024,
) -> Reply:
    """POST JSON, or bytes as they are, and read the answer.

    Raises:
        FetchUnavailableError: no answer in time, a broken connection, or more of an answer than is read.
    """
    import aiohttp

    plain = isinstance(content, bytes)
    body = content if plain else json.dumps(content, ensure_ascii=False).encode()
    sent = {**({} if plain else {"Content-Type": "application/json"}), **headers}
    try:
        async with (
            asyncio.timeout(timeout_seconds),
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False) as session,
            session.post(url, data=body, headers=sent, allow_redirects=False) as response,
        ):
            read = bytearray()
            async for chunk in response.content.iter_chunked(_CHUNK):
                read += chunk
                if len(read) > max_bytes:
                    raise FetchUnavailableError("the service answered more than is read")
            return Reply(response.status, bytes(read), retry_after(response.headers.get("Retry-After")))
    except TimeoutError:
        raise FetchUnavailableError("the service took too long") from None
    except (aiohttp.ClientError, OSError) as error:
        raise FetchUnavailableError(f"the connection failed ({type(error).__name__})") from None
