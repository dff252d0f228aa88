"""The ledger of timers: each scheduled moment is recorded once, and run at most once.

An occurrence's document is created before anything is submitted, and only one creation succeeds; its job's id is derived
from the timer and the moment. So it does not matter who advances a timer: the host's trigger, two hosts at once, the
accounting that follows the sweep, or an operator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from logging import ERROR, WARNING
from typing import Unpack

from shared.jobs.concurrently import isolated, run_all
from shared.jobs.engine import Engine
from shared.jobs.log import LOG
from shared.jobs.model import Status
from shared.jobs.ticket import Ticket
from shared.jobs.timers import occurrence as becomes
from shared.jobs.timers.health import LATEST, TimerHistory, TimerReport, report
from shared.jobs.timers.occurrence import Occurrence, State, Trigger, job_id_of
from shared.jobs.timers.records import Head, OccurrenceStore, R, Which
from shared.jobs.timers.schedule import Schedule
from shared.jobs.timers.timer import Missed, NotAnOccurrenceError, NotRunAgainError, Timer, TimerNotFoundError
from shared.ports import PreconditionError
from shared.storage import Versioned, compare_and_swap, iso

_SLACK = timedelta(seconds=2)
"""How early a host's timer may fire."""
_PATIENCE = timedelta(minutes=2)
"""How long the accounting leaves an occurrence to the host's trigger before it begins it itself."""
_SKEW = timedelta(minutes=1)
"""How far clocks of two instances may differ; what was decided later than that was decided by a clock that ran ahead."""
_BATCH = 500
"""Occurrences of a gap that are recorded in one go; the next accounting goes on."""
_NOT_ACCOUNTED = "not accounted: timer=%s cause=%s"


@dataclass(frozen=True, slots=True)
class Rules:
    """The ledger's times."""

    grace: timedelta = timedelta(minutes=15)
    """How late an occurrence may begin and still count as itself."""
    keep: timedelta = timedelta(days=400)
    """How long an entry is kept after the last thing that happened to it."""
    off: frozenset[str] = frozenset()
    """Timers whose functions the host was told to leave alone: nothing of theirs is begun, but on the host's own word."""


@dataclass
class Accounting:
    """What an accounting saw and did."""

    looked: int = 0
    settled: int = 0
    begun: int = 0


