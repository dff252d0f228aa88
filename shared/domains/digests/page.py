"""The digest as a page: one file without scripts, that fetches nothing but the pictures of what it shows."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from shared.domains.digests.model import web_url

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_TEMPLATES = Path(__file__).parent / "templates"
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")


def render(digest: dict[str, Any]) -> str:
    """Make the page of a digest, as `shared.domains.digests.compose` makes it. Everything that others wrote is escaped."""
    style = (_TEMPLATES / "digest.css").read_text(encoding="utf-8")
    zone = ZoneInfo(digest["time_zone"])
    since, until = (datetime.fromisoformat(digest[name]).astimezone(zone) for name in ("since", "until"))
    return _template().render(
        digest=digest, style=style, policy=_policy(style), since=since, until=until, headline=_headline(digest)
    )


def policy_of(page: str) -> str:
    """The content security policy of a stored page: its own style, pictures from the web, and nothing else."""
    found = _STYLE.search(page)
    return f"{_policy(found[1] if found else '')}; frame-ancestors 'none'"


def _policy(style: str) -> str:
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    sources = f"default-src 'none'; img-src https: http:; style-src 'sha256-{digest}'"
    return f"{sources}; base-uri 'none'; form-action 'none'"


def _headline(digest: dict[str, Any]) -> str:
    count = len(digest["suggestions"])
    number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    return f"{number} find{'' if count == 1 else 's'} for {digest['name'] or 'you'}"


@cache
def _template() -> Template:
    return _environment().get_template("digest.html")


def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"day": _day, "moment": _moment, "web": web_url, "host": _host, "initial": _initial}
    environment.globals["period"] = _period
    return environment


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _moment(moment: datetime) -> str:
    return f"{moment:%A}, {_day(moment)}, {moment:%H:%M}"


def _period(since: datetime, until: datetime) -> str:
    """From one day to another, saying month and year once where they are the same."""
    if (since.year, since.month) == (until.year, until.month):
        return f"{since.day} \u2013 {_day(until)}"
    if since.year == until.year:
        return f"{since.day} {since:%B} \u2013 {_day(until)}"
    return f"{_day(since)} \u2013 {_day(until)}"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _initial(text: str) -> str:
    """The first letter of a text, for where a picture is missing."""
    return next((letter.upper() for letter in text if letter.isalnum()), "·")
