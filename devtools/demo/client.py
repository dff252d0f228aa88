"""The app's HTTP API as the demo uses it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

import aiohttp

Json = dict[str, Any]
FINAL: Final = frozenset({"completed", "failed", "cancelled"})


class Client:
    """Talks to one app. While the app is down, what is asked is asked again; nothing is posted twice."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self.url = url

    async def get(self, path: str, **params: str) -> Json:
        """Ask for something."""
        return await self._get(f"/api/{path}", **params)

    async def send(self, method: str, path: str, body: Json) -> Json:
        """Send something; return the answer. Raises aiohttp.ClientResponseError for one that is an error."""
        async with self._http.request(method, f"{self.url}/api/{path}", json=body) as response:
            response.raise_for_status()
            return dict(await response.json()) if response.content_type.endswith("json") else {}

    async def text(self, path: str) -> str:
        """Ask for a page. Raises aiohttp.ClientResponseError for one that is not there."""
        async with self._http.get(f"{self.url}/api/{path}") as response:
            response.raise_for_status()
            return await response.text()

    async def upload(self, name: str, data: bytes) -> Json:
        """Upload a document; return its ticket."""
        async with self._http.post(f"{self.url}/api/documents", params={"name": name}, data=data) as response:
            response.raise_for_status()
            return dict(await response.json())

    async def feedback(self, body: Json) -> Json:
        """Post feedback; return the answer, a ticket for an `up`."""
        return await self.send("POST", "taste/feedback", body)

    async def collect(self, addresses: list[str]) -> Json:
        """Have feeds collected; return the ticket."""
        body = {"source": "rss", "topics": addresses, "limit": 10}
        return await self.send("POST", "summarywomble", body)

    async def job(self, job_id: str) -> Json | None:
        """Return a job's status; None while the app does not answer."""
        try:
            return await self._get(f"/api/jobs/{job_id}")
        except aiohttp.ClientConnectionError:
            return None

    async def profile(self, user_id: str) -> Json:
        """Return a user's profile."""
        return await self._get(f"/api/taste/{user_id}")

    async def dead_letters(self, **wanted: str) -> list[Json]:
        """Return the newest dead letters that match."""
        return list((await self._get("/api/dead-letters", **wanted))["items"])

    async def replay(self, letter_id: str) -> Json:
        """Put a dead letter back."""
        return await self.send("POST", f"dead-letters/{letter_id}/replay", {})

    async def _get(self, path: str, **params: str) -> Json:
        async with self._http.get(self.url + path, params=params) as response:
            response.raise_for_status()
            return dict(await response.json())


async def jobs(client: Client, ids: Iterable[str]) -> list[Json]:
    """The status of several jobs; what cannot be asked now has the status `unknown`."""
    known = list(ids)
    answers = await asyncio.gather(*(client.job(job_id) for job_id in known))
    return [answer or {"job_id": job_id, "status": "unknown"} for job_id, answer in zip(known, answers, strict=True)]
