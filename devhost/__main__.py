"""``python -m devhost``: run the function app in a directory."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from devhost import config
from devhost.config import ConfigError
from devhost.console import print_functions, start_logging
from devhost.host import Host
from devhost.index import IndexingError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app until SIGTERM or SIGINT, which end the process with 0; return 1 if it cannot be started."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except (IndexingError, ConfigError) as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"devhost: no function can be offered: {error}", file=sys.stderr)
    except OSError as error:
        print(f"devhost: cannot listen: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devhost",
        description="A small local Azure Functions host, for development and tests. Not for production.",
    )
    parser.add_argument("--app", type=Path, default=Path(), help="directory of function_app.py (default: this one)")
    parser.add_argument(
        "--port", type=int, help="HTTP port; 0 takes a free one (default: as in local.settings.json, else 7071)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--grace", type=float, default=30.0, help="seconds for running invocations when stopped")
    return parser


async def _serve(options: argparse.Namespace) -> NoReturn:
    app_dir = options.app.resolve()
    settings = config.load_settings(app_dir, os.environ)
    os.environ.update(settings)  # as the worker: the app reads its settings from the environment
    os.chdir(app_dir)
    start_logging(config.load_config(app_dir, settings).log_level)
    port = config.local_port(app_dir) if options.port is None else options.port
    host = Host(app_dir, settings, port=port, address=options.host, grace=options.grace)
    stopped = _on_signals()
    try:
        await host.start()
        print_functions(host.functions, host.server, host.url)
        await stopped.wait()
    finally:
        await host.stop()
    _end()


def _end() -> NoReturn:
    """End the process as the real host ends its worker: at once.

    The app keeps its clients for the life of the process, and a sync function that overran keeps its thread: an
    orderly end of the interpreter would complain of the ones, and wait for the other.
    """
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)


def _on_signals() -> asyncio.Event:
    """Return an event that the first SIGTERM or SIGINT sets; the second one ends the process at once."""
    stopped = asyncio.Event()

    def handle() -> None:
        if stopped.is_set():
            os._exit(1)
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, handle)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(handle))
    return stopped


if __name__ == "__main__":
    sys.exit(main())
