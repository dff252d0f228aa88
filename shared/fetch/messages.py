"""What is asked of a server, and what it answers: plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from shared.fetch.unpacking import ACCEPTED

ROBOT = "Nightshift"
"""The name that robots.txt files know us by."""


def user_agent(contact: str = "") -> str:
    """Who we are, and whom to ask about us."""
    return f"{ROBOT}/1.0 (+{contact})" if contact else f"{ROBOT}/1.0 (background fetcher)"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may cost, and what it takes for an answer."""

    accept: tuple[str, ...]
    """Media types, or prefixes that end in a slash (`image/`); `*/*` takes any."""
    max_bytes: int
    """Bytes of the body after decompression."""
    timeout_seconds: float
    """For the whole fetch, redirects included."""
    truncate: bool = False
    """Whether a body that is too large is cut instead of refused."""

    def takes(self, kind: str) -> bool:
        """Say whether content of this media type is taken."""
        return any(one in ("*/*", kind) or (one.endswith("/") and kind.startswith(one)) for one in self.accept)

    @property
    def header(self) -> str:
        """The value of `Accept`."""
        return ", ".join(f"{kind}*" if kind.endswith("/") else kind for kind in self.accept)


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server said of the version that it sent; sent back, it lets the server answer 304."""

    etag: str | None = None
    last_modified: str | None = None
    url: str | None = None
    """The address that it is a version of: nobody else is told. None: the one that is asked first."""

    def __bool__(self) -> bool:
        """Whether there is anything to send."""
        return bool(self.etag or self.last_modified)

    def headers(self, url: str) -> dict[str, str]:
        """The conditions of a request to an address."""
        if self.url not in (None, url):
            return {}
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; with a form it is a POST, and else a GET."""

    url: str
    limits: Limits
    contact: str = ""
    """Whom the server's owner may ask about us."""
    validators: Validators = Validators()
    authorization: str | None = field(default=None, repr=False)
    """Value of the `Authorization` header. It never follows a redirect to another origin."""
    form: Mapping[str, str] | None = field(default=None, repr=False)

    def headers(self) -> dict[str, str]:
        """The headers as sent."""
        signed = {"Authorization": self.authorization} if self.authorization else {}
        own = {"User-Agent": user_agent(self.contact), "Accept": self.limits.header, "Accept-Encoding": ACCEPTED}
        return {**own, **self.conditions, **signed}

    @property
    def conditions(self) -> dict[str, str]:
        """What lets its address answer that nothing has changed."""
        return self.validators.headers(self.url)

    def redirected(self, url: str) -> Request:
        """The same request to another address, without what is meant for the first one, or its origin, only."""
        same = origin(url) == origin(self.url)
        return replace(
            self,
            url=url,
            authorization=self.authorization if same else None,
            validators=self.validators if self.validators.url else Validators(),
        )


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a fetch brought."""

    body: bytes
    content_type: str
    """Media type, without parameters."""
    url: str
    """The address it finally came from."""
    charset: str | None = None
    """The encoding that the server claims."""
    validators: Validators = Validators()
    moved_to: str | None = None
    """Where the address that was asked for has moved for good, if it says so."""


@dataclass(frozen=True, slots=True)
class NotModified:
    """The version that the caller holds is still the current one (304)."""

    url: str
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class Redirect:
    """The server points elsewhere."""

    url: str
    permanent: bool = False


def origin(url: str) -> str:
    """Scheme, host and port of an address, as one text."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
