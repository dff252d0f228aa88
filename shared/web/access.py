"""Access: who calls, and whether a route's rule lets them: by their role, the size of the request, and how often they ask.

The host checks function keys; what it cannot check is decided here, for every route, by `blueprints.http`.

An operator is whoever sends the operator's key (`NIGHTSHIFT_OPERATOR_KEY`; in Azure a host key of the same value lets it
pass the host too), or whom Microsoft Entra ID gave the role `NIGHTSHIFT_OPERATOR_ROLE`. The header that tells of the
latter is believed only where App Service authentication is on: it strips what clients send under that name.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.web.answers import Problem
from shared.web.limits import Limiter
from shared.web.rules import Role, Rule

if TYPE_CHECKING:
    from shared.settings import Settings

_ADDRESS = re.compile(r"\[(.+)\]:\d+|([\d.]+):\d+")
"""An IPv6 or IPv4 address with a port."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `name` goes into records and logs: never a key, an address or anybody's name."""

    role: Role
    name: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request bears on access. Names of headers are in lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    size: int

    @property
    def key(self) -> bytes:
        """The function key that was sent, from where the host takes it; it need not be text that can be encoded."""
        return (self.headers.get("x-functions-key") or self.query.get("code") or "").encode(errors="surrogatepass")

    @property
    def address(self) -> str:
        """Where it came from: the last hop, which the platform adds; those before it anybody can make up."""
        hop = self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        found = _ADDRESS.fullmatch(hop)
        return (found[1] or found[2] if found else hop) or "local"


class Gate:
    """Admits requests, or raises the problem that refuses them."""

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        key = settings.operator_key or ""
        # A reference that the platform could not resolve reaches the app as it is written, and is no secret.
        self._key = b"" if key.startswith("@Microsoft.KeyVault") else key.encode()
        self._role = settings.operator_role
        self._signed_in = environ.get("WEBSITE_AUTH_ENABLED", "").lower() == "true"
        self._in_azure = in_azure(environ)
        rates: dict[str, float] = {
            "anonymous": settings.rate_anonymous,
            "reads": settings.rate_reads,
            "writes": settings.rate_writes,
            "operator": settings.rate_operator,
        }
        self._limiter = Limiter(rates, clock)

    def admit(self, rule: Rule, request: Request) -> Caller:
        """Say who calls, if they may.

        Raises:
            Problem: 429 too often, 403 not an operator, 413 too large; looked at in this order, before the body is read.
        """
        if wait := self._limiter.take(_bucket_of(rule, request), rule.rate):
            raise Problem(
                429, "Too many requests", "this caller asks more often than this instance answers", retry_after=wait
            )
        caller = Caller("anonymous") if rule.role == "anonymous" else self._caller(request)
        if rule.role == "operator" and caller.role != "operator":
            raise Problem(403, "Not an operator", self._advice())
        if request.size > rule.largest:
            detail = f"the body has {request.size} bytes; at most {rule.largest} are taken here"
            raise Problem(413, "Content too large", detail)
        return caller

    def _caller(self, request: Request) -> Caller:
        if self._key and hmac.compare_digest(request.key, self._key):
            return Caller("operator", "operator key")
        if self._signed_in and (principal := operator_of(request.headers.get(_PRINCIPAL, ""), self._role)):
            return Caller("operator", f"principal {principal}")
        if not (self._key or self._signed_in or self._in_azure):
            return Caller("operator")  # a developer's machine, where nothing is configured and the host asks for no key
        return Caller("client")

    def _advice(self) -> str:
        if not (self._key or self._signed_in):
            return (
                "no operator is configured: set NIGHTSHIFT_OPERATOR_KEY and a host key of the same value, "
                "or turn on App Service authentication"
            )
        ways = ["the operator's key"] if self._key else []
        return f"this needs {' or '.join([*ways, *([f'the role {self._role}'] if self._signed_in else [])])}"


def in_azure(environ: Mapping[str, str]) -> bool:
    """Whether this is no developer's machine: `func` and devhost set at most a local WEBSITE_HOSTNAME."""
    name = environ.get("WEBSITE_HOSTNAME", "").partition(":")[0]
    hosted = ("WEBSITE_POD_NAME", "WEBSITE_INSTANCE_ID", "CONTAINER_APP_NAME", "KUBERNETES_SERVICE_HOST")
    return any(environ.get(each) for each in hosted) or name not in ("", "localhost", "127.0.0.1")


_PRINCIPAL = "x-ms-client-principal"
_IDS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid", "appid", "azp")


def operator_of(header: str, role: str) -> str | None:
    """The id of the principal in an `X-MS-CLIENT-PRINCIPAL` header, if Entra ID gave it the role; else None."""
    try:
        principal: dict[str, Any] = json.loads(b64decode(header, validate=True))
        claims = [(str(each["typ"]), str(each["val"])) for each in principal["claims"]]
        kinds = ("roles", principal.get("role_typ"))
        if principal.get("auth_typ") != "aad" or not any(typ in kinds and val == role for typ, val in claims):
            return None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return next((val for typ, val in claims if typ in _IDS), "without id")[:64]


def _bucket_of(rule: Rule, request: Request) -> str:
    """Whose bucket a request takes from. Where no key is checked, a made-up one must not be worth a fresh bucket."""
    if rule.role == "anonymous" or not request.key:
        return request.address
    return hashlib.sha256(request.key).hexdigest()[:16]
