"""A measurement of quality over the feedback set, run by itself from a shell."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import default_data

Figures = dict[str, float]


@dataclass(frozen=True)
class Alone:
    """A measurement: what it reads, how it is made, shown and judged."""

    about: str | None
    data: Path
    """The file of the data folder that it needs."""
    quick: int
    """So many users where it is to be quick."""
    measure: Callable[[Path, int | None], Figures]
    show: Callable[[Figures], str]
    short_of: Callable[[Mapping[str, float]], list[str]]

    def main(self, arguments: list[str] | None = None) -> int:
        """Run; 1 where a figure falls short, 2 where there is no data."""
        options = self._parser().parse_args(arguments)
        data = options.data / self.data
        if not data.is_file():
            sys.stderr.write(f"no feedback set at {data}; set NIGHTSHIFT_DATA or pass --data\n")
            return 2
        figures = self.measure(data, self.quick if options.quick else None)
        sys.stdout.write(self.show(figures) + "\n")
        if options.json:
            options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        return int(bool(self.short_of(figures)))

    def _parser(self) -> argparse.ArgumentParser:
        parser = argparse.ArgumentParser(
            description=self.about, formatter_class=argparse.RawDescriptionHelpFormatter
        )  # fmt: skip
        parser.add_argument("--data", type=Path, default=default_data(), help="the folder of real input")
        parser.add_argument("--json", type=Path, help="where to write the figures")
        parser.add_argument("--quick", action="store_true", help=f"only the first {self.quick} users")
        return parser
