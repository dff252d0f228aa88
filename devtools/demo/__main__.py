"""Run the demo: ``python -m devtools.demo [--once] [--data DIR [--rows N]]``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from devtools.demo import real
from devtools.demo.stage import stage
from devtools.demo.story import tell
from devtools.demo.terminal import Story, say
from devtools.environment import TroubleError


def main() -> int:
    """Return 0 if all went as it should, 1 if not, 2 if it could not be run."""
    options = argparse.ArgumentParser(prog="dev.py demo")
    options.add_argument("--once", action="store_true")
    options.add_argument("--data", type=Path)
    options.add_argument("--rows", type=int, default=200)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(_run(options.parse_args()))
    except TroubleError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        say("\nstopped")
        return 0


async def _run(options: argparse.Namespace) -> int:
    path = real.find(options.data) if options.data else None
    story = Story()
    async with stage(hurried=path is None) as running:
        if path:
            await real.tell(running, story, path, options.rows)
        else:
            await tell(running, story)
        say("\nAll as it should be." if not story.broken else f"\nNot as it should be: {'; '.join(story.broken)}")
        if not options.once:
            await _stay(running.client.url)
    return 1 if story.broken else 0


async def _stay(url: str) -> None:
    say(f"\nStill running, until Ctrl-C:\n  {url}/api/taste/ada\n  {url}/api/dead-letters\n  {url}/api/health")
    await asyncio.Event().wait()


if __name__ == "__main__":
    sys.exit(main())
