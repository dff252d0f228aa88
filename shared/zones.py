"""Time zones by their names in the IANA database, and by no other name that a machine's own files may have."""

from __future__ import annotations

from zoneinfo import ZoneInfo

_OTHERS = frozenset({"Factory", "localtime", "posixrules"})
"""Files beside the zones: no zone at all, and whatever the machine is set to."""
_COPIES = ("posix/", "right/")
"""Folders with all zones once more, the second of them with leap seconds, in which no other clock counts."""


def time_zone(name: str) -> ZoneInfo:
    """A zone, such as `Europe/Berlin`.

    Raises:
        LookupError: there is none of that name.
    """
    if name in _OTHERS or name.startswith(_COPIES):
        raise LookupError(name)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:  # no plain name, a folder of the database
        raise LookupError(name) from error
