"""``python -m bench.worker CONNECTION FOLDER``: devhost with the bench's kinds, one byte on its output for each job done."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from bench.harness import engine, served


async def main(connection: str, folder: Path) -> None:
    """Run jobs until killed."""
    async with engine(connection, folder) as bench, served(bench):
        seen = 0
        while True:
            await bench.until(seen + 1)
            done, seen = bench.finished - seen, bench.finished
            os.write(sys.stdout.fileno(), b"." * done)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
