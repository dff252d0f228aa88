"""Cold start: CPU time to import the app, against what every such app imports anyway.

Of packages that pip installed the bytecode is there; of the app's own files it is made by the first import, unless Python is
told not to write it, or cannot (a deployed app's folder is read-only). So both are measured: `cold_start_ratio` with bytecode on
both sides, and `cold_start_ratio_compiling` where the app's own files are compiled at each start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from bench.harness import median

_PROBE = "import time; a = time.process_time(); import {}; print(time.process_time() - a)"
_APP, _BASE = "function_app", "azure.functions, pydantic"


def measure(*, quick: bool) -> dict[str, float]:
    """The imports in turn, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        warm, cold = {"PYTHONPYCACHEPREFIX": folder}, {"PYTHONDONTWRITEBYTECODE": "1"}
        for modules in (_APP, _BASE):
            _import(modules, warm)
        rows = [
            (_import(_APP, warm), _import(_BASE, warm), _import(_APP, cold), _import(_BASE, cold))
            for _ in range(5 if quick else 15)
        ]
    return {
        "cold_start_ratio": median(row[0] / row[1] for row in rows),
        "cold_start_ms": 1000 * median(row[0] for row in rows),
        "cold_start_base_ms": 1000 * median(row[1] for row in rows),
        "cold_start_ratio_compiling": median(row[2] / row[3] for row in rows),
    }


def _import(modules: str, environ: dict[str, str]) -> float:
    command = [sys.executable, "-c", _PROBE.format(modules)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**plain, **environ})
    return float(done.stdout)
