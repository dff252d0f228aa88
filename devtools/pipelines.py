"""`dev.py pipelines`: checking files of pipelines where they are written, and the schema for the editor they are written in."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Check files, or print the schema; 0 where nothing is wrong, 1 where something is, 2 where a file cannot be read."""
    parser = argparse.ArgumentParser(prog="dev.py pipelines")
    what = parser.add_subparsers(dest="what", required=True)
    check = what.add_parser("check", help="check files")
    check.add_argument("files", nargs="+", metavar="FILE", help="a file; `-` for standard input")
    check.add_argument("--json", action="store_true", help="for other programs")
    what.add_parser("schema", help="print the JSON schema of pipelines, for editors")
    given = parser.parse_args(arguments)
    if given.what == "schema":
        from shared.domains.pipelines.schema import file_schema

        print(json.dumps(file_schema(), indent=2))
        return 0
    return max([_check(name, as_json=given.json) for name in given.files])


def _check(name: str, *, as_json: bool) -> int:
    from shared.declarations import settings
    from shared.domains.pipelines.checking import check
    from shared.domains.pipelines.views import check_view

    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"{name}: {error.strerror if isinstance(error, OSError) else 'is not UTF-8'}", file=sys.stderr)
        return 2
    checked = check(text, settings(), Path(name).stem)
    if as_json:
        print(json.dumps({"file": name, **check_view(checked, name)}))
        return 1 if checked.errors else 0
    for sort, problems in (("error", checked.errors), ("lacks", checked.lacks), ("warning", checked.warnings)):
        for each in problems:
            place, _, words = each.line(name).partition(" ")
            print(f"{place} {sort}: {words}")
    if not checked.errors:
        print(f"{name}: {', '.join(checked.main) or 'subworkflows only'}: {'valid' if checked.lacks else 'ready'}")
    return 1 if checked.errors else 0


if __name__ == "__main__":
    sys.exit(main())
