"""What can go wrong with a fetch: one branch that no retry mends, one that a retry may mend."""

from __future__ import annotations

from typing import ClassVar


class FetchError(Exception):
    """The address could not be fetched."""

    reason: ClassVar[str] = "failed"
    """A short word for records and clients."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__doc__)


class FetchRefusedError(FetchError):
    """Fetching this address is refused, and a retry will be refused too."""

    reason = "refused"


class UrlRefusedError(FetchRefusedError):
    """The address is not an absolute http or https URL."""

    reason = "bad-url"


class AddressRefusedError(FetchRefusedError):
    """The address is not on the public internet."""

    reason = "not-public"


class TooManyRedirectsError(FetchRefusedError):
    """The address redirects too often."""

    reason = "too-many-redirects"


class StatusRefusedError(FetchRefusedError):
    """The server answered that there is nothing to be had."""

    reason = "not-served"

    def __init__(self, detail: str = "", status: int = 0) -> None:
        super().__init__(detail)
        self.status = status
        """What it answered."""


class ContentTypeRefusedError(FetchRefusedError):
    """The server sent something else than was asked for."""

    reason = "wrong-type"


class BodyTooLargeError(FetchRefusedError):
    """The content is larger than is taken."""

    reason = "too-large"


class BrokenPackingError(FetchRefusedError):
    """The content is packed, and broken."""

    reason = "unreadable"


class CertificateRefusedError(FetchRefusedError):
    """The server's certificate does not prove that it is who it says."""

    reason = "bad-certificate"


class RobotsRefusedError(FetchRefusedError):
    """The site's robots.txt keeps us out of this address."""

    reason = "robots"


class FetchUnavailableError(FetchError):
    """The server did not answer as it should: a later try may succeed."""

    reason = "unavailable"

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds the server asked to be left alone, if it said so."""


class ContentRefusedError(Exception):
    """What came is not what was asked for, and asking again will not change that."""

    reason = "unreadable"
    """A short word for records and clients."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__doc__)
