"""Observing: what the engine tells of what happens, to whoever wants to count or trace it.

Called right after a write took effect, on the event loop: an observer does no more than remember. What it is told is
told once by the process that wrote; a process that dies between the write and the word tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from shared.jobs.dead_letters.vault import DeadLetter
    from shared.jobs.model import Job


class Observer(Protocol):
    """Is told what happens. Must not raise."""

    def changed(self, before: Job | None, after: Job) -> None:
        """A job was written: taken in where there is no `before`, else moved from one version to the next."""
        ...

    def dead_lettered(self, letter: DeadLetter) -> None:
        """A dead letter was kept that was not known before."""
        ...

    def happened(self, event: str, count: int = 1) -> None:
        """Something happened that concerns no single job.

        `sweeps`, `resent`, `projected`, `put_back`, `poison_put_back`, `loop_blocked`, `loop_blocked_seconds`.
        """
        ...


class Observers:
    """Tells several observers, one after the other."""

    def __init__(self, *observers: Observer) -> None:
        self._observers = observers

    def changed(self, before: Job | None, after: Job) -> None:
        """Tell each."""
        for each in self._observers:
            each.changed(before, after)

    def dead_lettered(self, letter: DeadLetter) -> None:
        """Tell each."""
        for each in self._observers:
            each.dead_lettered(letter)

    def happened(self, event: str, count: int = 1) -> None:
        """Tell each."""
        for each in self._observers:
            each.happened(event, count)


class NullObserver:
    """The observer of an engine that nobody watches."""

    def changed(self, before: Job | None, after: Job) -> None:
        """Nothing."""

    def dead_lettered(self, letter: DeadLetter) -> None:
        """Nothing."""

    def happened(self, event: str, count: int = 1) -> None:
        """Nothing."""
