"""The watch: gathers the facts of the alarms, keeps their board, and tells each change exactly once.

The board is one document, written only if nobody else did. A change is written down with the board and told afterwards:
a crash between the two leaves it `untold`, and the next evaluation tells it. The id of the job that tells it is derived
from the alarm and the number of its change, so that telling twice makes one job.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from shared.containers import OPERATIONS
from shared.jobs.engine import Engine
from shared.jobs.ids import derived_id
from shared.jobs.timers.ledger import Ledger
from shared.monitor.alarms import Alarm, AlarmInputs, Board, Change, Limits, Seen, Standing, TimerFacts, advance
from shared.monitor.queues import read_queues
from shared.monitor.stats import HOUR, Stats, floor
from shared.monitor.telemetry import Telemetry
from shared.ports import Document, StorageError
from shared.settings import Settings
from shared.storage import Versioned, compare_and_swap, iso, write

LOG = logging.getLogger("nightshift.alarms")

FRESH = timedelta(seconds=60)
"""How old a board may be that is shown without a new evaluation."""
_ID = "alarms"


def limits_of(settings: Settings) -> Limits:
    """The thresholds that the settings ask for."""
    return Limits(
        settings.alarm_dead_letter_ratio,
        settings.alarm_dead_letter_factor,
        settings.alarm_dead_letter_minimum,
        timedelta(hours=settings.alarm_queue_hours),
        timedelta(minutes=settings.alarm_poison_minutes),
    )


def runbook(alarm: Alarm) -> str:
    """Where it is written what to do, in the repository."""
    return f"docs/runbooks/{alarm}.md"


class Watch:
    """Evaluates the alarms of an app."""

    def __init__(self, engine: Engine, ledger: Ledger, stats: Stats, telemetry: Telemetry | None) -> None:
        self._engine = engine
        self._ledger = ledger
        self._stats = stats
        self._telemetry = telemetry
        self._documents = engine.deps.documents
        self._clock = engine.deps.clock
        self._settings = engine.deps.settings
        self._limits = limits_of(self._settings)

    async def board(self) -> Board:
        """The board, evaluated anew where it is older than `FRESH`. Otherwise one storage call."""
        board = await self.last()
        return board if board.at and self._clock.now() - board.at < FRESH else await self.evaluate()

    async def last(self) -> Board:
        """The board of the last evaluation."""
        return _board_in(await self._read())

    async def evaluate(self) -> Board:
        """Gather the facts, bring the board up to date, and tell what has changed.

        Raises:
            StorageError: the facts or the board could not be had. What was written down is told the next time.
        """
        return await self._tell(await self._advance())

    @compare_and_swap("the board of alarms")
    async def _advance(self) -> Board:
        found = await self._read()
        board = _board_in(found)
        board = advance(board, await self._facts(board), self._limits)
        await write(self._documents, OPERATIONS, _document(board), found)
        return board

    async def _read(self) -> Versioned[Document] | None:
        return await self._documents.read(OPERATIONS, _ID, _ID)

    async def _facts(self, board: Board) -> AlarmInputs:
        now = self._clock.now()
        recent = floor(now) - HOUR
        window = await self._stats.total(recent, now + HOUR)
        baseline = await self._stats.total(recent - timedelta(days=self._settings.alarm_baseline_days), recent)
        reports = await self._ledger.reports()
        timers = (
            TimerFacts(each.name, self._ledger.timer(each.name).healthy_for is not None, each.healthy, each.reason)
            for each in reports
        )
        queues = tuple(await read_queues(self._engine))
        if self._telemetry:
            for each in queues:
                self._telemetry.measured(each.name, each.messages, each.oldest_seconds)
        return AlarmInputs(
            now, window.total, baseline.total, tuple(timers), queues, board.seen,
            window.events["poison_put_back"], window.events["loop_blocked_seconds"],
        )  # fmt: skip

    async def _tell(self, board: Board) -> Board:
        """Tell what is untold, oldest first; what cannot be told now stays for the next time."""
        sent: list[Change] = []
        for change in board.untold:
            try:
                await self._tell_one(change)
            except StorageError as error:
                LOG.warning("alarm not told yet: alarm=%s cause=%s", change.alarm, type(error).__name__)
                break
            sent.append(change)
        return await self._strike_sent(sent) if sent else board

    async def _tell_one(self, change: Change) -> None:
        state, level = ("on", logging.WARNING) if change.standing.on else ("off", logging.INFO)
        LOG.log(
            level, "alarm %s: alarm=%s change=%d reason=%s", state, change.alarm, change.standing.change, change.standing.reason
        )  # fmt: skip
        settings = self._settings
        if settings.alarm_webhook_url and settings.webhook_secrets:
            payload = _message(change, settings.alarm_webhook_url)
            await self._engine.submit("webhook", payload, job_id=job_id_of(change))

    @compare_and_swap("the board of alarms")
    async def _strike_sent(self, sent: list[Change]) -> Board:
        """Strike from the board what was told, whoever wrote it meanwhile."""
        keys = {_key(change) for change in sent}
        found = await self._read()
        board = _board_in(found)
        left = tuple(change for change in board.untold if _key(change) not in keys)
        board = Board(board.at, board.standings, left, board.seen)
        await write(self._documents, OPERATIONS, _document(board), found)
        return board


def _board_in(found: Versioned[Document] | None) -> Board:
    return _board_of(found.value) if found else Board()


def job_id_of(change: Change) -> str:
    """The id of the job that tells a change: the same whoever makes it."""
    assert change.standing.since is not None  # noqa: S101 - a change has its moment
    return derived_id(change.standing.since, f"alarm/{change.alarm}/{change.standing.change}")


def standing_view(alarm: Alarm, standing: Standing) -> dict[str, Any]:
    """An alarm as clients and receivers see it."""
    since = {"since": iso(standing.since)} if standing.since else {}
    shown = {"state": "on" if standing.on else "off", **since, "reason": standing.reason, "facts": dict(standing.facts)}
    return {"alarm": alarm.value, **shown, "runbook": runbook(alarm)}


def _key(change: Change) -> tuple[Alarm, int]:
    return change.alarm, change.standing.change


def _message(change: Change, url: str) -> dict[str, Any]:
    """The payload of the job that tells a change: `alarm.on` or `alarm.off`. Changes may arrive out of order: they are numbered."""
    view = standing_view(change.alarm, change.standing) | {"change": change.standing.change}
    return {"url": url, "type": f"alarm.{view['state']}", "timestamp": view["since"], "data": view}


def _document(board: Board) -> Document:
    return {
        "id": _ID, "pk": _ID,
        "at": iso(board.at) if board.at else None,
        "standings": {alarm.value: _standing(each) for alarm, each in board.standings.items()},
        "untold": [{"alarm": each.alarm.value, **_standing(each.standing)} for each in board.untold],
        "seen": {queue: {"at": iso(each.at), "oldest_seconds": each.oldest_seconds} for queue, each in board.seen.items()},
    }  # fmt: skip


def _standing(standing: Standing) -> Document:
    return {
        "on": standing.on, "since": iso(standing.since) if standing.since else None, "change": standing.change,
        "calm_since": iso(standing.calm_since) if standing.calm_since else None, "reason": standing.reason, "facts": dict(standing.facts),
    }  # fmt: skip


def _board_of(document: Document) -> Board:
    """Read a board. An alarm that this code does not know is left out."""
    known = set(Alarm)
    standings = {Alarm(name): _standing_of(each) for name, each in document["standings"].items() if name in known}
    untold = (Change(Alarm(each["alarm"]), _standing_of(each)) for each in document["untold"] if each["alarm"] in known)
    seen = {
        queue: Seen(datetime.fromisoformat(each["at"]), each["oldest_seconds"])
        for queue, each in document["seen"].items()
    }
    return Board(_moment(document["at"]), standings, tuple(untold), seen)


def _standing_of(content: Document) -> Standing:
    return Standing(
        content["on"], _moment(content["since"]), content["change"], _moment(content["calm_since"]),
        content["reason"], content["facts"],
    )  # fmt: skip


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
