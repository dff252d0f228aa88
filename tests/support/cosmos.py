"""A server that speaks Cosmos DB's protocol, for tests; ``cosmos_server.js`` says what it mends."""

from __future__ import annotations

from pathlib import Path

from support.node import NodeProcess, free_ports, node_modules

KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nDuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="
"""The well-known key of every Cosmos DB emulator: no secret."""


class CosmosProcess(NodeProcess):
    """The server, empty at every start."""

    def __init__(self) -> None:
        (port,) = free_ports(1)
        script = Path(__file__).parent / "cosmos_server.js"
        super().__init__(script, str(node_modules()), str(port), ports=[port])
        self.endpoint = f"http://127.0.0.1:{port}/"
