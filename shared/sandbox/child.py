"""The child's side of a sandbox: one call after the other, until its parent is gone.

Started as `python -m shared.sandbox.child FD MEMORY SECONDS`, with next to nothing in its environment: no connection string, no key.
"""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import sys
from multiprocessing.connection import Connection

from shared.sandbox.limits import Failure, Why
from shared.sandbox.wire import failure_of, pack, read_call

READY = b"ready"


def main(arguments: list[str]) -> None:
    """Answer calls over a connection that the parent handed down."""
    descriptor, memory, seconds = map(int, arguments)
    logging.disable()  # what parsers have to say quotes strangers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent to understand
    _limit_memory(memory)
    connection = Connection(descriptor)
    with contextlib.suppress(EOFError, ConnectionError):
        connection.send_bytes(READY)
        while True:
            connection.send_bytes(_answered(connection.recv_bytes(), seconds))


def _answered(data: bytes, seconds: int) -> bytes:
    try:
        function, args, kwargs = read_call(data)
        _limit_time(seconds)
        return pack(function(*args, **kwargs))
    except MemoryError:
        return pack(Failure(Why.MEMORY))
    except Exception as error:  # noqa: BLE001 - whatever a parser raises is an answer
        return pack(failure_of(error))


def _limit_memory(memory: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold what strangers sent
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    wanted = memory if most == resource.RLIM_INFINITY else min(memory, most)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, most))


def _limit_time(seconds: int) -> None:
    """Let the kernel end this process once it has used so much more CPU time: no lock of the interpreter holds that up."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime) + seconds, most))


if __name__ == "__main__":
    main(sys.argv[1:])
