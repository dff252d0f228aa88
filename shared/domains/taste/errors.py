"""What can go wrong with an analysis."""

from __future__ import annotations


class ImageRefusedError(Exception):
    """The image cannot be read: no retry mends it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        """`too-many-pixels` or `not-an-image`."""


class AnalyserUnavailableError(Exception):
    """The service that analyses cannot answer now."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail or type(self).__doc__)
        self.retry_after = retry_after
        """Seconds it asked to be left alone, if it said so."""
