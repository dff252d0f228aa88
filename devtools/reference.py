"""``python -m devtools.reference``: write what is made from the code: pages of docs/reference, and names for infra."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from shared import containers
from shared.bootstrap import find_routes
from shared.settings import Settings, specs

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "docs" / "reference"
_HEAD = """# Settings

App settings in Azure, `Values` of `local.settings.json` on a developer's machine, or the environment. They are read when
the app starts; one that does not fit stops the start, with an error that names it. Made from `shared/settings` by
`python -m devtools.reference`.

| setting | default | expected | meaning |
|---|---|---|---|
"""

_ROUTES = """# Routes

Every route, below `/api`. The host checks the key that the auth level asks for; the app itself decides on the role, the size of the
body, and how often a caller may ask ([threat model](../explanation/threat-model.md)). A rate is named by its setting, and counts for each
caller and instance. Made from what is declared above each handler by `python -m devtools.reference`.

| method | route | function | auth level | role | largest body | rate |
|---|---|---|---|---|---|---|
"""

_UNINDEXED = (
    "/payload/*", "/results/*", "/history/*", "/error/*", "/progress/*", "/message_text/?", "/replays/*",
    "/text/?", "/description/?", "/signals/*", "/articles/*", "/counted/*", "/vector/*", "/embedding/*",
    "/facets/*", "/sources/*", "/image/*", "/shares/*", "/companions/*",
    "/kinds/*", "/calls/*", "/events/*", '/"_etag"/?',
)  # fmt: skip
"""Large properties that no query asks for. Cosmos DB indexes all others, since it orders by nothing that it does not."""


def pages() -> dict[Path, str]:
    """Each file that is made from the code, by its path."""
    return {
        _FOLDER / "settings.md": _HEAD + "".join(_rows()),
        _FOLDER / "routes.md": _ROUTES + "".join(_routes()),
        _ROOT / "infra" / "names.json": json.dumps(_names(), indent=2) + "\n",
    }


def _names() -> dict[str, object]:
    """What infra makes under the names that the app looks for by default."""
    default = Settings()
    jobs = (default.queue_high, default.queue_normal, default.queue_low, default.taste_queue)
    return {
        "statusContainer": default.status_container,
        "artifactDays": default.retention_artifact_days,
        "queues": sorted({*jobs, *(f"{queue}-poison" for queue in jobs), default.taste_poison_queue}),
        "database": default.cosmos_database,
        "containers": containers.ALL,
        "unindexed": _UNINDEXED,
    }


def _rows() -> Iterator[str]:
    for name, spec in specs().items():
        default = getattr(Settings, name)
        shown = "" if default in (None, "") else f"`{default}`"
        yield f"| `{spec.name}` | {shown} | {spec.kind} | {spec.meaning} |\n"


def _routes() -> Iterator[str]:
    for each in sorted(find_routes(), key=lambda route: (route.path, route.method)):
        rule = each.rule
        level = "anonymous" if rule.role == "anonymous" else "function"
        size, rate = f"{rule.largest // 1024} KiB", f"`RATE_{rule.rate.upper()}`"
        # A bar inside a table's cell needs a backslash, also in code.
        template = each.template.replace("|", "\\|")
        yield f"| {each.method} | `{template}` | {each.function} | {level} | {rule.role} | {size} | {rate} |\n"


def main() -> None:
    """Write them."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
