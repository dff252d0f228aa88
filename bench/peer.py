"""The peer: the same jobs that do nothing, over Celery with its Azure Storage broker and result backend."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

_SCRIPT = Path(__file__).with_name("peer_celery.py")


def rate(connection: str, folder: Path, *, quick: bool) -> float:
    """Celery's jobs per second on the given storage, by the Python that `NIGHTSHIFT_PEER_PYTHON` names.

    Raises:
        RuntimeError: the peer is not installed; `dev.py bench` does that.
    """
    python = os.environ.get("NIGHTSHIFT_PEER_PYTHON")
    if not python:
        raise RuntimeError("the peer is not installed: run `python dev.py bench`")
    command = [python, str(_SCRIPT), connection, "150" if quick else "400", "3" if quick else "5"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, timeout=1200)
    return float(done.stdout.strip().splitlines()[-1])
