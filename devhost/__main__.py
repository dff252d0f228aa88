"""``python -m devhost``: run the function app in a directory."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from azure.core.exceptions import AzureError
from azure.functions import FunctionApp

from devhost import config
from devhost.config import ConfigError
from devhost.console import print_functions, start_logging
from devhost.host import Host
from devhost.index import IndexingError, UnsupportedError
from devhost.storage import describe

_START = Path.cwd()
_PAUSE = 1.0
"""Seconds before a host that has stopped is started again, and before one whose worker is dead."""
_BLOCKED = 3.0
"""A function that is over its time by so many seconds, and was not ended, blocks the loop."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the app until SIGTERM or SIGINT, which end the process with 0; return 1 if it cannot be started."""
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options))
    except (IndexingError, ConfigError) as error:
        print(f"devhost: cannot run this app: {error}", file=sys.stderr)
    except OSError as error:
        print(f"devhost: cannot listen: {error}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="devhost",
        description="A small local Azure Functions host, for development and tests. Not for production.",
        epilog="Two settings make it kinder than the real host, whose values are their defaults: "
        "DEVHOST_MESSAGE_LEASE_SECONDS (600), after which a message comes back that was in hand when the host was "
        "killed, and DEVHOST_TIMER_LOCK_SECONDS (60; 15 at least), after which another host takes over its timers.",
    )
    parser.add_argument("--app", type=Path, default=Path(), help="directory of function_app.py (default: this one)")
    parser.add_argument(
        "--port", type=int, help="HTTP port; 0 takes a free one (default: as in local.settings.json, else 7071)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument(
        "--grace", type=float, help="seconds for running invocations when stopped (default: as long as they take)"
    )
    parser.add_argument(
        "--any-origin",
        action="store_true",
        help="answer requests with a foreign Host or Origin too, as func does (default: they are refused)",
    )
    parser.add_argument("--key", help="ask for this key where a deployed host does (default: no keys, as func start)")
    return parser


async def _serve(options: argparse.Namespace) -> NoReturn:
    app_dir = options.app.resolve()
    settings = config.load_settings(app_dir, os.environ)
    os.environ.update(settings)  # as the worker: the app reads its settings from the environment
    os.chdir(app_dir)
    start_logging(config.load_config(app_dir, settings).log_level)
    port = config.local_port(app_dir) if options.port is None else options.port
    host = _host(app_dir, settings, port, options)
    stopped = _on_signals()
    try:
        await host.start()
    except AzureError as error:
        await asyncio.sleep(_PAUSE)
        _start_again(f"storage does not answer ({describe(error)})", port)
    threading.Thread(target=_watch, args=(host,), daemon=True).start()
    print_functions(host.functions, host.server, host.url)
    await _first(stopped, host.failed, host.overran)
    if not stopped.is_set() and host.overran.is_set():
        await asyncio.sleep(_PAUSE)  # in which the message of the one that overran is let go
        _start_again("its worker is dead", host.port)
    await host.stop()
    if host.failed.is_set() and not stopped.is_set():
        await asyncio.sleep(_PAUSE)
        _start_again(host.failure, host.port)
    _end()


def _host(app_dir: Path, settings: dict[str, str], port: int, options: argparse.Namespace) -> Host:
    """Make the host: where the app cannot be indexed without a function, as the real one runs it then."""
    more = {
        "port": port, "address": options.host, "grace": options.grace, "key": options.key, "any_origin": options.any_origin
    }  # fmt: skip
    try:
        return Host(app_dir, settings, **more)
    except UnsupportedError:
        raise
    except IndexingError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"devhost: 0 functions loaded, every route is 404: {error}", file=sys.stderr, flush=True)
        return Host(FunctionApp(), settings, host_json={}, **more)


async def _first(*events: asyncio.Event) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)


def _watch(host: Host) -> None:
    """Start again where a function blocks the loop past its time, so that nothing else can end it."""
    while host.overdue_seconds < _BLOCKED:
        time.sleep(_PAUSE)
    _start_again("a function has overrun functionTimeout and blocks the loop: its worker is dead", host.port)


def _start_again(why: str, port: int) -> NoReturn:
    """Take the part of the platform: replace this process by a fresh one, on the same port."""
    print(f"devhost: the host ends here, {why}; starting it again, as the platform does", flush=True)
    logging.shutdown()
    os.chdir(_START)
    os.execv(sys.executable, [*sys.orig_argv, "--port", str(port)])


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
