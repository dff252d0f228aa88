"""`dev.py start --reload` sees what was written, made and removed, and nothing else."""

from __future__ import annotations

from pathlib import Path

from devtools.reload import Changes


def test_what_was_written_made_or_removed_is_seen_once(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    for name in ("function_app.py", "shared/one.py", "shared/two.py", "shared/page.css"):
        (tmp_path / name).write_text("1")
    changes = Changes(tmp_path)
    assert changes.look() == []
    (tmp_path / "shared/one.py").write_text("22")
    (tmp_path / "shared/two.py").unlink()
    (tmp_path / "shared/three.py").touch()
    (tmp_path / "shared/page.css").write_text("read anew at each request, or not: no reason to start again")
    (tmp_path / "notes.py").touch()
    assert changes.look() == [Path("shared/one.py"), Path("shared/three.py"), Path("shared/two.py")]
    assert changes.look() == []
