"""``python -m devtools.reference``: write the pages of docs/reference that are made from the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shared.settings import Settings, specs

_FOLDER = Path(__file__).parents[1] / "docs" / "reference"
_HEAD = """# Settings

App settings in Azure, `Values` of `local.settings.json` on a developer's machine, or the environment. They are read when
the app starts; one that does not fit stops the start, with an error that names it. Made from `shared/settings` by
`python -m devtools.reference`.

| setting | default | expected | meaning |
|---|---|---|---|
"""


def pages() -> dict[Path, str]:
    """Each page that is made from the code, by its path."""
    return {_FOLDER / "settings.md": _HEAD + "".join(_rows())}


def _rows() -> Iterator[str]:
    for name, spec in specs().items():
        default = getattr(Settings, name)
        shown = "" if default in (None, "") else f"`{default}`"
        yield f"| `{spec.name}` | {shown} | {spec.kind} | {spec.meaning} |\n"


def main() -> None:
    """Write them."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
