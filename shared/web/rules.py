"""The rules that a route may have: who may call it, how often, and how large a request may be.

No route can be declared without one. `shared.web.access` decides by them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Role = Literal["anonymous", "client", "operator"]
RateClass = Literal["anonymous", "reads", "writes", "operator"]
_KIB = 1024


class Rule(NamedTuple):
    """What holds for a route."""

    role: Role
    rate: RateClass
    """The class of its rate limit."""
    largest: int = _KIB
    """Bytes of the largest body."""


OPEN = Rule("anonymous", "anonymous")
"""Holds nothing that is not public: whether the app lives, what its API is, the dashboard's page (which asks for a key), a published site."""
READ = Rule("client", "reads")
WRITE = Rule("client", "writes", 64 * _KIB)
SUBMIT = Rule("client", "writes", 1024 * _KIB)
"""Takes a payload, which may be too big for a message."""
INSPECT = Rule("operator", "reads")
"""Shows what clients have sent."""
OPERATE = Rule("operator", "operator", 64 * _KIB)
REPLAY = Rule("operator", "operator", 1024 * _KIB)
"""Takes an edited payload."""
