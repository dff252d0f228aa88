"""Which requests are let in: none that a web page elsewhere can have a developer's browser send.

Such a page reaches this host by a request across origins, or under a name of its own that it has pointed at this machine
(DNS rebinding), and could replay, pause or delete what it likes. ``func`` answers both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from devhost.server import Headers

_HOST = re.compile(r"(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(?::[0-9]*)?")


@dataclass(frozen=True, slots=True)
class Origins:
    """Tells whom the host answers.

    Args:
        address: Where it listens: a name for it too.
        allowed: Other origins that may ask; ``*``: all.
        anything: Whether every request is let in, as by the real host.
    """

    address: str
    allowed: Sequence[str] = ()
    anything: bool = False

    def refusal(self, headers: Headers) -> str:
        """Say why a request with these headers is not answered; empty where it is."""
        if self.anything:
            return ""
        hosts = [value.lower() for name, value in headers if name == "host"]
        for host in hosts:
            if not self._is_own(host):
                return f"Host is {host!r}, which is no name of this machine"
        for origin in (value.lower() for name, value in headers if name == "origin"):
            if not (self._is_allowed(origin) or origin in (f"http://{host}" for host in hosts)):
                return f"Origin is {origin!r}, a page from elsewhere"
        return ""

    def _is_own(self, host: str) -> bool:
        found = _HOST.fullmatch(host)
        if found is None:
            return False
        name = found["v6"] or found["name"]
        if name in ("localhost", self.address.lower()):
            return True
        try:
            address = ip_address(name)
        except ValueError:
            return False
        # who listens everywhere is asked for by any of the machine's addresses, and an address cannot be pointed elsewhere
        return address.is_loopback or _everywhere(self.address)

    def _is_allowed(self, origin: str) -> bool:
        return any(each in ("*", origin) for each in self.allowed)


def _everywhere(address: str) -> bool:
    try:
        return ip_address(address).is_unspecified
    except ValueError:
        return False
