"""The set-up makes a real virtual environment; the requirements are empty, so that it needs no network."""

import pytest

from devtools.environment import TroubleError, VirtualEnv, run


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
