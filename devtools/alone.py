"""``python -m devtools.alone [PYTEST'S ARGUMENTS] [PATHS]``: each test file in a process of its own.

A test that passes only beside others leans on what those have made. The suite runs in random order, which finds most of
that; this finds the rest. What passes is one line, what fails is shown whole.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

NOTHING_TO_RUN = 5
"""Pytest's exit code where no test of a file was chosen."""


def main(arguments: Sequence[str]) -> int:
    """Run every file that the arguments name, by default all; the exit code is 1 where any failed."""
    paths = [Path(word) for word in arguments if Path(word).exists()]
    options = [word for word in arguments if not Path(word).exists()]
    files = sorted(files_of(paths or [Path("tests")]))
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        passed = list(pool.map(lambda file: _run(file, options), files))
    failed = [file for file, fine in zip(files, passed, strict=True) if not fine]
    print(f"{len(files) - len(failed)} of {len(files)} files pass alone", *failed, sep="\n  ")
    return 1 if failed else 0


def files_of(paths: Sequence[Path]) -> Iterator[Path]:
    """The test files in folders, and those named themselves."""
    for path in paths:
        yield from path.rglob("test_*.py") if path.is_dir() else [path]


def _run(file: Path, options: Sequence[str]) -> bool:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(file)]
    started = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    passed = done.returncode in (0, NOTHING_TO_RUN)
    print(f"  {'ok' if passed else 'FAILED':6} {time.monotonic() - started:5.1f} s  {file}", flush=True)
    if not passed:
        print(done.stdout, done.stderr, sep="\n", flush=True)
    return passed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
