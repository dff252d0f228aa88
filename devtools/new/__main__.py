"""``python -m devtools.new WHAT NAME [DOMAIN]``: what `dev.py new` does, with the environment's Python."""

from __future__ import annotations

import sys

from devtools.environment import ROOT, TroubleError, run, say
from devtools.new import plan as plans
from devtools.new.names import domain_name, kind_name, timer_name

_NEXT = {
    "kind": "say in the payload's model what it takes, and in the handler what it does; then what its test should see",
    "timer": "say in the handler what is due, and in settings.py when; then what its test should see",
    "domain": "make of the entry what the domain is about: payload and handler in kinds.py, its routes in api.py",
}
_PAGES = {
    "kind": "docs/how-to/add-a-kind.md",
    "timer": "docs/how-to/timers.md",
    "domain": "docs/how-to/add-a-domain.md",
}


def main(what: str, name: str, domain: str | None = None) -> int:
    """Write the files, in order and with the pages that are made from them; say what comes next."""
    plan = _planned(what, name, domain)
    plan.write()
    for path in plan.files:
        say(f"  wrote {path}")
    _finish([path for path in plan.files if path.endswith(".py")])
    (test,) = (path for path in plan.files if path.startswith("tests/"))
    say(
        f"Its test passes as it stands:  python dev.py test --fast {test}\n"
        f"Next: {_NEXT[what]}.\n"
        f"After a change of names, settings or routes:  python -m devtools.reference\n"
        f"More: {_PAGES[what]}, docs/how-to/test-your-jobs.md"
    )
    return 0


def _planned(what: str, name: str, domain: str | None) -> plans.Plan:
    if what == "domain":
        return plans.domain(ROOT, domain_name(name))
    if what == "timer":
        return plans.timer(ROOT, timer_name(name), domain_name(domain or ""))
    return plans.kind(ROOT, kind_name(name), domain_name(domain or name))


def _finish(paths: list[str]) -> None:
    """Put imports in order, format, and make the pages and names anew that are made from the code."""
    ruff = [sys.executable, "-m", "ruff"]
    steps = {
        "the order of its imports": [*ruff, "check", "--quiet", "--select", "I", "--fix", *paths],
        "its format": [*ruff, "format", "--quiet", *paths],
        "the reference": [sys.executable, "-m", "devtools.reference"],
    }
    for label, command in steps.items():
        if run(command):
            raise TroubleError(f"the files are written, but {label} could not be made: {' '.join(command)}")


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except (TroubleError, ValueError) as error:
        print(f"dev.py: {error}", file=sys.stderr)
        sys.exit(2)
