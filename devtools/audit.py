"""``python -m devtools.audit``: does any pinned package have a known vulnerability?

pip-audit asks the advisory service of PyPI. Where that cannot be reached it skips every package and calls that a success;
here it is not one. Exit code: 0 all were asked about and none is vulnerable, 1 some are, 3 not all could be asked about: a
developer without a network may go on, a build (environment variable `CI`) may not, and gets 1.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from devtools.environment import ROOT

NOT_DONE = 3
_FILES = ("constraints.txt", "requirements.txt", "requirements-openai.txt", "requirements-dev.txt")
_SECONDS = 120


def main() -> int:
    """Ask, and say what came of it."""
    try:
        return exit_code(_ask(), ci=bool(os.environ.get("CI")))
    except (ValueError, subprocess.TimeoutExpired) as error:
        return _not_done(f"pip-audit did not answer ({type(error).__name__})", ci=bool(os.environ.get("CI")))


def exit_code(found: list[dict[str, Any]], *, ci: bool) -> int:
    """The exit code for what pip-audit found, package by package."""
    bad = [(each, flaw) for each in found for flaw in each.get("vulns", ())]
    for package, flaw in bad:
        mended = ", ".join(flaw.get("fix_versions", ())) or "no version"
        print(f"{package['name']} {package.get('version', '')}: {flaw['id']}, mended in {mended}")
    if bad:
        return 1
    skipped = [each["name"] for each in found if "skip_reason" in each]
    if skipped or not found:
        return _not_done(f"the advisory service told nothing of {len(skipped)} of {len(found)} packages", ci=ci)
    print(f"{len(found)} packages, no known vulnerability")
    return 0


def _not_done(why: str, *, ci: bool) -> int:
    print(f"NOT AUDITED: {why}; is there a network?")
    return 1 if ci else NOT_DONE


def _ask() -> list[dict[str, Any]]:
    files = [word for name in _FILES for word in ("-r", name)]
    command = [sys.executable, "-m", "pip_audit", *files, "--no-deps", "--disable-pip", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "-f", "json"], cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False
    )
    if not done.stdout.strip():
        print(done.stderr[-2000:])
    return list(json.loads(done.stdout)["dependencies"])


if __name__ == "__main__":
    sys.exit(main())
