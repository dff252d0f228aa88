"""Canonical addresses: what is the same page has the same address."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit, urlunsplit

_LONGEST = 2048
_TRACKING = re.compile(
    r"(utm_\w+|ga_\w+|pk_\w+|mtm_\w+|hsa_\w+|mc_[ce]id|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid"
    r"|igshid|igsh|li_fat_id|_hsenc|_hsmi|vero_id|oly_(anon|enc)_id|wickedid|at_(medium|campaign|custom\d|bbc\w*)|cmpid"
    r"|ref_src|ref_url|s_cid|ncid|spm|_ga|_gl|__twitter_impression|share_id|rdt_cid)",
    re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def canonical(url: Any, base: str = "") -> str | None:
    """The address without fragment, tracking, default port and user; None where it is no http(s) address.

    Args:
        url: the address as it was found, possibly relative.
        base: what it is relative to.
    """
    if not isinstance(url, str) or not url.strip():
        return None
    try:
        parts = urlsplit(urljoin(base, re.sub(r"[\x00-\x20\x7f-\x9f\ud800-\udfff]+", "", url)))
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        return None
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else ""
    made = urlunsplit((parts.scheme, netloc, _quoted(parts.path) or "/", _query(parts.query), ""))
    return made if len(made) <= _LONGEST else None


def key(url: str) -> str:
    """What two spellings of one address have in common: neither scheme, `www.`, order of parameters nor final slash."""
    parts = urlsplit(url)
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{query}"


def host_of(url: str) -> str:
    """The host of an address."""
    return urlsplit(url).netloc.lower()


def is_front_page(url: str) -> bool:
    """Whether the address is a whole site's, and so tells its items nothing apart."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def _query(query: str) -> str:
    kept = [pair for pair in query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0])]
    return quote("&".join(kept), safe="%!$&'()*+,;=:@/?-._~[]")


def _quoted(path: str) -> str:
    return quote(path, safe="%!$&'()*+,;=:@/-._~")
