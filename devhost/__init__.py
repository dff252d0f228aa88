"""A small local Azure Functions host, for machines without Core Tools and for tests.

It runs the app in its own process and models what the real host does with HTTP routes, storage queues and timers
(``docs/reference/devhost.md`` has the list, and what is left out). It is a development tool: never deploy it.

Example:
    ``python -m devhost --app . --port 7071``, or in a test::

        async with Host(app, settings={"AzureWebJobsStorage": connection_string}) as host:
            await client.get(f"{host.url}/api/hello")
"""

from devhost.config import ConfigError, HostConfig
from devhost.host import Host
from devhost.index import IndexingError

__all__ = ["ConfigError", "Host", "HostConfig", "IndexingError"]
