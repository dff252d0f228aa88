#!/usr/bin/env python3
"""Everything a developer does with Nightshift, from a fresh clone: ``python dev.py --help``.

Needs Python 3.11 or later and, the first time, a network; nothing else. Each verb first sets up what it needs (`.venv`
for Python, `node_modules` for the emulators) unless that is done already, then runs. Whatever it starts ends with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys


def _newer_python() -> str | None:
    """A Python on the path that is new enough, where the one that runs this is not."""
    found = (shutil.which(f"python3.{minor}") for minor in (13, 12, 11))
    return next(
        (
            path
            for path in found
            if path and not subprocess.run([path, "-V"], capture_output=True, check=False).returncode
        ),
        None,
    )


if sys.version_info < (3, 11):  # first: what is imported below takes it for granted
    other = _newer_python()
    if not other:
        sys.exit(f"dev.py needs Python 3.11 or later; this is {sys.version.split()[0]}.")
    os.execv(other, [other, *sys.argv])

import argparse
import io
import time
from pathlib import Path

from devtools.browser import Chromium
from devtools.environment import (
    APP,
    PEER,
    STATE,
    NodeTools,
    TroubleError,
    become,
    ensure,
    reader_gone,
    renew,
    run,
    say,
    set_up_alone,
)
from devtools.operator import VERBS

CODE = ("function_app.py", "dev.py", "blueprints", "shared", "devhost", "devtools")
CHECKS = {
    "ruff": ["ruff", "check", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--quiet", "."],
    "mypy": ["mypy", "--no-error-summary"],
    "imports": ["lint-imports"],
    "bandit": ["bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", *CODE],
    "audit": ["python", "-m", "devtools.audit"],
}
LAST_PORT = 65535
COMPLETE = "_DEV_PY_COMPLETE"
"""The environment variable by which a shell asks what could come next on this command line."""
NOT_DONE = 3
"""A check's exit code where it could not be made here: said, and no failure."""


PARALLEL = ["--numprocesses", "4", "--dist", "worksteal"]  # on two cores, too: a third of the time is spent waiting
"""The whole suite runs in as many processes as there are cores, up to four, each with emulators of its own."""
QUICK = ["--hypothesis-profile", "quick"]
"""Fewer of the examples that Hypothesis makes up (tests/conftest.py)."""
KILLERS = ("tests/faults/test_kills.py", "tests/faults/test_garbage_on_the_app.py")
"""What Microsoft's queue listener can be put in front of."""
SOAK = "tests/faults/test_soak.py"
UNIT = ["-p", "no:schemathesis", "tests/unit"]
"""The unit tests, without what takes a second to load and is of no use to them."""


def setup(args: argparse.Namespace, _: list[str]) -> int:
    """Set up everything, and nothing else; what is set up already is looked through."""
    renew(APP, NodeTools(), force=args.force)
    if args.with_core_tools:
        with set_up_alone():
            NodeTools().install(core_tools=True)
    say("ready")
    return 0


def start(args: argparse.Namespace, _: list[str]) -> int:
    """Run the app."""
    ensure(APP, NodeTools())
    port = ["--port", str(args.port)] if args.port is not None else []
    data = ["--data", str(args.data.resolve())] if args.data else []
    return become("-m", "devtools.start", *port, *data, *(["--reload"] if args.reload else []))


def demo(args: argparse.Namespace, _: list[str]) -> int:
    """Show it working."""
    ensure(APP, NodeTools())
    data = ["--data", str(args.data.resolve()), "--rows", str(args.rows)] if args.data else []
    chosen = {"--once": args.once, "--night": args.night, "--story": args.story, "--documents": args.documents}
    flags = [flag for flag, given in chosen.items() if given]
    return become("-m", "devtools.demo", *flags, *data)


def worker(args: argparse.Namespace, _: list[str]) -> int:
    """Run the app's jobs without a Functions host."""
    ensure(APP)
    del args
    return become("-m", "devtools.worker")


def pipelines(args: argparse.Namespace, _: list[str]) -> int:
    """Check files of pipelines, or print their schema."""
    ensure(APP)
    what = ["check", *(["--json"] if args.json else []), *args.files] if args.what == "check" else ["schema"]
    return become("-m", "devtools.pipelines", *what)


def check(args: argparse.Namespace, _: list[str]) -> int:
    """Run every checker, also after one failed; print what they found.

    The advisories change without the code: they are asked for by `check` itself, not before each run of the tests.
    """
    ensure(APP)
    chosen = {name: command for name, command in CHECKS.items() if name != "audit" or args.verb is check}
    failed = [name for name, command in chosen.items() if not _passes(name, command)]
    if failed:
        say(f"check: {', '.join(failed)} failed")
    return 1 if failed else 0


