"""How a reader gives up."""

from __future__ import annotations

from shared.domains.documents.text import Outcome


class RefusedError(Exception):
    """A document cannot be read."""

    def __init__(self, outcome: Outcome, words: str = "") -> None:
        """Say which way it ended; words only where the usual ones would not do."""
        super().__init__(words or outcome.value)
        self.outcome = outcome
        self.words = words


def too_large(what: str) -> RefusedError:
    """The refusal of a document of which something exceeds what is read."""
    return RefusedError(Outcome.TOO_LARGE, f"This document is too large to be read: {what}.")
