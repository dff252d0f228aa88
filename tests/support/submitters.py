"""Run as a process: submits one payload many times at once, and prints the tickets that it got, one to a line."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]


async def main(connection: str, name: str, folder: str, times: int) -> None:
    """Wait for a line on stdin, so that several processes begin together, then submit."""
    from support.lab import close_lab, open_lab

    lab = await open_lab(connection, name, Path(folder))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    slots = asyncio.Semaphore(64)

    async def submit(n: int) -> str:
        async with slots:
            return (await lab.submit("once", key="the one", n=n)).job.job_id

    tickets = await asyncio.gather(*(submit(n) for n in range(times)))
    print("\n".join(tickets), flush=True)
    await close_lab(lab)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