def _passes(name: str, command: list[str]) -> bool:
    STATE.mkdir(exist_ok=True)
    log = STATE / f"check-{name}.log"
    started = time.monotonic()
    with log.open("wb") as output:
        code = run(command, output)
    outcome = {0: "ok", NOT_DONE: "not done"}.get(code, "FAILED")
    say(f"  {name:8} {outcome:8} {time.monotonic() - started:5.1f} s")
    if code:
        say(log.read_text(encoding="utf-8", errors="replace"))
    return code in (0, NOT_DONE)


def test(args: argparse.Namespace, rest: list[str]) -> int:
    """Check, then run the tests."""
    ensure(APP, NodeTools(), *([] if args.fast else [Chromium()]))
    if check(args, []):
        return 1
    slow = "faults or slow or soak"
    chosen = ["-m", "faults or slow" if args.faults else f"not ({slow})"]
    listener = _listener(args.listener)
    if args.soak:
        return become("-m", "pytest", "-m", "soak", "-s", SOAK, *rest, NIGHTSHIFT_SOAK_JOBS=str(args.soak), **listener)
    if listener:
        some = any(not word.startswith("-") for word in rest)
        return become("-m", "pytest", "-m", "faults", *([] if some else KILLERS), *rest, **listener)
    some = any(not word.startswith("-") for word in rest)
    if args.fast:
        chosen = ["-m", f"not ({slow} or simulation)", *QUICK, *([] if some else UNIT)]
        say("  not run here: simulations of months, and three in four of the generated examples (dev.py test)")
    if not args.faults:
        say("  not run here: the slow tests and those that kill processes (dev.py test --faults)")
    if args.alone:
        return become("-m", "devtools.alone", *chosen, *rest)
    one_process = args.faults or args.fast or some
    return become("-m", "pytest", *chosen, *([] if one_process else PARALLEL), *rest)


def _listener(path: Path | None) -> dict[str, str]:
    """The environment variable by which the tests that kill processes find Microsoft's own queue listener, if it is given."""
    if path is None:
        return {}
    if not path.is_file():
        raise TroubleError(f"{path} is no program; --listener takes the path of `queue-listener`")
    return {"NIGHTSHIFT_LISTENER": str(path.resolve())}


def bench(args: argparse.Namespace, rest: list[str]) -> int:
    """Measure."""
    ensure(APP, NodeTools())
    json = ["--json", str(args.json.resolve())] if args.json else []
    quick = ["--quick"] if args.quick else []
    peer = _peer() if "jobs" in (args.names or ["jobs"]) else {}
    return become("-m", "bench", *args.names, *json, *quick, *rest, **peer)


def new(args: argparse.Namespace, _: list[str]) -> int:
    """Write the files of something new."""
    ensure(APP)
    return become("-m", "devtools.new", args.what, args.name, *([args.domain] if args.domain else []))


def _peer() -> dict[str, str]:
    """The environment variable by which the benchmark finds its peer's Python; empty where that cannot be installed."""
    try:
        ensure(PEER)
    except TroubleError as error:
        say(f"  {error}\n  The comparison with the peer will be missing.")
        return {}
    return {"NIGHTSHIFT_PEER_PYTHON": str(PEER.python)}


