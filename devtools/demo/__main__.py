"""Run the demo: ``python -m devtools.demo [--once] [--night | --story | --documents] [--data DIR [--rows N]]``."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from devtools.demo import adventure, chain, documents, night, pipelines, real
from devtools.demo.stage import stage
from devtools.demo.story import tell
from devtools.demo.terminal import Story, say
from devtools.environment import TroubleError, reader_gone


def main() -> int:
    """Return 0 if all went as it should, 1 if not, 2 if it could not be run."""
    options = argparse.ArgumentParser(prog="dev.py demo")
    options.add_argument("--once", action="store_true")
    options.add_argument("--night", action="store_true")
    options.add_argument("--story", action="store_true")
    options.add_argument("--documents", action="store_true")
    options.add_argument("--data", type=Path)
    options.add_argument("--rows", type=int, default=200)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return asyncio.run(_run(options.parse_args()))
    except TroubleError as error:
        print(f"dev.py: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        return reader_gone()
    except KeyboardInterrupt:
        say("\nstopped before its end")
        return 130


async def _run(options: argparse.Namespace) -> int:
    if options.night:
        return await _night(options)
    if options.story:
        return await _story(options)
    if options.documents:
        return await _documents(options)
    path = real.find(options.data) if options.data else None
    story = Story()
    async with stage({} if path else None) as running:
        if path:
            await real.tell(running, story, path, options.rows)
        else:
            await tell(running, story)
            await chain.tell(running, story)
        return await _end(story, options, running.client.url, ("taste/ada", "dead-letters", "dashboard"))


async def _night(options: argparse.Namespace) -> int:
    """A whole night on the pages and the people of a data folder."""
    story = Story()
    async with night.World(night.folder(options.data)) as world, stage(night.settings(world)) as running:
        pages = await night.tell(running, story, world)
        return await _end(story, options, running.client.url, (*pages, "dashboard"))


async def _story(options: argparse.Namespace) -> int:
    """An adventure, played to its end."""
    story = Story()
    async with stage(adventure.SETTINGS) as running:
        pages = await adventure.tell(running, story)
        return await _end(story, options, running.client.url, pages)


async def _documents(options: argparse.Namespace) -> int:
    """Real files of a data folder: uploaded and read; and found by a crawl, and taken through a pipeline."""
    if options.data is None:
        raise TroubleError("--documents takes its files from --data DIR")
    folder, story = documents.find(options.data), Story()
    async with stage() as running:
        await documents.tell(running, story, folder)
        await pipelines.tell(running, story, folder)
        return await _end(story, options, running.client.url, ("dashboard#/documents", "dashboard#/pipelines"))


async def _end(story: Story, options: argparse.Namespace, url: str, pages: Iterable[str]) -> int:
    """Say how it went, and stay until the end is asked for."""
    say("\nAll as it should be." if not story.broken else f"\nNot as it should be: {'; '.join(story.broken)}")
    if not options.once:
        say("\nStill running, until Ctrl-C:" + "".join(f"\n  {url}/api/{page}" for page in pages))
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        say("\nstopped")
    return 1 if story.broken else 0


if __name__ == "__main__":
    sys.exit(main())
