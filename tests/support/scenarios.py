"""What the crash sweep does to an app: scenarios of storage calls, each with what must be true once all is calm again."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.containers import JOBS
from shared.domains.taste.analysis import WordAnalyser, analyse
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.profile import fold
from shared.domains.taste.store import TasteStore
from shared.jobs.dead_letters.recorder import MOST_MOVED
from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.errors import FinalError, InFlightError, InvalidTransitionError
from shared.jobs.model import Job, Status
from shared.jobs.testing import Died, Faults, Mode
from shared.jobs.ticket import IdempotencyKey, Options
from support.lab import Broken, Lab, Work, succeed

BIG = "x" * 60_000


@dataclass
class Trial:
    """One run of a scenario: what was set up, handed out and asked for again after a failure."""

    lab: Lab
    tickets: list[str] = field(default_factory=list)
    key: str = field(default_factory=lambda: uuid4().hex)

    async def take(self, kind: str = "work", **payload: Any) -> Job:
        """Submit, and remember that the ticket was handed out."""
        ticket = await self.lab.submit(kind, **payload)
        assert kind == "once" or not ticket.duplicate, "its own write was taken for another's"
        self.tickets.append(ticket.job.job_id)
        return ticket.job

    @property
    def ticket(self) -> str:
        """The only job's id, or the latest one's."""
        return self.tickets[-1]


Step = Callable[[Trial], Awaitable[Any]]


@dataclass(frozen=True)
class Scenario:
    """`arrange` undisturbed, `act` with a fault; `insist` is what the caller does who got an error; `expect` in the end."""

    name: str
    act: Step
    expect: Step
    arrange: Step | None = None
    insist: bool = False


def each(status: Status, results: Any = None) -> Step:
    """Every ticket that was handed out ends with this status (and results)."""

    async def check(trial: Trial) -> None:
        for job_id in trial.tickets:
            job = await trial.lab.settled(job_id, status)
            assert results is None or job.results == results
            ran = [attempt for ran_id, attempt in trial.lab.runs if ran_id == job_id]
            assert ran or status is not Status.COMPLETED, "completed without a run"

    return check


def failing(times: int) -> Step:
    """Handlers that fail so often, by what the record says, before they succeed."""

    async def arrange(trial: Trial) -> None:
        async def script(payload: Work, job: Any) -> Any:
            if job.job.failures < times:
                raise Broken("on purpose")
            return await succeed(payload, job)

        trial.lab.script = script
        await trial.take(n=7)

    return arrange


async def _refuse(payload: Work, job: Any) -> Any:
    raise FinalError("on purpose")


async def _submitted(trial: Trial) -> None:
    await trial.take(n=7)


async def _submitted_big(trial: Trial) -> None:
    await trial.take(n=7, note=BIG)


async def _submit_once(trial: Trial) -> None:
    await trial.take("once", n=7, key=trial.key)


async def _submit_once_twice(trial: Trial) -> None:
    await trial.take("once", n=7, key=trial.key)
    await trial.take("once", n=7, key=trial.key)


async def _submit_with_key(trial: Trial) -> None:
    """What a client does with an idempotency key: it asks again, later where it is told to."""
    options = Options(idempotency=IdempotencyKey(trial.key, "the body", 3600))
    for _ in range(2):
        try:
            ticket = await trial.lab.submit("work", options, n=7)
        except InFlightError as error:
            trial.lab.clock.advance(error.seconds)
        else:
            trial.tickets.append(ticket.job.job_id)
            return


async def _one_job(trial: Trial) -> None:
    assert trial.tickets, "no ticket although the client insisted"
    assert len(set(trial.tickets)) == 1, "two jobs for one key"
    await each(Status.COMPLETED, {"n": 7})(trial)


async def _after_cancel(trial: Trial) -> None:
    await _submit_once(trial)
    await trial.lab.engine.cancel(trial.tickets.pop())


async def _run(trial: Trial) -> None:
    await trial.lab.pump()


async def _run_to_the_end(trial: Trial) -> None:
    for _ in range(3):
        await trial.lab.pump()
        trial.lab.clock.advance(9)
    await trial.lab.pump()


async def _progressing(trial: Trial) -> None:
    async def script(payload: Work, job: Any) -> Any:
        await job.progress("one", 1, 3)
        trial.lab.clock.advance(6)
        await job.checkpoint()
        await job.progress("two", 2, 3)
        return {"n": payload.n}

    trial.lab.script = script
    await trial.take(n=7)


async def _failed(trial: Trial) -> None:
    trial.lab.script = _refuse
    job = await trial.take(n=7)
    await trial.lab.pump()
    await trial.lab.settled(job.job_id, Status.FAILED)
    trial.lab.script = succeed


async def _replay(trial: Trial) -> None:
    job = await trial.lab.job(trial.ticket)
    if job.status is Status.FAILED:
        result = await trial.lab.engine.replays.one(job.dead_letter_id or "")
        assert result.outcome in (ReplayOutcome.REPLAYED, ReplayOutcome.NOT_FAILED)


async def _replay_edited(trial: Trial) -> None:
    job = await trial.lab.job(trial.ticket)
    if job.status is Status.FAILED:
        await trial.lab.engine.replays.one(job.dead_letter_id or "", payload={"n": 7, "note": BIG})


async def _pasted(trial: Trial) -> None:
    await _failed(trial)
    (letter,) = await trial.lab.letters(job_id=trial.ticket)
    await trial.lab.queues.send(letter.queue, letter.message_text)


async def _replayed_once(trial: Trial) -> None:
    job = await trial.lab.settled(trial.ticket, Status.COMPLETED)
    assert (job.replays, job.results) == (1, {"n": 7})


async def _moved_by_the_host(trial: Trial) -> None:
    await trial.take(n=7)
    queue = trial.lab.settings.queue_normal
    (message,) = await trial.lab.storage_queues.receive(queue)
    await trial.lab.storage_queues.delete(queue, message)
    await trial.lab.queues.send(f"{queue}-poison", message.text)


async def _moved_too_often(trial: Trial) -> None:
    """As often as the job is sent again, with nothing that has come of it yet."""
    await _moved_by_the_host(trial)
    lab, queue = trial.lab, f"{trial.lab.settings.queue_normal}-poison"
    current = await lab.engine.get(trial.ticket)
    often = current.value.model_copy(update={"moved": MOST_MOVED, "version": current.value.version + 1})
    await lab.engine.deps.status.write(current, often)
    assert await lab.storage_queues.depth(queue) == 1


async def _cancel(trial: Trial) -> None:
    await trial.lab.engine.cancel(trial.ticket)


async def _cancel_running(trial: Trial) -> None:
    """The handler's own job is cancelled by somebody else's process, undisturbed, in the middle of its work."""

    async def script(payload: Work, job: Any) -> Any:
        with suppress(InvalidTransitionError):
            await other.engine.cancel(job.job_id)
        await job.progress("on", 1, 2)
        raise AssertionError("it went on")

    other = Lab(trial.lab.blobs, trial.lab.storage_queues, trial.lab.documents, trial.lab.settings, trial.lab.clock)
    trial.lab.script = script
    await trial.take()


def with_callback(times: int) -> Step:
    """A job whose outcome is to be told, that fails so often."""

    async def arrange(trial: Trial) -> None:
        await failing(times)(trial)
        await trial.lab.engine.cancel(trial.tickets.pop())
        ticket = await trial.lab.engine.submit("work", {"n": 7}, callback_url="https://example.org/told")
        trial.tickets.append(ticket.job.job_id)

    return arrange


async def _failed_with_callback(trial: Trial) -> None:
    """Failed, and its callback is still to be made: the process died between the two."""
    lab = trial.lab
    lab.script = _refuse
    ticket = await lab.engine.submit("work", {"n": 7}, callback_url="https://example.org/told")
    trial.tickets.append(ticket.job.job_id)
    lab.start(Faults(only="blobs.create".__eq__, mode=Mode.DIE_BEFORE))
    with suppress(Died):
        await lab.pump()
    lab.start()
    assert (await lab.job(trial.ticket)).callback_due
    lab.script = succeed


async def _each_life_told(trial: Trial) -> None:
    job = await trial.lab.settled(trial.ticket, Status.COMPLETED)
    said = [what for _, what in dict.fromkeys(trial.lab.told)]
    assert sorted(said) == [f"job.completed {job.job_id}", f"job.failed {job.job_id}"]


def told(status: Status) -> Step:
    """The outcome was told by one job, however often that one ran."""

    async def check(trial: Trial) -> None:
        job = await trial.lab.settled(trial.ticket, status)
        assert set(trial.lab.told) == {(job.callback_job_id, f"job.{status} {job.job_id}")}

    return check


async def _broken_house(trial: Trial) -> None:
    """A receipt without a message, a vanished worker, and an index that is gone."""
    lab = trial.lab
    lab.start(Faults(only="queues.send".__eq__))
    await trial.take(n=7)
    lab.start()
    await trial.take(n=7)
    await trial.take(n=7)
    lab.start(Faults(only="jobs.put".__eq__, mode=Mode.DIE_BEFORE))
    with suppress(Died):
        await lab.pump()
    lab.start()
    await lab.pump()
    for job_id in trial.tickets:
        await lab.documents.delete(JOBS, job_id, job_id)
    lab.clock.advance(700)


async def _sweep(trial: Trial) -> None:
    await trial.lab.engine.sweep()


async def _mended(trial: Trial) -> None:
    await each(Status.COMPLETED, {"n": 7})(trial)


async def _garbage(trial: Trial) -> None:
    text = base64.b64encode(f"garbage {trial.key}".encode()).decode()
    await trial.lab.queues.send(trial.lab.settings.queue_normal, text)


async def _kept(trial: Trial) -> None:
    text = base64.b64encode(f"garbage {trial.key}".encode()).decode()
    assert len([letter for letter in await trial.lab.letters() if letter.message_text == text]) == 1
    assert trial.lab.runs == []


def _feedback(trial: Trial, item: str, signal: str) -> dict[str, Any]:
    return {
        "user_id": f"u{trial.key}", "item_id": item, "signal": signal,
        "occurred_at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=len(item)),
        "item": {"title": "Red silk wedding dress", "size": "M", "occasion": "wedding", "colours": ["red"]},
    }  # fmt: skip


async def _take_taste(trial: Trial, item: str, signal: str) -> None:
    ticket = await trial.lab.engine.submit("taste-analysis", TasteJob.model_validate(_feedback(trial, item, signal)))
    trial.tickets.append(ticket.job.job_id)


async def _tasted(trial: Trial) -> None:
    await _take_taste(trial, "a", "up")
    await trial.lab.pump()
    await _take_taste(trial, "bb", "down")


async def _profile(trial: Trial) -> None:
    await each_taste(trial)
    profile = await TasteStore(trial.lab.documents, trial.lab.clock).read(f"u{trial.key}")
    jobs = [TasteJob.model_validate(_feedback(trial, item, signal)) for item, signal in (("a", "up"), ("bb", "down"))]
    findings = await analyse((WordAnalyser(),), jobs[0].item, None)
    undisturbed = fold(Evidence.of(job, findings, ImageNote("none")) for job in jobs)
    assert profile == undisturbed
    assert profile.items == 2


async def each_taste(trial: Trial) -> None:
    """Every taste job is completed."""
    for job_id in trial.tickets:
        await trial.lab.settled(job_id, Status.COMPLETED)


async def _erase(trial: Trial) -> None:
    trial.lab.clock.advance(60)
    await TasteStore(trial.lab.app.documents, trial.lab.clock).erase(f"u{trial.key}")


async def _erased(trial: Trial) -> None:
    await each_taste(trial)
    profile = await TasteStore(trial.lab.documents, trial.lab.clock).read(f"u{trial.key}")
    assert (profile.items, profile.facets) == (0, {})


_DONE = each(Status.COMPLETED, {"n": 7})

SCENARIOS = (
    Scenario("submit", _submitted, _DONE),
    Scenario("submit with a big payload", _submitted_big, _DONE),
    Scenario("submit deduped", _submit_once, _one_job, insist=True),
    Scenario("submit a duplicate", _submit_once, _one_job, arrange=_submit_once, insist=True),
    Scenario("submit twice", _submit_once_twice, _one_job, insist=True),
    Scenario("submit after a cancelled one", _submit_once, _one_job, arrange=_after_cancel, insist=True),
    Scenario("run", _run, _DONE, arrange=_submitted),
    Scenario("run with a big payload", _run, _DONE, arrange=_submitted_big),
    Scenario("run with progress", _run, _DONE, arrange=_progressing),
    Scenario("retry", _run_to_the_end, _DONE, arrange=failing(1)),
    Scenario("give up", _run_to_the_end, each(Status.FAILED), arrange=failing(3)),
    Scenario("replay", _replay, _replayed_once, arrange=_failed, insist=True),
    Scenario("replay with a big payload", _replay_edited, _replayed_once, arrange=_failed, insist=True),
    Scenario("replay by the queue", _run, _replayed_once, arrange=_pasted),
    Scenario("poison trigger", _run, each(Status.FAILED), arrange=_moved_too_often),
    Scenario("moved without a run", _run, _DONE, arrange=_moved_by_the_host),
    Scenario("garbage", _run, _kept, arrange=_garbage),
    Scenario("cancel", _cancel, each(Status.CANCELLED), arrange=_submitted, insist=True),
    Scenario("cancel while it runs", _run, each(Status.CANCELLED), arrange=_cancel_running),
    Scenario("callback", _run, told(Status.COMPLETED), arrange=with_callback(0)),
    Scenario("callback of a failure", _run_to_the_end, told(Status.FAILED), arrange=with_callback(3)),
    Scenario("callback of a cancelled job", _cancel, told(Status.CANCELLED), arrange=with_callback(0), insist=True),
    Scenario(
        "replay before the callback was made", _replay, _each_life_told, arrange=_failed_with_callback, insist=True
    ),
    Scenario("submit with an idempotency key", _submit_with_key, _one_job, insist=True),
    Scenario("submit again with the key", _submit_with_key, _one_job, arrange=_submit_with_key, insist=True),
    Scenario("sweep", _sweep, _mended, arrange=_broken_house),
    Scenario("taste", _run, _profile, arrange=_tasted),
    Scenario("erase", _erase, _erased, arrange=_tasted, insist=True),
)
