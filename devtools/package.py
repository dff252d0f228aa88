"""``python -m devtools.package``: write docs/reference/package.md, what is deployed and how large each part is.

Installs for the default Python of the deployment, from the package index, as `azd deploy` does (infra/hooks/package.py).
"""

from __future__ import annotations

import csv
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from devtools.environment import ROOT
from infra.hooks import package

PYTHON = package.PYTHON
PAGE = ROOT / "docs" / "reference" / "package.md"
_EXTRA = "requirements-openai.txt"
_HEAD = """# What is deployed

The app's own files, and the packages that `azd` has [installed before](../how-to/deploy.md#deployments) it packs them, for Python {python} on
Linux. `python -m devtools.package` measured it and wrote this page; a test holds names and versions to `requirements.txt` and
`constraints.txt`.

| part | MB | files |
|---|---:|---:|
| the app: `function_app.py`, `host.json`, `blueprints`, `shared` | {app_size:.1f} | {app_files} |
| {count} packages | {size:.1f} | {files} |
| **all, unpacked** | **{all_size:.1f}** | **{all_files}** |

## Left out

| what | MB | why |
|---|---:|---|
| `openai` and {extra_count} packages that it alone needs | {extra_size:.1f} | Azure OpenAI's client: only with `DEPLOY_OPENAI=true`, or `DEPLOY_EXTRA_OPENAI=true` where the account is another one |
| babel's locales | {locales:.1f} | trafilatura brings babel, which brings the dates and currencies of 1,000 locales; only three files are read |
| sources, stubs, tests and commands of the packages | {unread:.1f} | no import reads them |

Looked at and kept: Pillow's libraries (AVIF's alone is 5 MB) are the formats that shops' pictures come in; `cryptography` signs in (azure-identity);
`dateparser`, `regex` and `pytz` read dates of articles; `werkzeug` and `psutil` are asked for by Microsoft's own libraries.

## What each requirement costs

A line of `requirements.txt`, the packages that it alone brings, and how much smaller the deployment would be without them (0.0: others need it too).

| requirement | MB | with |
|---|---:|---|
"""
_LIST = """
## The packages

| package | version | MB |
|---|---|---:|
"""


def sizes(site: Path) -> dict[str, tuple[int, int]]:
    """Bytes and files of each distribution in a folder of packages."""
    found = {}
    for record in site.glob("*.dist-info/RECORD"):
        name = package._normal(record.parent.name.removesuffix(".dist-info").rsplit("-", 1)[0])  # noqa: SLF001 - one rule
        with record.open(encoding="utf-8", newline="") as lines:
            files = [site / row[0] for row in csv.reader(lines)]
        there = [path.stat().st_size for path in files if path.is_file()]
        found[name] = sum(there), len(there)
    return found


def listed(text: str) -> dict[str, str]:
    """The packages of the page, and their versions."""
    return dict(re.findall(r"^\| ([a-z0-9-]+) \| ([\w.]+) \| [\d.]+ \|$", text, re.MULTILINE))


def alone(asked: Mapping[str, str], requires: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """For each requirement the packages that nothing else needs, itself among them."""
    everything = _reached(asked, requires)
    return {
        name: sorted(everything - _reached({other: line for other, line in asked.items() if other != name}, requires))
        for name in asked
    }


def _reached(asked: Mapping[str, str], requires: Mapping[str, list[str]]) -> set[str]:
    where, known = package.environment(PYTHON), dict[str, list[str]]()
    while unknown := package._unknown(asked, known, where):  # noqa: SLF001 - the same rules
        known |= {name: requires[name] for name in unknown}
    return set(known)


def _requires(site: Path) -> dict[str, list[str]]:
    found = {}
    for metadata in site.glob("*.dist-info/METADATA"):
        text = metadata.read_text(encoding="utf-8").partition("\n\n")[0]
        name = package._normal(metadata.parent.name.removesuffix(".dist-info").rsplit("-", 1)[0])  # noqa: SLF001
        found[name] = re.findall(r"^Requires-Dist: (.+)$", text, re.MULTILINE)
    return found


def _measured() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("requirements.txt", "constraints.txt", _EXTRA):
            shutil.copyfile(ROOT / name, root / name)
        package.install(root, PYTHON, [_EXTRA], package._pip, pruned=False)  # noqa: SLF001
        site = root / package.SITE
        locales = _mb(path.stat().st_size for path in site.glob("babel/locale-data/*.dat"))
        before = _mb(size for size, _ in sizes(site).values())
        package.prune(site)
        found, requires = sizes(site), _requires(site)
        unread = before - locales - _mb(size for size, _ in found.values())
        versions = package._record(root)["packages"]  # noqa: SLF001
    where = package.environment(PYTHON)
    asked = package.lines(ROOT / "requirements.txt", where)
    extra = set(found) - _reached(asked, requires)
    packages = {name: found[name] for name in sorted(set(found) - extra)}
    own = [path for name in package.APP[:-1] for path in _files(ROOT / name)]
    app, total = _mb(path.stat().st_size for path in own), _mb(size for size, _ in packages.values())
    files = sum(count for _, count in packages.values())
    yield _HEAD.format(
        python=PYTHON, app_size=app, app_files=len(own), count=len(packages), size=total, files=files,
        all_size=app + total, all_files=len(own) + files, extra_count=len(extra) - 1,
        extra_size=_mb(found[name][0] for name in extra), locales=locales, unread=unread,
    )  # fmt: skip
    costs = {name: (_mb(found[each][0] for each in others), others) for name, others in alone(asked, requires).items()}
    for name, (size, others) in sorted(costs.items(), key=lambda each: -each[1][0]):
        yield f"| {name} | {size:.1f} | {', '.join(each for each in others if each != name)} |\n"
    yield _LIST
    for name, (size, _) in packages.items():
        yield f"| {name} | {versions[name]} | {size / 1e6:.2f} |\n"


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [each for each in path.rglob("*") if each.is_file() and "__pycache__" not in each.parts]


def _mb(sizes: Iterator[int]) -> float:
    return sum(sizes) / 1e6


def main() -> None:
    """Measure, and write the page."""
    PAGE.write_text("".join(_measured()), encoding="utf-8")


if __name__ == "__main__":
    main()
