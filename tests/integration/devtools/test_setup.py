"""The set-up makes a real virtual environment; the requirements are empty, so that it needs no network."""

import json
from pathlib import Path

import pytest

from devtools import environment
from devtools.environment import ROOT, NodeTools, TroubleError, VirtualEnv, renew, run


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> VirtualEnv:
    folder = tmp_path_factory.mktemp("setup")
    (folder / "wanted.txt").write_text("# nothing\n")
    made = VirtualEnv(str(folder / "venv"), str(folder / "wanted.txt"))
    made.install()
    return made


def test_it_is_made_and_ready(env: VirtualEnv) -> None:
    assert env.ready()
    assert run([env.python, "-c", "import sys; sys.exit(sys.prefix == sys.base_prefix)"]) == 0


def test_new_requirements_are_added_to_what_is_there(env: VirtualEnv) -> None:
    (env.folder / "mine").touch()
    (env.folder.parent / "wanted.txt").write_text("# nothing, again\n")
    assert not env.ready()
    env.install()
    assert env.ready()
    assert (env.folder / "mine").exists()


@pytest.mark.slow
def test_what_was_left_half_made_is_made_anew(env: VirtualEnv) -> None:
    (env.folder / "mine").touch()
    (env.folder / ".unfinished").touch()
    env.install()
    assert env.ready()
    assert not (env.folder / "mine").exists()


def test_a_failure_shows_what_pip_said_and_is_mended_by_the_next_run(env: VirtualEnv) -> None:
    (env.folder.parent / "wanted.txt").write_text("./no-such-folder\n")
    with pytest.raises(TroubleError, match="no-such-folder"):
        env.install()
    assert not env.ready()
    (env.folder.parent / "wanted.txt").write_text("# nothing\n")
    env.install()
    assert env.ready()


def test_a_package_that_lost_a_file_is_noticed_and_all_is_made_anew(
    env: VirtualEnv, capsys: pytest.CaptureFixture[str]
) -> None:
    assert env.broken() == []
    (main,) = env.folder.glob("lib/python*/site-packages/pip/__main__.py")
    main.unlink()
    assert env.ready(), "the quick look does not see it"
    (lacking,) = env.broken()
    assert lacking.startswith("pip==")
    renew(env)
    assert f"gone: {lacking}" in capsys.readouterr().out
    assert (env.ready(), env.broken(), main.exists()) == (True, [], True)


def test_a_package_that_was_removed_is_noticed(env: VirtualEnv) -> None:
    stamp = env.folder / ".installed"
    before = stamp.read_text()
    stamp.write_text(f"{before}pydantic==2.0\n")
    assert env.broken() == ["pydantic==2.0"]
    stamp.write_text(before)


@pytest.mark.parametrize("force", [True, False])
def test_by_force_it_is_made_anew_though_nothing_is_gone(force: bool) -> None:
    class Sound:
        calls = ""

        def ready(self) -> bool:
            return "spoil" not in self.calls

        def broken(self) -> list[str]:
            return []

        def spoil(self) -> None:
            self.calls += "spoil "

        def install(self) -> None:
            self.calls += "install"

    part = Sound()
    renew(part, force=force)
    assert part.calls == ("spoil install" if force else "")


def test_an_emulator_that_is_gone_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "NODE_MODULES", tmp_path / "node_modules")
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    for path in locked:
        if path and path != "node_modules/azurite":
            (tmp_path / path).mkdir(parents=True, exist_ok=True)
            (tmp_path / path / "package.json").touch()
    assert NodeTools().broken() == ["node_modules/azurite"]
