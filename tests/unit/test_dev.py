"""dev.py's command line and the set-up's own judgement of what is up to date."""

import ast
import io
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import dev
from devtools import environment, services, start
from devtools.environment import TroubleError, VirtualEnv
from devtools.operator import VERBS as OPERATORS
from devtools.operator import cli, screen
from devtools.operator.jobs import entry_line, says
from devtools.operator.text import as_json, table

QUICK_ONES = "not (faults or slow or soak or simulation)"
VERBS = ("demo", "start", "test", "check", "bench", "setup", "new", *OPERATORS)


def ended(arguments: list[str]) -> object:
    """The exit code of a command line, however it is told."""
    try:
        return dev.main(arguments)
    except SystemExit as told:
        return told.code


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended([verb, "--help"]) == 0
    assert f"dev.py {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["demo", "--unknown"], ["replay", "a", "b"], ["jobs", "--since", "soon"], []])
def test_what_it_does_not_know_is_an_error(arguments: list[str]) -> None:
    assert ended(arguments) == 2


def test_the_operators_verbs_are_those_that_are_listed() -> None:
    assert set(cli.cli.commands) >= set(OPERATORS)
    assert set(OPERATORS) <= set(cli.cli.commands)


def test_outside_its_environment_it_hands_an_operators_verb_over(
    ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.prefix", "/usr")
    assert dev.main(["jobs", "--since", "1h"]) == 0
    assert ran == [("dev.py", "jobs", "--since", "1h")]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_is_told_how_to_complete(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["completion", shell]) == 0
    assert "_DEV_PY_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "offered"),
    [("dev.py re", {"replay", "retry", "resume"}), ("dev.py jobs --st", {"--status"}), ("dev.py se", {"setup"})],
)
def test_what_could_come_next_is_offered(words: str, offered: set[str]) -> None:
    environ = {
        **os.environ,
        "_DEV_PY_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    command = [sys.executable, "dev.py"]
    ran = subprocess.run(command, cwd=environment.ROOT, env=environ, capture_output=True, text=True, check=False)
    assert {line.rpartition(",")[2] for line in ran.stdout.splitlines()} == offered, ran.stderr


@pytest.mark.parametrize(("said", "hours"), [("90m", 1.5), ("2h", 2), ("3d", 72)])
def test_a_moment_may_be_told_by_how_long_ago_it_is(said: str, hours: float) -> None:
    moment = datetime.fromisoformat(cli.Moment().convert(said, None, None))
    assert abs((datetime.now(UTC) - moment).total_seconds() - hours * 3600) < 60
    assert cli.Moment().convert("2026-03-16T09:00:00Z", None, None) == "2026-03-16T09:00:00Z"


def test_a_table_has_colours_on_a_terminal_and_none_where_they_are_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("j1", "failed", "\x1b[2J[red]x[/red]"), ("j2", "completed", "y" * 200)]

    def drawn() -> str:
        out = io.StringIO()
        Console(file=out, force_terminal=True, width=60).print(screen.grid(("JOB", "STATUS", "SAYS"), rows))
        return out.getvalue()

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = drawn()
    assert "\x1b[31mfailed" in coloured
    assert "\x1b[2J" not in coloured
    assert "[red]x[/red]" in coloured
    monkeypatch.setenv("NO_COLOR", "1")
    plain = re.sub(r"\x1b\[[01]m", "", drawn())  # bold is no colour
    assert "\x1b" not in plain
    assert all(len(line) <= 60 for line in plain.splitlines())


def test_a_job_that_waits_for_another_attempt_shows_no_bar_but_what_it_met() -> None:
    due = (datetime.now(UTC) + timedelta(seconds=40)).isoformat()
    job = {
        "status": "queued", "attempt": 2, "next_attempt_at": due, "progress": {"step": "all", "completed": 9, "total": 9},
        "error": {"type": "KeyError", "message": "'name'"},
    }  # fmt: skip
    assert re.fullmatch(r"retry in (39|40) s: KeyError: 'name'", says(job))
    assert says({**job, "status": "running"}).startswith("[####")


