"""What devhost prints: log lines a person can read, and the list of functions at the start."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from datetime import datetime

from devhost.http import HttpServer
from devhost.index import HTTP, QUEUE, Function

_COLOURS = {logging.WARNING: "\033[33m", logging.ERROR: "\033[31m", logging.CRITICAL: "\033[31m"}
_DIM, _PLAIN = "\033[2m", "\033[0m"
_QUIET = ("azure", "aiohttp", "asyncio", "msal", "urllib3")


class LineFormatter(logging.Formatter):
    """``12:34:56.789  INFO   devhost.queues  text``, coloured on a terminal."""

    def __init__(self, *, coloured: bool) -> None:
        super().__init__()
        self._coloured = coloured

    def format(self, record: logging.LogRecord) -> str:
        """Make the line, and the traceback under it where there is one."""
        clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]  # noqa: DTZ006 - for a person, here
        line = f"{clock}  {record.levelname:<7}  {record.getMessage()}"
        if record.exc_info:
            line = f"{line}\n{self.formatException(record.exc_info)}"
        colour = (_COLOURS.get(record.levelno) or (_DIM if record.levelno < logging.INFO else "")) * self._coloured
        return f"{colour}{line}{_PLAIN}" if colour else line


def start_logging(level: int) -> None:
    """Send all logging to standard output; SDKs say only what is wrong, unless the level is debug."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(LineFormatter(coloured=sys.stdout.isatty()))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def print_functions(functions: Iterable[Function], server: HttpServer, url: str) -> None:
    """List the app's functions, with their URLs, queues and schedules."""
    keys = "a key is asked for" if server.asks_for_key else "function keys are not enforced"
    print(f"\nFunctions (devhost: for development and tests, not for production; {keys}):\n")
    routes = {route.function.name: route for route in server.router.routes}
    for function in functions:
        if function.kind == HTTP:
            route = routes[function.name]
            text = f"[{','.join(route.methods) or 'any method'}] {url}/{route.template}"
        else:
            text = f"{function.kind} {function.trigger['queueName' if function.kind == QUEUE else 'schedule']}"
        print(f"    {function.name}: {text}")
    print(f"\nListening on {url}\n", flush=True)
