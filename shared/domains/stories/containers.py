"""What stories are kept in."""

from __future__ import annotations

from shared.containers import Artifacts, Container

ADVENTURES = Container(
    "adventures",
    "Adventures, and each of their entries. `pk` = user id: some hundred documents of up to 50 KiB per partition.",
    indexed=("at", "kind"),
    of_user=True,
)

VOCABULARY = Container(
    "vocabulary",
    "The words that a user has met. `pk` = user id: one document for each language.",
    indexed=(),
    of_user=True,
)

AUDIO = Artifacts("adventures/", "Audio of entries of adventures.", of_user=True)
