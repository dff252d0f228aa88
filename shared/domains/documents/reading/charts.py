"""Charts in Office files: their title, and what they show as a table."""

from __future__ import annotations

from shared.domains.documents.reading.office import text_of
from shared.domains.documents.reading.package import Element, Package, local
from shared.domains.documents.reading.writer import Writer

_MOST_POINTS = 5_000


def write_chart(package: Package, part: str, out: Writer) -> None:
    """Write what a chart shows: a row for each category, a column for each series."""
    root = package.tree(part)
    if root is None:
        return
    for title in root.iter("{*}title"):
        out.paragraph(" ".join(filter(None, (text_of(each).strip() for each in title.iter("{*}p")))))
    series = list(root.iter("{*}ser"))
    if not series:
        return
    names = [_first(each, "tx") for each in series]
    values = [_points(each, "val") or _points(each, "yVal") for each in series]
    categories = _points(series[0], "cat") or _points(series[0], "xVal")
    length = min(max((max(each, default=-1) for each in (categories, *values)), default=-1) + 1, _MOST_POINTS)
    rows = [[categories.get(at, ""), *(each.get(at, "") for each in values)] for at in range(length)]
    out.table([["", *names], *rows])


def _first(series: Element, name: str) -> str:
    return next(iter(_points(series, name).values()), "")


def _points(series: Element, name: str) -> dict[int, str]:
    """The values that a chart keeps of what it was made from, by their place."""
    found: dict[int, str] = {}
    for part in series:
        if local(part) == name:
            for point in part.iter("{*}pt"):
                at = point.get("idx") or ""
                if at.isdecimal() and len(at) < 6:
                    found[int(at)] = "".join(value.text or "" for value in point.iter("{*}v"))
    return found
