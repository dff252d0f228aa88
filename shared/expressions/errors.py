"""What is wrong with an expression, and where."""

from __future__ import annotations


class ExpressionError(ValueError):
    """An expression cannot be read."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        """What is wrong, in words."""
        self.offset = offset
        """Where, in characters from the beginning."""

    def __str__(self) -> str:
        return f"{self.message} (at character {self.offset + 1})"
