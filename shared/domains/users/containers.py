"""What users are kept in."""

from __future__ import annotations

from shared.containers import Container

USERS = Container(
    "users",
    "Users, their wardrobe and their subscriptions. `pk` = user id: some hundred small documents per partition.",
    of_user=True,
)
