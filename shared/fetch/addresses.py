"""Which addresses may be fetched: those of the public internet, and what the operator lists by name.

Two checks use this module. `check_url` looks at a URL without asking the network, so that an HTTP boundary can refuse
at once what can never be fetched. `is_public` is asked about the very address of each socket just before it connects
(see `shared.fetch.client`): that one is the guard, whatever names, redirects or DNS answers led there.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from collections.abc import Collection
from urllib.parse import urlsplit

from shared.fetch.errors import AddressRefusedError, UrlRefusedError

MAX_URL_LENGTH = 2048

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_HIDDEN_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "192.0.0.0/24",  # protocol assignments, two of which Python calls global
            "192.88.99.0/24",  # 6to4 relays
            "224.0.0.0/4",  # multicast, of which Python calls parts global
            "168.63.129.16/32",  # Azure's platform: a public number that only a virtual machine's own host answers
        ),
    )
)
# Only what the registries hand out to networks, less what carries an IPv4 address inside (6to4, Teredo) or stands for
# nothing (documentation). IPv4-mapped, NAT64, unique local, link-local and multicast are all outside.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_HIDDEN_V6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "localdomain")


def is_public(address: str) -> bool:
    """Say whether a numeric address is one that anybody on the internet could reach."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not any(ip in net for net in _HIDDEN_V4)
    return ip.scope_id is None and ip in _UNICAST_V6 and not any(ip in net for net in _HIDDEN_V6)


def parse_allowed(setting: str) -> frozenset[str]:
    """Read a comma-separated list of `host` or `host:port`."""
    return frozenset(part.strip().lower() for part in setting.split(",") if part.strip())


def is_allowed(host: str, port: int, allowed: Collection[str]) -> bool:
    """Say whether the operator listed this host, with this port or with any."""
    bracketed = f"[{host}]" if ":" in host else host
    return host in allowed or f"{bracketed}:{port}" in allowed


def check_url(url: str, allowed: Collection[str] = ()) -> None:
    """Refuse a URL that can be seen not to be public, without asking the network.

    A name that passes may still resolve to a private address; the fetch itself refuses that when it connects.

    Args:
        url: the URL as it was given.
        allowed: what `parse_allowed` read: hosts that may be fetched although not public.

    Raises:
        UrlRefusedError: it is not an absolute http(s) URL, is too long, or carries a user name.
        AddressRefusedError: its host is a private address in any notation, or a name of a local network.
    """
    host, port = _parts(url)
    if is_allowed(host, port, allowed):
        return
    ip = _numeric(host)
    if ip is not None and not is_public(str(ip)):
        raise AddressRefusedError
    if ip is None and _is_local_name(host):
        raise AddressRefusedError


def require_http(url: str) -> None:
    """Raise UrlRefusedError for what is not an absolute http(s) URL; whether it may be fetched is not asked."""
    _parts(url)


def _parts(url: str) -> tuple[str, int]:
    if len(url) > MAX_URL_LENGTH or any(c.isspace() or c == "\\" or not c.isprintable() for c in url):
        raise UrlRefusedError
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise UrlRefusedError from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise UrlRefusedError
    if parts.username is not None or parts.password is not None:
        raise UrlRefusedError("the address carries a user name")
    return _plain(host), port or (443 if parts.scheme == "https" else 80)


def _plain(host: str) -> str:
    """Fold what browsers and resolvers fold: full-width digits, ideographic full stops, case, the root's dot."""
    folded = unicodedata.normalize("NFKC", host).replace("\u3002", ".").lower()
    return folded.removesuffix(".")


def _numeric(host: str) -> IPAddress | None:
    """The address a numeric host stands for, also in the notations of inet_aton (`127.1`, `0x7f.1`, `2130706433`)."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError):
        return None


def _is_local_name(host: str) -> bool:
    return "." not in host or any(host == name or host.endswith(f".{name}") for name in _LOCAL_NAMES)
