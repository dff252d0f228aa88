"""``python -m devtools.reference``: write what is made from the code: pages of docs/reference, and names for infra."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from devtools import executors, tour
from shared import declarations
from shared.adapters.cosmos import indexing_policy
from shared.containers import Artifacts, Container
from shared.declarations import routes, sections, settings_of
from shared.settings import specs_of

_ROOT = Path(__file__).parents[1]
_FOLDER = _ROOT / "docs" / "reference"
_HEAD = """# Settings

App settings in Azure, `Values` of `local.settings.json` on a developer's machine, or the environment. They are read when
the app starts; one that does not fit stops the start, with an error that names it. Made from `shared/settings`
and `shared/domains/*/settings.py` by `python -m devtools.reference`.

| setting | default | expected | meaning |
|---|---|---|---|
"""

_ROUTES = """# Routes

Every route, below `/api`. The host checks the key that the auth level asks for; the app itself decides on the role, the size of the
body, and how often a caller may ask ([threat model](../explanation/threat-model.md)). A rate is named by its setting, and counts for each
caller and instance. Made from what is declared above each handler by `python -m devtools.reference`.

| method | route | function | what it does | auth level | role | largest body | rate |
|---|---|---|---|---|---|---|---|
"""


_STORAGE = """# Storage

Each document has its partition key as `pk`. In Azure, Cosmos DB; else one SQLite file. What is of a user is deleted with the user.
Made from `shared/containers.py` and `shared/domains/*/containers.py` by `python -m devtools.reference`.

| container | holds | goes with its user |
|---|---|---|
"""
_BLOBS = """
Blobs are in one container (`NIGHTSHIFT_STATUS_CONTAINER`): the engine's below `jobs/`, and what jobs write, which is kept for
`RETENTION_ARTIFACT_DAYS` ([retention](../explanation/retention.md)). Editions of the site, below `site/`, are kept by their number ([the site](site.md)).

| names begin with | what | goes with its user |
|---|---|---|
"""


def pages() -> dict[Path, str]:
    """Each file that is made from the code, by its path."""
    return {
        _FOLDER / "settings.md": _HEAD + "".join(_rows()),
        _FOLDER / "routes.md": _ROUTES + "".join(_routes()),
        _FOLDER / "storage.md": "".join(_storage()),
        _FOLDER / "executors.md": executors.page(),
        _ROOT / "infra" / "names.json": json.dumps(_names(), indent=2) + "\n",
    }


def _names() -> dict[str, object]:
    """What infra makes under the names that the app looks for by default."""
    default, containers = settings_of({}), declarations.containers()
    queues = (each for section in (default, *default.sections) for pair in section.queues().items() for each in pair)
    return {
        "statusContainer": default.status_container,
        "artifactDays": default.retention_artifact_days,
        "queues": sorted(queues),
        "database": default.cosmos_database,
        "containers": containers,
        "indexing": {each: indexing_policy(each) for each in containers},
    }


def _rows() -> Iterator[str]:
    for section in sections():
        for name, spec in specs_of(section).items():
            default = getattr(section, name)
            shown = "" if default in (None, "") else f"`{default}`"
            yield f"| `{spec.name}` | {shown} | {spec.kind} | {spec.meaning} |\n"


def _routes() -> Iterator[str]:
    for each in sorted(routes(), key=lambda route: (route.path, route.method)):
        rule = each.rule
        level = "anonymous" if rule.role == "anonymous" else "function"
        size, rate = f"{rule.largest // 1024} KiB", f"`RATE_{rule.rate.upper()}`"
        yield f"| {each.method} | `{each.path}` | {each.function} | {each.summary} | {level} | {rule.role} | {size} | {rate} |\n"


def _storage() -> Iterator[str]:
    yield _STORAGE
    yield from (_stored(each) for each in declarations.containers())
    yield _BLOBS
    yield from (_stored(each) for each in declarations.artifacts())


def _stored(each: Container | Artifacts) -> str:
    return f"| `{each}` | {each.holds} | {'yes' if each.of_user else ''} |\n"


def main() -> None:
    """Write them, and have links to lines of code lead to where these are now."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    for page in (_ROOT / "docs").rglob("*.md"):
        page.write_text(tour.refreshed(page), encoding="utf-8")


if __name__ == "__main__":
    main()
