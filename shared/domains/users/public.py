"""What other domains may have of users."""

from __future__ import annotations

from shared.domains.users.api import known_user
from shared.domains.users.containers import USERS
from shared.domains.users.erasure import erase
from shared.domains.users.model import Identifier, Owned
from shared.domains.users.store import Household, UserStore

__all__ = [
    "USERS",
    "Household",
    "Identifier",
    "Owned",
    "UserStore",
    "erase",
    "known_user",
]
