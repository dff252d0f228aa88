"""Whether the timers that are declared are those that the host fires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from shared.jobs.dependencies import Dependencies
from shared.jobs.timers.timer import Timer

UPKEEP = frozenset({"SweepRecentJobs", "SweepAllJobs", "PurgeExpired"})
"""Timers that look after every job. They submit none, and so need no account of their occurrences."""


class TimerTriggerError(Exception):
    """A timer and the function that fires it do not belong together."""


def check(timers: Iterable[Timer], triggers: Mapping[str, str], deps: Dependencies) -> None:
    """Hold the declarations of timers and the functions with a timer trigger against each other.

    Args:
        timers: the timers that are declared.
        triggers: the schedule of each function that the host fires, by its name.
        deps: what kinds of jobs there are, and by which settings a timer's schedule is chosen.

    Raises:
        TimerTriggerError: a timer has no function, or one of another schedule, or submits a kind that there is none of; or
            a function is fired for which there is no timer.
    """
    wrong = "; ".join(_problems({timer.name: timer for timer in timers}, triggers, deps))
    if wrong:
        raise TimerTriggerError(wrong)


def _problems(declared: Mapping[str, Timer], triggers: Mapping[str, str], deps: Dependencies) -> Iterator[str]:
    for name in sorted(triggers.keys() - declared.keys() - UPKEEP):
        yield f"the function {name} has a timer trigger, and no timer of that name is declared"
    for name, timer in declared.items():
        schedule = timer.schedule(deps.settings)
        if name not in triggers:
            yield f"the timer {name} is declared, and no function of that name has a timer trigger"
        elif triggers[name] != schedule:
            yield f"the timer {name} goes by {schedule!r}, and its function by {triggers[name]!r}"
        if timer.kind not in deps.kinds:
            yield f"the timer {name} submits {timer.kind!r}, and no kind of job is called that"
