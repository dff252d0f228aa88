"""Where what strangers wrote is read: in child processes with a limit of memory and time, which can be killed.

A regular expression or an XML parser that meets the wrong input holds the interpreter's lock, and no thread, timer or signal
of the same process gets past it. So feeds, pages, maps and pictures are read in other processes, one function call at a time:

    answer = await sandbox(settings).run(parse_feed, fetched, topic)
    if isinstance(answer, Failure): ...

The function is one of ours, named by its module; its arguments and its result are plain values.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from shared.sandbox.limits import Failure, Limits, Why

if TYPE_CHECKING:
    from shared.sandbox.pool import Sandbox
    from shared.settings import Settings

__all__ = ["Failure", "Limits", "Why", "sandbox", "sandbox_within"]


def sandbox(settings: Settings) -> Sandbox:
    """The sandbox of this process, with the limits that its settings give. It ends with the process."""
    return sandbox_within(
        Limits(settings.sandbox_processes, settings.sandbox_seconds, settings.sandbox_memory_mb * 2**20)
    )


@cache
def sandbox_within(limits: Limits) -> Sandbox:
    """The sandbox of this process with limits of its own, for what needs more or less than most. It ends with the process."""
    import atexit

    from shared.sandbox.pool import Sandbox

    made = Sandbox(limits)
    atexit.register(made.close)
    return made
