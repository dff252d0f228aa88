"""From what was fetched to values: parsers run in the sandbox, and whatever they choke on is content that is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from shared.fetch.errors import ContentRefusedError
from shared.fetch.messages import Fetched, NotModified
from shared.sandbox import Failure, Why

if TYPE_CHECKING:
    from shared.sandbox.pool import Sandbox

P = ParamSpec("P")
T = TypeVar("T")

_WORDS = {
    Why.TIME: "it takes too long to read",
    Why.MEMORY: "it takes too much memory to read",
    Why.DIED: "it cannot be read: what reads it broke down",
}


async def read(box: Sandbox, parse: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Parse in the sandbox.

    Raises:
        ContentRefusedError: the parser refuses it, fails, or needs more time or memory than it is given.
    """
    answer = await box.run(parse, *args, **kwargs)
    if not isinstance(answer, Failure):
        return answer
    if answer.type == ContentRefusedError.__name__:
        raise ContentRefusedError(answer.detail)
    raise ContentRefusedError(_WORDS.get(answer.why, f"it cannot be read ({answer.type})"))


def whole(answer: Fetched | NotModified) -> Fetched:
    """The answer to a request without conditions."""
    if isinstance(answer, NotModified):
        raise ContentRefusedError("the server says that nothing has changed, although it was not asked")
    return answer