@pytest.mark.parametrize("version", [(3, 10, 13, "final", 0), (3, 9, 18, "final", 0)])
def test_an_older_python_is_told_what_is_needed(version: tuple[Any, ...], tmp_path: Path) -> None:
    """And nothing of the project is imported before that: it takes the newer one for granted."""
    code = (
        f"import runpy, sys; sys.version_info = {version}; sys.version = '3.x'; sys.modules['devtools'] = None;"
        f"sys.argv = ['dev.py', 'demo']; runpy.run_path({str(environment.ROOT / 'dev.py')!r}, run_name='__main__')"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PATH": str(tmp_path)}, check=False
    )
    assert (ran.returncode, ran.stderr) == (1, "dev.py needs Python 3.11 or later; this is 3.x.\n")


def test_a_python_as_old_as_37_can_read_it() -> None:
    ast.parse((environment.ROOT / "dev.py").read_text(), feature_version=(3, 7))


def test_a_reader_that_has_read_enough_is_no_error() -> None:
    command = f"{sys.executable} dev.py --help | true; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", command], cwd=environment.ROOT, capture_output=True, text=True, check=False)
    assert ran.stderr == ""


@pytest.mark.parametrize("port", ["80808", "-1", "http"])
def test_a_port_that_is_none_is_said(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        dev.main(["start", f"--port={port}"])
    assert "a port is a number up to 65535" in capsys.readouterr().err


def test_trouble_is_one_line_and_no_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def trouble(*_: Any) -> None:
        raise TroubleError("no disk left")

    monkeypatch.setattr(dev, "ensure", trouble)
    assert dev.main(["check"]) == 2
    assert capsys.readouterr().err == "dev.py: no disk left\n"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The commands as which dev.py would have gone on, with set-up and check taken as done."""
    commands: list[tuple[str, ...]] = []
    monkeypatch.setattr(dev, "ensure", lambda *_: None)
    monkeypatch.setattr(dev, "check", lambda *_: 0)

    def become(*command: str, **_: str) -> int:
        commands.append(command)
        return 0

    monkeypatch.setattr(dev, "become", become)
    return commands


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["test"], ("-m", "pytest", "-m", "not (faults or slow or soak)", *dev.PARALLEL)),
        (["test", "-x"], ("-m", "pytest", "-m", "not (faults or slow or soak)", *dev.PARALLEL, "-x")),
        (["test", "--fast"], ("-m", "pytest", "-m", QUICK_ONES, *dev.QUICK, *dev.UNIT)),
        (["test", "--fast", "-x"], ("-m", "pytest", "-m", QUICK_ONES, *dev.QUICK, *dev.UNIT, "-x")),
        (["test", "--alone"], ("-m", "devtools.alone", "-m", "not (faults or slow or soak)")),
        (["test", "--faults", "-k", "kill"], ("-m", "pytest", "-m", "faults or slow", "-k", "kill")),
        (
            ["test", "--fast", "tests/unit/test_dev.py"],
            ("-m", "pytest", "-m", QUICK_ONES, *dev.QUICK, "tests/unit/test_dev.py"),
        ),
        (
            ["test", "--listener", __file__, "-x"],
            ("-m", "pytest", "-m", "faults", *dev.KILLERS, "-x"),
        ),
        (["test", "--soak"], ("-m", "pytest", "-m", "soak", "-s", dev.SOAK)),
        (
            ["test", "--soak", "300", "--listener", __file__, "-x"],
            ("-m", "pytest", "-m", "soak", "-s", dev.SOAK, "-x"),
        ),
        (["start", "--port", "0"], ("-m", "devtools.start", "--port", "0")),
        (["demo", "--once"], ("-m", "devtools.demo", "--once")),
        (["bench", "taste", "--quick"], ("-m", "bench", "taste", "--quick")),
    ],
)
def test_verbs_go_on_as(arguments: list[str], expected: tuple[str, ...], ran: list[tuple[str, ...]]) -> None:
    assert dev.main(arguments) == 0
    assert ran == [expected]


def test_a_listener_that_is_no_program_is_said(ran: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert dev.main(["test", "--listener", "no/such/program"]) == 2
    assert "no/such/program is no program" in capsys.readouterr().err
    assert ran == []


def test_no_tests_run_where_the_check_fails(ran: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "check", lambda *_: 1)
    assert dev.main(["test"]) == 1
    assert ran == []


def test_an_environment_is_ready_while_its_requirements_are_those_it_was_made_from(tmp_path: Path) -> None:
    wanted = tmp_path / "wanted.txt"
    wanted.write_text("one==1\n")
    env = VirtualEnv(str(tmp_path / "venv"), str(wanted))
    assert not env.ready()
    env.scripts.mkdir(parents=True)
    env.python.touch()
    (env.folder / ".installed").write_text(environment.fingerprint(str(wanted)))
    assert env.ready()
    wanted.write_text("one==2\n")
    assert not env.ready()


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as first, (tmp_path / "lock").open("w") as second:
        assert environment.try_lock(first)
        assert not environment.try_lock(second)
        first.close()
        assert environment.try_lock(second)


def test_free_ports_are_different_and_free() -> None:
    ports = services.free_ports(5)
    assert len(set(ports)) == 5
    assert all(services.is_free(port) for port in ports)


def test_a_service_that_is_stopped_while_it_starts_is_not_waited_for() -> None:
    service = services.Service("sleeper", "", [sys.executable, "-c", "import time; time.sleep(60)"], lambda: False)
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(service.start)
        while service._process is None:
            time.sleep(0.01)
        service.stop()
        with pytest.raises(TroubleError, match="sleeper was stopped"):
            starting.result(timeout=10)


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ({}, False),
        ({"AzureWebJobsStorage": "UseDevelopmentStorage=true"}, False),
        ({"AzureWebJobsStorage": "DefaultEndpointsProtocol=https;AccountName=real"}, True),
        ({"AzureWebJobsStorage__accountName": "real"}, True),
    ],
)
def test_azurite_is_for_those_who_have_no_storage_account(configured: dict[str, str], expected: bool) -> None:
    assert start._has_storage(configured) is expected


def test_the_example_of_local_settings_holds_defaults() -> None:
    from shared.declarations import settings_of, specs

    example = json.loads((environment.ROOT / "local.settings.json.example").read_text())["Values"]
    ours = {
        name: value
        for name, value in example.items()
        if name not in ("FUNCTIONS_WORKER_RUNTIME", "AzureWebJobsStorage")
    }
    assert set(ours) <= specs().keys()
    assert settings_of(ours) == settings_of({})


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", '"ü 😀 \\u001b[2J \\u009b1m"'), ("cp1252", '"\\u00fc \\ud83d\\ude00 \\u001b[2J \\u009b1m"')],
)
def test_json_is_valid_wherever_it_is_written(encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "ü 😀 \x1b[2J \x9b1m"
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    assert as_json(text) == shown
    assert json.loads(as_json(text)) == text


def test_what_somebody_else_wrote_does_not_steer_the_terminal() -> None:
    shown = table(("KIND", "ERROR"), [("taste", "\x1b]0;gotcha\x07\r\x9b2J ü")])
    assert shown.splitlines()[1] == r"taste  \u001b]0;gotcha\u0007\u000d\u009b2J ü"
    entry = {"at": "2026-11-22T12:00:00Z", "event": "failed", "attempt": 1, "detail": "a\n\x1b[8m"}
    assert entry_line(entry).endswith(r"failed (attempt 1)  a\u000a\u001b[8m")


@pytest.mark.parametrize(
    ("url", "key"),
    [("http://localhost:9/a b", None), ("http://localhost:9", "key\n"), ("http://localhost:9", "\udcff")],
)
def test_an_address_or_key_that_cannot_be_sent_is_trouble_of_one_line(
    url: str, key: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.main(["jobs", "--url", url, *(["--key", key] if key else [])]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert not key or key not in told
