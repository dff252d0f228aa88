"""`dev.py new`: what it writes keeps every rule, passes its test and is served; what there is already, or cannot be, is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dev
from devtools.environment import TroubleError
from devtools.new import plan
from devtools.new.edit import Module
from devtools.new.names import Name, domain_name, kind_name, timer_name

ROOT = Path(__file__).parents[3]
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "static")
MADE = (
    ("domain", "lost-parcels"),
    ("kind", "weigh", "lost_parcels"),
    ("kind", "resize-image"),
    ("timer", "SweepParcels", "lost-parcels"),
    ("timer", "NudgeReceivers", "webhooks"),
    ("timer", "CountMoods", "moods"),
)
"""A domain, more of it, a domain of one kind, and timers of domains that have no timer yet, or one."""
RUN = """
import asyncio, json
import function_app
from blueprints import start

async def main():
    app = start.app()
    kinds, timers = [each.name for each in app.engine.deps.kinds], sorted(app.ledger.timers)
    await app.close()
    return [*(each.get_function_name() for each in function_app.app.get_functions()), *kinds, *timers]

print(json.dumps(asyncio.run(main())))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with all of it made."""
    folder = tmp_path_factory.mktemp("copy") / "app"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    for what in MADE:
        said = run(folder, "-m", "devtools.new", *what)
        assert "python dev.py test --fast tests/unit/domains/" in said
    return folder


@pytest.fixture(scope="module")
def touched(copy: Path) -> list[str]:
    """The modules that were written, or added to."""
    paths = (each.relative_to(copy) for each in copy.rglob("*.py"))
    found = [str(path) for path in paths if _text(ROOT / path) != _text(copy / path)]
    assert len(found) == 22
    return found


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def run(folder: Path, *command: str, **environ: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "PYTHONPATH"))}
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=own | environ, capture_output=True, text=True, check=False, timeout=600
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_is_written_keeps_the_rules(copy: Path, touched: list[str]) -> None:
    run(copy, "-m", "ruff", "check", "--no-cache", *touched)
    run(copy, "-m", "ruff", "format", "--no-cache", "--check", *touched)
    run(copy, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache")


@pytest.mark.slow
def test_what_is_written_is_typed(copy: Path, touched: list[str], tmp_path: Path) -> None:
    run(copy, "-m", "mypy", "--cache-dir", str(tmp_path), *touched)


def test_the_tests_that_are_written_pass(copy: Path, touched: list[str]) -> None:
    tests = [path for path in touched if path.startswith("tests")]
    assert len(tests) == len(MADE)
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)


def test_it_is_indexed_and_served(copy: Path, tmp_path: Path) -> None:
    environ = {
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "NIGHTSHIFT_SQLITE_PATH": str(tmp_path / "documents.db"),
    }
    found = json.loads(run(copy, "-c", RUN, **environ).splitlines()[-1])
    assert set(found) > {"GetLostParcelsEntry", "lost-parcels-entry", "weigh", "resize-image", "sweep-parcels"}
    for name in ("SweepParcels", "NudgeReceivers", "CountMoods"):
        assert found.count(name) == 2  # the timer and its function


def test_its_documentation_is_made(copy: Path) -> None:
    checks = "made_from or every_route or every_setting or the_reference"
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", checks, "tests/unit/test_documentation.py")


def test_a_second_time_it_is_refused(copy: Path) -> None:
    for what in MADE:
        done = subprocess.run(
            [sys.executable, "-m", "devtools.new", *what], cwd=copy, capture_output=True, text=True, check=False, timeout=300
        )  # fmt: skip
        assert done.returncode == 2
        assert "nothing was written" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("make", "text", "why"),
    [
        (kind_name, "Resize", "lower-case words and digits, such as resize-image"),
        (kind_name, "../x", "lower-case"),
        (kind_name, "resize--image", "lower-case"),
        (kind_name, "x", "2 to 40 characters"),
        (kind_name, "a" * 41, "2 to 40 characters"),
        (kind_name, "import", "means something else"),
        (kind_name, "print", "means something else"),
        (kind_name, "job-context", "means something else"),
        (kind_name, "test-it", "pytest"),
        (domain_name, "my domain", "such as parcels"),
        (timer_name, "sweep-parcels", "such as SweepParcels"),
        (timer_name, "Timer", "means something else"),
    ],
)  # fmt: skip
def test_a_bad_name_is_told_as_such(make: object, text: str, why: str) -> None:
    assert callable(make)
    with pytest.raises(TroubleError, match=why):
        make(text)


def test_a_name_has_several_spellings() -> None:
    name = timer_name("SendHTMLPages2")
    assert (name.words, name.snake, name.upper, name.camel) == (
        "send-html-pages2", "send_html_pages2", "SEND_HTML_PAGES2", "SendHtmlPages2",
    )  # fmt: skip
    assert kind_name("resize_image") == kind_name("resize-image") == Name("resize-image")


def test_what_the_app_has_is_refused() -> None:
    with pytest.raises(TroubleError, match="a kind of job called 'process-moods'"):
        plan.kind(ROOT, Name("process-moods"), Name("moods"))
    with pytest.raises(TroubleError, match="a domain called 'moods'"):
        plan.domain(ROOT, Name("moods"))
    with pytest.raises(TroubleError, match=r"blueprints/monitor.py exists"):
        plan.domain(ROOT, Name("monitor"))
    with pytest.raises(TroubleError, match="a container called 'kinds'"):
        plan.domain(ROOT, Name("kinds"))
    with pytest.raises(TroubleError, match="no domain 'parcels'"):
        plan.timer(ROOT, Name("sweep-parcels"), Name("parcels"))
    with pytest.raises(TroubleError, match=r"kinds.py has 'MoodsJob' already"):
        plan.kind(ROOT, Name("moods-job"), Name("moods"))


def test_what_a_program_cannot_add_to_is_left_alone() -> None:
    with pytest.raises(TroubleError, match="line 2: this is no Python"):
        Module("kinds.py", "x = 1\ndef (")
    with pytest.raises(TroubleError, match="calls something else 'job'"):
        Module("kinds.py", "from celery import job\n").with_imports(["shared.jobs:job"])
    with pytest.raises(TroubleError, match="calls something else 'job'"):
        Module("kinds.py", "from shared.jobs import x as job\n").with_imports(["shared.jobs:job"])


def test_only_imports_that_are_missing_are_added() -> None:
    module = Module("kinds.py", '"""Kinds."""\n\nfrom a import b\n\nx = 1\n').with_imports(["a:b", "a:c"])
    assert module.text == '"""Kinds."""\n\nfrom a import b\nfrom a import c\n\nx = 1\n'


def test_the_verb_hands_on_what_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(dev, "ensure", lambda *_: None)

    def become(*command: str) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(dev, "become", become)
    dev.main(["new", "timer", "SweepParcels", "--domain", "parcels"])
    dev.main(["new", "kind", "weigh"])
    dev.main(["new", "domain", "parcels"])
    assert commands == [
        ("-m", "devtools.new", "timer", "SweepParcels", "parcels"),
        ("-m", "devtools.new", "kind", "weigh"),
        ("-m", "devtools.new", "domain", "parcels"),
    ]
    with pytest.raises(SystemExit):
        dev.main(["new", "timer", "SweepParcels"])
