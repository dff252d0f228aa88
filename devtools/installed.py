"""Whether what was installed is still there, file by file: ``python -m devtools.installed``, by the Python whose packages are meant.

Standard library only: it is run where packages may be gone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path


def names() -> set[str]:
    """What is installed, as `name==version`."""
    return {f"{each.name}=={each.version}" for each in distributions()}


def broken(wanted: Iterable[str]) -> Iterator[str]:
    """What of these is not installed; and what is, and lacks a file."""
    yield from sorted(set(wanted) - names())
    for each in distributions():
        if any(not Path(str(each.locate_file(file))).exists() for file in _files(each)):
            yield f"{each.name}=={each.version}"


def _files(distribution: Distribution) -> Iterator[Path]:
    """The files of a package as its record has them, without what Python makes by itself."""
    yield from (Path(file) for file in distribution.files or () if file.suffix != ".pyc")


def main(wanted: list[str]) -> int:
    """Without arguments say what is installed; else what of the arguments is broken. Exit code 1: something is."""
    if not wanted:
        print("\n".join(sorted(names())))
        return 0
    found = list(broken(wanted))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
