"""Requests to Azure's services, as the app or by a key: their refusals and pauses as errors of the item."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from shared.azure_ai import tokens
from shared.domains.pipelines.executing import ContentError, Run
from shared.domains.pipelines.executors.endpoints import refused
from shared.fetch import retry_after
from shared.jobs import RetryLater

_LARGEST = 64 * 2**20


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: Any
    """JSON; None where there is none."""


@dataclass(frozen=True)
class Service:
    """A service that is asked."""

    name: str
    """As errors call it."""
    endpoint: str
    scope: str
    key_header: str
    key: str | None = field(default=None, repr=False)

    async def send(
        self, run: Run, method: str, path: str, body: bytes = b"", kind: str = "application/json", seconds: float = 60.0
    ) -> Answer:
        """Send one request. `path` is joined to the endpoint; a whole address must be the endpoint's own.

        Raises:
            ContentError: the service refuses, or may not be asked.
            RetryLater: it does not answer now.
        """
        import aiohttp

        for why in refused(self.name, self.endpoint, run.settings):
            raise ContentError(why)
        base = self.endpoint.rstrip("/")
        url = path if path.startswith("http") else f"{base}/{path.lstrip('/')}"
        if not url.startswith(f"{base}/"):
            raise ContentError(f"{self.name} points to another host")
        headers = {"Content-Type": kind, **await self._credential(run)}
        try:
            timeout = aiohttp.ClientTimeout(total=seconds)
            async with (
                aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=timeout) as session,
                session.request(method, url, data=body or None, headers=headers, allow_redirects=False) as response,
            ):
                data = await response.content.read(_LARGEST)
                return self._read(response.status, dict(response.headers), data)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise RetryLater(0.0, f"{self.name} did not answer ({type(error).__name__})") from None

    def _read(self, status: int, headers: Mapping[str, str], data: bytes) -> Answer:
        try:
            body = json.loads(data) if data.strip() else None
        except ValueError:
            body = None
        if status in (408, 429) or status >= 500:
            wait = retry_after(next((value for name, value in headers.items() if name.lower() == "retry-after"), None))
            raise RetryLater(wait or 0.0, f"{self.name} answered {status}")
        if status >= 300:
            raise ContentError(f"{self.name} answered {status}{_code(body)}")
        return Answer(status, {name.lower(): value for name, value in headers.items()}, body)

    async def _credential(self, run: Run) -> dict[str, str]:
        if self.key:
            return {self.key_header: self.key}
        token = await _sign_in(run.settings.azure_client_id, self.scope)()
        return {"Authorization": f"Bearer {token}"}


def _code(body: Any) -> str:
    """The service's own short word for what is wrong; its sentences may quote what it was sent."""
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return f": {code}" if isinstance(code, str) and code.isprintable() and len(code) < 100 else ""


_sign_in = cache(tokens)
"""Tokens of the app's identity; kept, since they are remembered."""


async def until_done(service: Service, run: Run, started: Answer, pause: float, seconds: float) -> Any:
    """Wait for a long operation, and return what it says at its end.

    Raises:
        ContentError: it failed.
        RetryLater: it takes longer than it may, or the service does not answer now.
    """
    where = started.headers.get("operation-location", "")
    waited = 0.0
    while True:
        answer = await service.send(run, "GET", where)
        body = answer.body if isinstance(answer.body, dict) else {}
        status = str(body.get("status", "")).lower()
        if status == "succeeded":
            return body
        if status in ("failed", "canceled"):
            raise ContentError(f"{service.name} could not analyse this document{_code(body)}")
        pause = retry_after(answer.headers.get("retry-after")) or pause
        if waited + pause > seconds:
            raise RetryLater(0.0, f"{service.name} takes longer than {seconds:g} seconds")
        waited += pause
        await asyncio.sleep(pause)
