"""What is kept of an exception: its type, its words, where it was raised and what caused it; and no value of any variable."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
import traceback
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import islice
from pathlib import Path

from shared.jobs.model import Failure, Frame, innermost
from shared.ports import PreconditionError, StorageError, TooLargeError

_MESSAGE, _CAUSE = 2000, 300
"""Characters that are kept of a message, and of the message of a cause."""
_FRAMES, _CAUSES, _LEAVES = 8, 5, 5
"""Frames, causes and members of a group that are kept: the innermost, the nearest, the first."""
_ROOT = str(Path(__file__).parents[2])
_ENGINE = ("shared/jobs/handler.py", "shared/jobs/attempts.py", "shared/jobs/own_tasks.py")
"""What calls a handler is in every traceback, and says nothing."""


def failure_of(error: BaseException, attempt: int, at: datetime) -> Failure:
    """Describe what an attempt raised. An exception group is described by its members.

    Args:
        error: what was raised.
        attempt: by which attempt.
        at: when.
    """
    leaves = leaves_of(error)
    first = leaves[0]
    return Failure(
        type=name_of(first),
        message=words_of(first) if len(leaves) == 1 else _listed(leaves),
        attempt=attempt,
        at=at,
        frames=tuple(_frames(first)),
        causes=tuple(f"{name_of(cause)}: {words_of(cause)[:_CAUSE]}" for cause in islice(_causes(first), _CAUSES)),
    )


def is_outage(error: BaseException) -> bool:
    """Whether the app's own storage failed, as opposed to answering what the handler did not expect."""
    return isinstance(error, StorageError) and not isinstance(error, (PreconditionError, TooLargeError))


def leaves_of(error: BaseException) -> list[BaseException]:
    """The exceptions that a group is made of, however deep; any other exception by itself."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in leaves_of(each)]


def name_of(error: BaseException) -> str:
    """The name of its type, as records have it."""
    return str(getattr(error, "recorded_as", type(error).__name__))


def words_of(error: BaseException) -> str:
    """Its message, as text that JSON can hold; its type's name where it has none, or cannot say it."""
    try:
        words = str(error)
    except Exception as why:  # noqa: BLE001 - an exception that cannot be put into words is one all the same
        return f"{name_of(error)} (its own text cannot be had: {type(why).__name__})"
    return words[:_MESSAGE].encode(errors="replace").decode() or name_of(error)


def _listed(leaves: list[BaseException]) -> str:
    said = "; ".join(f"{name_of(leaf)}: {words_of(leaf)[:_CAUSE]}" for leaf in leaves[:_LEAVES])
    return f"{len(leaves)} errors: {said}"[:_MESSAGE]


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen = {id(error)}
    while (cause := _cause(error)) is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        error = cause


def _cause(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames(error: BaseException) -> list[Frame]:
    """Where it was raised: the innermost frames, outermost first. One that the engine raised stands for what it stopped."""
    walked = traceback.walk_tb(error.__traceback__)
    frames = _told((frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in walked)
    if not frames and error.__cause__ is not None:
        return _frames(error.__cause__)
    return frames[-_FRAMES:]


def place_of(stack: Iterable[tuple[str, int, str]]) -> Frame | None:
    """Where a stack (file, line, function; outermost first) is in the app's own code; else its innermost frame."""
    return innermost(_told(stack))


def _told(stack: Iterable[tuple[str, int, str]]) -> list[Frame]:
    frames = [_frame(*each) for each in stack]
    return [frame for frame in frames if frame.file not in _ENGINE]


def _frame(filename: str, line: int, function: str) -> Frame:
    file, own = _file(filename)
    return Frame(file=file, line=line, function=function[:100], own=own)


@cache
def _file(filename: str) -> tuple[str, bool]:
    """A file's name without the folder that it is installed in, and whether it is the app's own and no library's."""
    libraries = (*site.getsitepackages(), sysconfig.get_paths()["stdlib"], sysconfig.get_paths()["platstdlib"])
    for folder in sorted(libraries, key=len, reverse=True):
        if filename.startswith(folder + os.sep):
            return _relative(filename, folder), False
    for folder in (_ROOT, *sys.path):
        if folder and filename.startswith(folder + os.sep):
            return _relative(filename, folder), "site-packages" not in filename
    return Path(filename).name[-200:], not filename.startswith("<frozen")


def _relative(filename: str, folder: str) -> str:
    return Path(filename[len(folder) + 1 :]).as_posix()[-200:]
