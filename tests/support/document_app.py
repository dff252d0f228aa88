"""The app in memory, as documents are uploaded to it and read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from shared import bootstrap
from shared.app import App
from shared.declarations import settings_of
from shared.domains.documents.api import api
from shared.jobs.testing import FakeClock
from shared.jobs.testing.host import Host
from shared.jobs.testing.memory import MemoryBlobs, MemoryContainers, MemoryDocuments, MemoryQueues
from shared.web.answers import Answer
from shared.web.routes import Call


class DocumentApp:
    """All of the app but the host: routes are called as `blueprints.http` does, messages are delivered by `run`."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self.clock = FakeClock()
        self.blobs, self.queues = MemoryBlobs(self.clock), MemoryQueues(self.clock)
        self.documents, self.containers = MemoryDocuments(self.clock), MemoryContainers(self.clock)
        self.host = Host(self.queues)
        self.app = self.restart(environ)

    def restart(self, environ: Mapping[str, str] | None = None) -> App:
        """A new process over the same storage."""
        self.app = bootstrap.compose(
            settings_of(dict(environ or {})),
            self.blobs,
            self.queues,
            self.documents,
            self.clock,
            containers=self.containers,
        )
        return self.app

    async def run(self) -> None:
        """Deliver messages until nothing is due."""
        while await self.host.pump(self.app.engine):
            pass

    async def ask(self, function: str, **given: Any) -> Answer:
        """Call a route by the name of its function."""
        (route,) = [each for each in api.routes if each.function == function]
        path: dict[str, str] = {
            name: given.pop(name)
            for name in ("document_id", "upload_id")
            if name in given and f"{{{name}" in route.template
        }
        body = given.pop("body", b"")
        headers = given.pop("headers", {})
        query = {name: str(value) for name, value in given.items()}
        return await route.handler(
            self.app, Call(path, query, headers, body if isinstance(body, bytes) else json.dumps(body).encode())
        )

    async def view(self, function: str, **given: Any) -> dict[str, Any]:
        """The JSON of an answer."""
        content: dict[str, Any] = json.loads((await self.ask(function, **given)).body)
        return content

    async def upload(self, data: bytes, name: str, **given: Any) -> dict[str, Any]:
        """Upload a file; return its ticket."""
        return await self.view("UploadDocument", body=data, name=name, **given)

    async def document(self, document_id: str) -> dict[str, Any]:
        """A document as its route shows it."""
        return await self.view("GetDocument", document_id=document_id)
