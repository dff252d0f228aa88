"""Addresses: read as browsers read them (WHATWG URL), written in one way (RFC 3986), and told apart by what they name."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
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
_ENDS = "".join(map(chr, range(0x21)))
"""What is stripped from both ends: C0 controls and the space."""
_SPECIAL = re.compile(r"(https?):[/\\]*", re.IGNORECASE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_FORBIDDEN_IN_HOST = re.compile(r"[\x00-\x20#%/:<>?@\[\\\]^`{|}\x7f]")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)
_PATH = "%!$&'()*+,;=:@/-._~"
_QUERY = "%!$&'()*+,;=:@/?-._~[]"


def address(url: Any, base: str = "") -> str | None:
    """An http(s) address as it is asked for: absolute, ASCII, without fragment, user and default port; None where it is none.

    As browsers do it: blanks at the ends go, and line breaks anywhere; a backslash is a slash; blanks inside, and what is not ASCII, are
    escaped; a host is mapped to its ASCII form, and to four numbers where it is one. As RFC 3986 asks, escapes are in capitals, and gone
    where they need not be; dot segments are resolved.

    Args:
        url: the address as it was found, possibly relative.
        base: what it is relative to.
    """
    parts = _split(url, base)
    if parts is None:
        return None
    scheme, netloc, path, query = parts
    made = urlunsplit((scheme, netloc, path or "/", query, ""))
    return made if len(made) <= _LONGEST else None


def canonical(url: Any, base: str = "") -> str | None:
    """The address of a page, without what only tracks who came; None where it is no http(s) address. See `address`."""
    parts = _split(url, base)
    if parts is None:
        return None
    scheme, netloc, path, query = parts
    kept = (pair for pair in query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0]))
    made = urlunsplit((scheme, netloc, path or "/", "&".join(kept), ""))
    return made if len(made) <= _LONGEST else None


def key(url: str) -> str:
    """What two spellings of one address have in common: neither scheme, `www.`, order of parameters nor final slash."""
    parts = urlsplit(url)
    query = urlencode(sorted(parse_qsl(parts.query, keep_blank_values=True)))
    return f"{parts.netloc.removeprefix('www.')}{parts.path.rstrip('/')}?{query}"


def former_keys(url: str) -> Iterator[str]:
    """The keys that a canonical address may have had before escapes and hosts were normalised: what is stored is under them.

    Then escapes were kept as they were written, in practice in small letters, and hosts in their own script.
    """
    now = key(url)
    parts = urlsplit(url)
    small = _ESCAPE.sub(lambda found: found[0].lower(), parts.path)
    written = {small, parts.path, parts.path.replace("~", "%7E"), small.replace("~", "%7e")}
    for netloc in dict.fromkeys((parts.netloc, _in_own_script(parts.netloc))):
        for path in sorted(written):
            former = key(urlunsplit((parts.scheme, netloc, path, parts.query, "")))
            if former != now:
                yield former


def host_of(url: str) -> str:
    """The host of an address."""
    return urlsplit(url).netloc.lower()


def is_front_page(url: str) -> bool:
    """Whether the address is a whole site's, and so tells its items nothing apart."""
    parts = urlsplit(url)
    return parts.path in ("", "/") and not parts.query


def normal_escapes(text: str) -> str:
    """Escapes in capitals, and none of what may stand for itself."""
    if "%" not in text:
        return text
    return _ESCAPE.sub(_escape, text)


def _split(url: Any, base: str) -> tuple[str, str, str, str] | None:
    """Scheme, host with port, path and query, each as it is written; None where it is no http(s) address."""
    if not isinstance(url, str):
        return None
    text = re.sub(r"[\t\r\n]", "", re.sub(r"[\ud800-\udfff]", "\ufffd", url).strip(_ENDS))
    if not text:
        return None
    try:
        parts = urlsplit(urljoin(base, _with_slashes(text, base)))
        port = parts.port
        host = _host(parts.hostname or "")
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        return None
    netloc = host if port in (None, _DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return parts.scheme, netloc, _path(parts.path), normal_escapes(quote(parts.query, safe=_QUERY))


def _with_slashes(text: str, base: str) -> str:
    """Backslashes as slashes, up to the query; two slashes after the scheme, however many there are."""
    end = min((at for at in (text.find("?"), text.find("#")) if at >= 0), default=len(text))
    text = text[:end].replace("\\", "/") + text[end:]
    scheme = _SPECIAL.match(text)
    if not scheme:
        return text
    rest, name = text[scheme.end() :], scheme[1].lower()
    if text[len(name) + 1 : len(name) + 2] != "/" and base.lower().startswith(f"{name}:"):
        return rest  # `http:page` beside another page of that scheme
    return f"{name}://{rest}"


def _host(host: str) -> str | None:
    """A host in ASCII; None where it cannot be one."""
    if ":" in host:
        return f"[{ipaddress.IPv6Address(host).compressed}]" if "%" not in host else None
    if "%" in host:
        from urllib.parse import unquote

        host = unquote(host, errors="strict")
    name = (host.lower() if host.isascii() else _ascii(host)).removesuffix(".")
    labels = name.split(".")
    if _FORBIDDEN_IN_HOST.search(name) or len(name) > 253 or not all(0 < len(label) < 64 for label in labels):
        return None
    if _NUMBER.fullmatch(labels[-1]):
        return _four_numbers(name)
    return name if all(_readable(label) for label in labels) else None


def _ascii(host: str) -> str:
    """A name as the domain name system knows it (UTS 46; labels that IDNA 2008 has no place for, such as emoji, as punycode)."""
    import idna

    with suppress(idna.IDNAError):
        return idna.encode(host, uts46=True).decode()
    mapped = unicodedata.normalize("NFKC", host).replace("\u3002", ".").casefold()
    return ".".join(each if each.isascii() else f"xn--{each.encode('punycode').decode()}" for each in mapped.split("."))


def _readable(label: str) -> bool:
    """Whether a label is not punycode, or punycode that stands for something."""
    if not label.startswith("xn--"):
        return True
    meant = label[4:].encode().decode("punycode")
    return meant.isprintable() and not meant.isascii()


def _four_numbers(name: str) -> str | None:
    """An IPv4 address in the notations of inet_aton (`127.1`, `0x7f.1`, `2130706433`)."""
    try:
        return socket.inet_ntoa(socket.inet_aton(name))
    except OSError:
        return None


def _in_own_script(netloc: str) -> str:
    """A host and port with punycode read."""
    labels = netloc.split(".")
    with suppress(ValueError):
        return ".".join(
            each[4:].encode().decode("punycode") if each.startswith("xn--") else each for each in labels
        )  # fmt: skip
    return netloc


def _path(path: str) -> str:
    """A path with its escapes in order and its dot segments resolved."""
    if not path:
        return ""
    kept: list[str] = []
    segments = normal_escapes(quote(path, safe=_PATH)).split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _escape(found: re.Match[str]) -> str:
    character = chr(int(found[1], 16))
    return character if character in _UNRESERVED else found[0].upper()
