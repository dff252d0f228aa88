"""Parsing of what strangers wrote, in a process that can be killed: its failures as errors of the item."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from shared.domains.pipelines.executing import ContentError, Run
from shared.sandbox import Failure, Why, sandbox

P = ParamSpec("P")
T = TypeVar("T")

_WORDS = {
    Why.TIME: "it takes too long to read",
    Why.MEMORY: "it takes too much memory to read",
    Why.DIED: "it cannot be read: what reads it broke down",
}


async def parsed(run: Run, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a parser in the sandbox.

    Raises:
        ContentError: the parser refuses what it is given, fails, or needs more time or memory than it has.
    """
    answer = await sandbox(run.settings).run(parse, *args, **kwargs)
    if not isinstance(answer, Failure):
        return answer
    if answer.type == ContentError.__name__:
        raise ContentError(answer.detail)
    raise ContentError(_WORDS.get(answer.why, f"it cannot be read ({answer.type})"))