# --- the command line --------------------------------------------------------------------------------------------


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="dev.py", description="Everything a developer does with Nightshift.")
    verbs = top.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("demo", help="show it working: feedback in, jobs run and killed, dead letters replayed")
    verb.add_argument("--once", action="store_true", help="end after the run; exit 0 if all went as it should")
    verb.add_argument("--data", type=Path, metavar="DIR", help="post real feedback found in DIR instead")
    verb.add_argument(
        "--night", action="store_true", help="a whole night instead, on the pages and people in --data DIR"
    )
    verb.add_argument("--story", action="store_true", help="an adventure in French instead, played to its end")
    verb.add_argument("--documents", action="store_true", help="real files in --data DIR uploaded and read instead")
    verb.add_argument("--rows", type=int, default=200, metavar="N", help="how many rows of it (default: 200)")
    verb.set_defaults(verb=demo)

    verb = verbs.add_parser("start", help="run the app, with an emulated storage account unless one is configured")
    verb.add_argument("--port", type=_port, help="default: 7071, or a free one where that is taken")
    verb.add_argument("--data", type=Path, metavar="DIR", help="where its data is kept (default: .nightshift)")
    verb.add_argument("--reload", action="store_true", help="start it again whenever its code changes")
    verb.set_defaults(verb=start)

    verb = verbs.add_parser("worker", help="run jobs, pipelines and crawls in processes of its own, without Functions")
    verb.set_defaults(verb=worker)

    verb = verbs.add_parser("pipelines", help="check files of pipelines; print the JSON schema for editors")
    whats = verb.add_subparsers(required=True, metavar="WHAT", dest="what")
    what = whats.add_parser("check", help="say what is wrong with files, each with its line and column")
    what.add_argument("files", nargs="+", metavar="FILE", help="a file; `-` for standard input")
    what.add_argument("--json", action="store_true", help="for other programs")
    whats.add_parser("schema", help="print the JSON schema of pipelines, for editors")
    verb.set_defaults(verb=pipelines, json=False)

    verb = verbs.add_parser("test", help="check, then run the tests; further arguments go to pytest")
    which = verb.add_mutually_exclusive_group()
    which.add_argument("--fast", action="store_true", help="unit tests only, without simulations, on fewer examples")
    which.add_argument("--faults", action="store_true", help="the slow suite that kills processes and breaks storage")
    which.add_argument(
        "--soak",
        type=_jobs,
        nargs="?",
        const=10_000,
        metavar="JOBS",
        help="JOBS jobs (10,000) while hosts are killed and stopped and their storage restarted: half an hour and more",
    )
    verb.add_argument(
        "--listener",
        type=Path,
        metavar="PATH",
        help="what kills processes alone (or the soak), the app's queues read by Microsoft's `queue-listener` at PATH",
    )
    verb.add_argument("--alone", action="store_true", help="each file in a process of its own, as it must pass too")
    verb.set_defaults(verb=test)

    verb = verbs.add_parser("check", help="lint, format, types, import rules, security, known vulnerabilities")
    verb.set_defaults(verb=check)

    verb = verbs.add_parser("bench", help="measure, against bare storage calls and against a peer")
    verb.add_argument(
        "names", nargs="*", metavar="NAME", help="which measurements, such as `taste`; default: all of speed"
    )
    verb.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    verb.add_argument("--quick", action="store_true", help="fewer repetitions: under five minutes")
    verb.set_defaults(verb=bench)

    verb = verbs.add_parser(
        "new", help="write the files of a new kind of job, timer or domain, with a test that passes"
    )
    _add_new(verb)

    for name, text in VERBS.items():  # which take their arguments themselves
        verbs.add_parser(name, help=text, add_help=False)

    verb = verbs.add_parser("setup", help="only set up, and look through what is: what lacks a file is made anew")
    verb.add_argument("--force", action="store_true", help="make all of it anew")
    verb.add_argument("--with-core-tools", action="store_true", help="also fetch Azure Functions Core Tools (large)")
    verb.set_defaults(verb=setup)
    return top


def _port(text: str) -> int:
    """A port; 0 for the default."""
    if not (text.isdecimal() and int(text) <= LAST_PORT):
        raise argparse.ArgumentTypeError(f"a port is a number up to {LAST_PORT}, not {text!r}")
    return int(text)


def _jobs(text: str) -> int:
    """How many jobs a soak has."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def _add_new(verb: argparse.ArgumentParser) -> None:
    whats = verb.add_subparsers(required=True, metavar="WHAT", dest="what")
    what = whats.add_parser("kind", help="a kind of job: payload, handler, test")
    what.add_argument("name", metavar="NAME", help="in lower case, such as resize-image")
    what.add_argument("--domain", help="where it belongs, made if it is not there (default: one of the kind's name)")
    what = whats.add_parser("timer", help="a timer of a domain: schedule, kind of job, test")
    what.add_argument("name", metavar="NAME", help="of its function, such as SweepParcels")
    what.add_argument("--domain", required=True, help="where it belongs")
    what = whats.add_parser(
        "domain", help="a domain: a setting, a container, a kind of job, a route, a blueprint, a test"
    )
    what.add_argument("name", metavar="NAME", help="in lower case, such as parcels")
    verb.set_defaults(verb=new, domain=None)


def main(arguments: list[str]) -> int:
    """Run one verb; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # not every console has every character
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        return reader_gone()


def operate(arguments: list[str]) -> int:
    """Hand an operator's verb over to what is made of more than the standard library."""
    if Path(sys.prefix).resolve() != APP.folder.resolve():
        ensure(APP)
        return become("dev.py", *arguments)
    from devtools.operator.cli import main as run_verb

    return run_verb(arguments, _verbs())


def _verbs() -> dict[str, str]:
    """The verbs that are not for operators, with what they do."""
    (verbs,) = (each for each in parser()._actions if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001
    return {each.dest: each.help or "" for each in verbs._choices_actions if each.dest not in VERBS}  # noqa: SLF001


def _run(arguments: list[str]) -> int:
    if COMPLETE in os.environ or (arguments and arguments[0] in VERBS):
        return operate(arguments)
    args, rest = parser().parse_known_args(arguments)
    if rest and args.verb not in (test, bench):
        parser().error(f"unknown: {' '.join(rest)}")
    try:
        return int(args.verb(args, rest))
    except TroubleError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
