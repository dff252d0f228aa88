"""Cold start: CPU time to import the app, against what every such app imports anyway."""

from __future__ import annotations

import subprocess
import sys

from bench.harness import median

_PROBE = "import time; a = time.process_time(); import {}; print(time.process_time() - a)"


def measure(*, quick: bool) -> dict[str, float]:
    """The two imports in turn, each in a process of its own."""
    pairs = [(_import("function_app"), _import("azure.functions, pydantic")) for _ in range(5 if quick else 15)]
    return {
        "cold_start_ratio": median(app / base for app, base in pairs),
        "cold_start_ms": 1000 * median(app for app, _ in pairs),
        "cold_start_base_ms": 1000 * median(base for _, base in pairs),
    }


def _import(modules: str) -> float:
    command = [sys.executable, "-c", _PROBE.format(modules)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