class Ledger:
    """Advances timers, and keeps the account of their occurrences."""

    def __init__(self, engine: Engine, timers: Iterable[Timer], rules: Rules | None = None) -> None:
        self._engine = engine
        self._deps = engine.deps
        self.rules = rules or Rules()
        self.timers = {timer.name: timer for timer in timers}
        self._schedules: dict[str, Schedule] = {}
        self._met: set[str] = set()
        self.occurrences = OccurrenceStore(self._deps.documents, self._deps.clock, self.rules.keep)

    def timer(self, name: str) -> Timer:
        """The timer of this name, or TimerNotFoundError."""
        try:
            return self.timers[name]
        except KeyError:
            raise TimerNotFoundError(f"there is no timer {name!r}") from None

    def schedule(self, name: str) -> Schedule:
        """A timer's schedule by the app's settings."""
        if name not in self._schedules:
            self._schedules[name] = Schedule(self.timer(name).schedule(self._deps.settings))
        return self._schedules[name]

    async def tick(self, name: str, *, past_due: bool = False) -> Occurrence | None:
        """Do what the host's trigger of a timer is for; return the occurrence that it stands for, if it was begun.

        That is the latest scheduled moment. Whether it is on time is reckoned here; what the host says only counts where
        that is not known. Seven storage calls where nothing was missed, those of the submission included; safe to call at
        any time.

        Raises:
            StorageError: the occurrence may have been taken or not; the accounting does what is left.
        """
        timer, now = self.timer(name), self._deps.clock.now()
        entry = await self._advance(timer, now + _SLACK, fired=True, past_due=past_due)
        found = f"{entry.id} {entry.state}" if entry else None
        LOG.info("timer fired: timer=%s past_due=%s occurrence=%s", name, past_due, found)
        return entry

    async def account(self) -> Accounting:
        """Record what was missed, submit what was left behind, and settle what has ended, for all timers.

        One storage call where there is nothing to do, and one more for each timer at the first time in a process.
        """
        report, now = Accounting(), self._deps.clock.now()
        unmet = self.timers.keys() - self._met
        for name in sorted(unmet):
            report.begun += await isolated(self._catch_up(name), _NOT_ACCOUNTED, name)
        async for entry in self.occurrences.waiting(now):
            report.looked += 1
            if isinstance(entry, Head) and entry.timer in unmet:
                continue
            if isinstance(entry, Head):
                report.begun += await isolated(self._catch_up(entry.timer), _NOT_ACCOUNTED, entry.timer)
            else:
                report.settled += await isolated(
                    self._settle(entry) if entry.job_id else self._finish(entry), _NOT_ACCOUNTED, entry.timer
                )
        return report

    async def run(self, name: str, scheduled_for: datetime | None = None) -> Ticket:
        """Run a timer by hand: now, or to make up an occurrence that was missed.

        An occurrence that has a job already hands out that job's ticket. Runs by hand within one second are one.

        Raises:
            TimerNotFoundError: there is no such timer.
            NotAnOccurrenceError: its schedule has no such moment, or not yet, or too long ago.
            NotRunAgainError: it was run, and did not end well: its job is to be replayed.
            StorageError: it was taken or not; asking again is safe.
        """
        timer, schedule, now = self.timer(name), self.schedule(name), self._deps.clock.now()
        moment = scheduled_for or now.replace(microsecond=0)
        planned = now - self.rules.keep < moment <= now and moment in schedule
        if scheduled_for and not planned:
            raise NotAnOccurrenceError(self._nearest(schedule, moment, now))
        current = await self._take(
            becomes.taken(name, moment, now, Trigger.MANUAL, schedule.expression if planned else None)
        )
        if current.value.state is State.DUE:
            return (await self._submit(timer, current))[1]
        return await self._ticket(current.value)

    async def page(
        self, name: str, limit: int, *, state: State | None = None, **which: Unpack[Which]
    ) -> tuple[list[Occurrence], str | None]:
        """A timer's occurrences, newest first, each as its job stands now; and the cursor of the next page.

        One storage call, and one for each whose job had not ended when it was last accounted for.

        Raises:
            TimerNotFoundError: there is no such timer.
        """
        self.timer(name)
        found, cursor = await self.occurrences.page(name, limit, state=state, **which)
        return [each for each in await self._followed(found) if state in (None, each.state)], cursor

    def upcoming(self, name: str, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The moments at which a timer is due from now on, after one moment and up to another: at most so many. No call."""
        if name in self.rules.off:
            return []
        start = max(after, self._deps.clock.now())
        return list(islice(self.schedule(name).between(start, until), limit))

    async def reports(self) -> list[TimerReport]:
        """How each timer does, by name. Two storage calls for each, and one for each occurrence whose job has not ended."""
        return [await self.report(name) for name in sorted(self.timers)]

    async def report(self, name: str) -> TimerReport:
        """How a timer does.

        Raises:
            TimerNotFoundError: there is no such timer.
        """
        timer, now = self.timer(name), self._deps.clock.now()
        found, _ = await self.occurrences.page(name, LATEST, until=now + _SLACK)
        if any(each.awaits_job for each in found):
            found = await self._followed(found)
        head = await self.occurrences.head(name)
        first, since = (head.value.first_seen_at, head.value.since) if head else (now, now)
        history = TimerHistory(now, self.rules.grace, found, first, since, name in self.rules.off)
        return report(timer, self.schedule(name), history)

    async def _advance(
        self, timer: Timer, until: datetime, *, fired: bool = False, past_due: bool = False
    ) -> Occurrence | None:
        """Run the latest occurrence up to a moment as the policy says, and record what was passed over before it.

        Where the host has fired for it, that counts more than the head, which may have been made a moment ago, or by a
        clock that ran ahead. An occurrence that is recorded already stays as it is.
        """
        now, schedule = self._deps.clock.now(), self.schedule(timer.name)
        head, latest = await self._head(timer.name, now), schedule.latest(until)
        self._met.add(timer.name)
        if latest is None:
            return None
        on_time, news = now - latest <= self.rules.grace, latest > head.value.accounted_until
        wanted = (fired and (on_time or not past_due)) or (news and timer.name not in self.rules.off)
        begun = None
        if wanted and (on_time or timer.missed is Missed.ONCE):
            trigger = Trigger.SCHEDULE if on_time else Trigger.CATCH_UP
            begun = await self._begin(timer, becomes.taken(timer.name, latest, now, trigger, schedule.expression))
        if news:
            await self._pass_over(timer, head, latest, begun)
        return begun

    async def _catch_up(self, name: str) -> bool:
        """Do for a timer what its trigger should have done by now; say whether an occurrence was begun."""
        timer = self.timers.get(name)
        if timer is None:  # an older version of the app does not know it any more, or not yet
            return False
        now, schedule = self._deps.clock.now(), self.schedule(name)
        old, new = schedule.latest(now - _PATIENCE), schedule.latest(now)
        if (
            old and new and new - old > _PATIENCE
        ):  # the trigger is at it just now; what it runs stands for the older ones
            await self._head(name, now)
            self._met.add(name)
            return False
        return await self._advance(timer, now - _PATIENCE) is not None

    async def _begin(self, timer: Timer, entry: Occurrence) -> Occurrence:
        current = await self._take(entry)
        if current.value.state is State.DUE:
            current, _ = await self._submit(timer, current)
        return current.value

    @compare_and_swap("the occurrence")
    async def _take(self, wanted: Occurrence) -> Versioned[Occurrence]:
        """Write down that an occurrence is due, unless it is recorded already and to be left as it is."""
        if current := await self.occurrences.create(wanted):
            return current
        there = await self.occurrences.read(wanted.timer, wanted.scheduled_at)
        if there and not _may_take(there.value, wanted):
            return there
        current = await self.occurrences.write(there, becomes.made_up(there.value, wanted)) if there else None
        return _held(current)

    async def _submit(self, timer: Timer, current: Versioned[Occurrence]) -> tuple[Versioned[Occurrence], Ticket]:
        """Submit the job of an occurrence that is due, and write down that it was."""
        moment = current.value.scheduled_at
        payload = {**timer.payload(moment), **timer.chosen(self._deps.settings)}
        ticket = await self._engine.submit(timer.kind, payload, job_id=job_id_of(timer.name, moment))
        if ticket.duplicate:  # whoever made it may have died before it was in the index, by which the sweep finds it
            await self._deps.project(ticket.job)
        written = await self.occurrences.write(current, becomes.submitted(current.value, ticket.job))
        return written or await self.occurrences.read(timer.name, moment) or current, ticket

    async def _finish(self, entry: Occurrence) -> bool:
        """Submit an occurrence that was left behind between its receipt and its job."""
        timer, current = self.timers.get(entry.timer), await self.occurrences.read(entry.timer, entry.scheduled_at)
        if timer is None or current is None or current.value.state is not State.DUE:
            return False
        await self._submit(timer, current)
        LOG.warning("occurrence submitted late: timer=%s scheduled_at=%s", entry.timer, entry.id)
        return True

    async def _settle(self, entry: Occurrence) -> bool:
        """Write down what has become of an occurrence's job; say whether that was news."""
        job = await self._deps.status.read(entry.job_id or "")
        changed = becomes.settled(entry, job.value if job else None, self._deps.clock.now())
        if changed == entry:
            return False
        current = await self.occurrences.read(entry.timer, entry.scheduled_at)
        if current is None or current.value != entry:
            return False
        return await self.occurrences.write(current, changed) is not None and changed.state is not entry.state

    async def _followed(self, entries: list[Occurrence]) -> list[Occurrence]:
        """Occurrences as their jobs stand now: what is written down of them follows with the next accounting."""

        async def followed(entry: Occurrence) -> Occurrence:
            if not entry.awaits_job:
                return entry
            job = await self._deps.status.read(entry.job_id or "")
            return becomes.settled(entry, job.value if job else None, self._deps.clock.now())

        return await run_all(map(followed, entries))

    async def _ticket(self, entry: Occurrence) -> Ticket:
        """The ticket of the job that an occurrence has."""
        current = await self._deps.status.read(entry.job_id or "")
        if current is None:
            raise NotRunAgainError(f"it was run as job {entry.job_id}, whose record is gone")
        if current.value.status in _ENDED_BADLY:
            raise NotRunAgainError(f"it was run as job {entry.job_id}, which {_ENDED_BADLY[current.value.status]}")
        return Ticket(current.value, current.etag, duplicate=True)

    async def _pass_over(self, timer: Timer, head: Versioned[Head], latest: datetime, begun: Occurrence | None) -> None:
        """Record each occurrence that nothing began, up to the latest one, then that they are recorded."""
        schedule, now = self.schedule(timer.name), self._deps.clock.now()
        gap = list(islice(schedule.between(head.value.accounted_until, latest), _BATCH))
        left = [moment for moment in gap if begun is None or moment != latest]
        state, reason = self._passed_over_as(timer, latest, begun)
        for moment in left:
            await self.occurrences.create(
                becomes.passed_over(timer.name, moment, now, state, schedule.expression, reason)
            )
        if left:
            level, span = ERROR if state is State.MISSED else WARNING, f"{iso(left[0])}..{iso(left[-1])}"
            LOG.log(level, "occurrences %s: timer=%s count=%d span=%s", state, timer.name, len(left), span)
        await self.occurrences.write(head, _moved(head.value, schedule, gap[-1]))

    def _passed_over_as(self, timer: Timer, latest: datetime, begun: Occurrence | None) -> tuple[State, str]:
        """What becomes of occurrences that were not begun, and why."""
        if timer.name in self.rules.off and begun is None:
            return State.SKIPPED, "the timer is switched off"
        if timer.missed is Missed.ONCE:
            return State.SKIPPED, f"missed; the occurrence of {iso(latest)} stands for it"
        return State.MISSED, "nothing began it in time"

    @compare_and_swap("the timer's head")
    async def _head(self, name: str, now: datetime) -> Versioned[Head]:
        """A timer's head, made or mended where that is needed."""
        schedule = self.schedule(name)
        current = await self.occurrences.head(name)
        if current is None:
            fresh = Head(timer=name, schedule=schedule.expression, first_seen_at=now, since=now, accounted_until=now)
            return _held(await self.occurrences.create(_moved(fresh, schedule, now)))
        if (mended := _mended(current.value, schedule, now)) == current.value:
            return current
        LOG.warning("timer reckoned anew: timer=%s schedule=%r", name, schedule.expression)
        return _held(await self.occurrences.write(current, mended))

    def _nearest(self, schedule: Schedule, moment: datetime, now: datetime) -> str:
        """What is wrong with a moment that is no occurrence, and which ones are near it."""
        around = (schedule.before(moment), schedule.after(moment))
        near = [iso(each) for each in around if each and now - self.rules.keep < each <= now]
        latest = schedule.latest(now)
        near = near or ([iso(latest)] if latest else [])
        where = f"; near it: {', '.join(near)}" if near else ""
        return f"must be a past moment of the schedule {schedule.expression!r} ({schedule.words}){where}"


_ENDED_BADLY = {
    Status.FAILED: "failed: replay that job",
    Status.CANCELLED: "was cancelled: run the timer anew, for no moment in particular",
}


def _held(written: Versioned[R] | None) -> Versioned[R]:
    """What was written; PreconditionError where somebody else was first."""
    if written is None:
        raise PreconditionError
    return written


def _may_take(there: Occurrence, wanted: Occurrence) -> bool:
    """Whether an occurrence that was passed over is run after all: by hand, or where a clock that ran ahead did that."""
    premature = wanted.trigger is Trigger.SCHEDULE and there.decided_at > wanted.decided_at + _SKEW
    return there.state.passed_over and (wanted.trigger is Trigger.MANUAL or premature)


def _moved(head: Head, schedule: Schedule, until: datetime) -> Head:
    """A head up to whose new frontier every occurrence is recorded."""
    upcoming = schedule.after(until)
    return head.model_copy(
        update={"accounted_until": until, "watch_at": upcoming + _PATIENCE if upcoming else None}
    )  # fmt: skip


def _mended(head: Head, schedule: Schedule, now: datetime) -> Head:
    """A head after its schedule was edited (nothing is caught up with, as with the host), or a clock that ran ahead."""
    if head.schedule != schedule.expression or head.since > now + _SKEW:
        return _moved(head.model_copy(update={"schedule": schedule.expression, "since": now}), schedule, now)
    return _moved(head, schedule, now) if head.accounted_until > now + _SKEW else head
