"""The job of collecting: topic by topic, each one a step, which the next attempt does not do again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.domains.collect.errors import TopicsUnavailableError
from shared.domains.collect.output import Output, Written
from shared.domains.collect.payload import CollectJob
from shared.domains.collect.sources import Source, sources
from shared.fetch import FetchError, FetchUnavailableError
from shared.fetch.closed import respecting
from shared.fetch.errors import ContentRefusedError
from shared.jobs import FinalError, JobContext, Policy, RetryLater, job

_PATIENCE = 10.0
"""Seconds that an attempt waits, once, for topics that are unavailable for the moment."""
_PAUSE = 2.0
_BUDGET = 400.0
"""Seconds after which an attempt takes up no further topic; below the policy's timeout by more than a topic can take."""
_POLICY = Policy(max_attempts=4, base_backoff_seconds=15, max_backoff_seconds=600, timeout_seconds=540, public=True)


@dataclass(frozen=True, slots=True)
class TopicResult:
    """What became of a topic: a blob, or an error."""

    topic: str
    written: Written | None = None
    error: FetchError | ContentRefusedError | None = None

    @property
    def transient(self) -> bool:
        """Whether another try may succeed."""
        return isinstance(self.error, FetchUnavailableError)

    @property
    def wait(self) -> float:
        """Seconds that the other side asked to be left alone."""
        return (isinstance(self.error, FetchUnavailableError) and self.error.retry_after) or 0.0

    def to_json(self) -> dict[str, Any]:
        """As the job's results show it."""
        found: dict[str, Any]
        if self.written:
            found = {"topics_count": self.written.items, "blob_name": self.written.name, "status": "success"}
            found |= {"refused": self.written.refused} if self.written.refused else {}
        else:
            found = {"topics_count": 0, "blob_name": None, "status": "error", "error": _why(self)}
        return {"subreddit": self.topic, **found}


@job("collect-content", policy=_POLICY)
async def collect_content(payload: CollectJob, job: JobContext) -> dict[str, Any]:
    """Collect each topic into a blob of its own. A topic that fails does not fail the others. Safe to run twice."""
    run = _Run(payload, job)
    outcomes = [await run.topic(number) for number in range(1, len(payload.topics) + 1)]
    outcomes = await _second_try(run, outcomes)
    if all(outcome.error for outcome in outcomes):
        raise _nothing(outcomes)
    return {
        "total_topics": sum(outcome.written.items for outcome in outcomes if outcome.written),
        "total_subreddits": len(outcomes),
        "results": [outcome.to_json() for outcome in outcomes],
    }


class _Run:
    """One attempt."""

    def __init__(self, payload: CollectJob, job: JobContext) -> None:
        self._payload = payload
        self.job = job
        self._source: Source = sources(job.settings)[payload.source]
        self._output = Output(job.blobs, job.job)
        self._begun = job.clock.now()
        self._wrote = False

    async def topic(self, number: int) -> TopicResult:
        """Collect the topic of this number, unless an earlier attempt did."""
        topic = self._payload.topics[number - 1]
        await self.job.progress(f"processing {self._source.label(topic)}", number, len(self._payload.topics))
        name = f"{number} {self._source.slug(topic)[:80]}"
        try:
            return TopicResult(topic, await self.job.step(name, partial(self._collect, topic), into=Written))
        except (FetchError, ContentRefusedError) as error:
            self.job.log.warning("topic not collected, %s:", error.reason)
            return TopicResult(topic, error=error)

    async def _collect(self, topic: str) -> Written:
        if self.late:
            raise self._out_of_time()
        async with respecting(self.job.documents, self.job.clock, self._source.host(topic)):
            harvest = await self._source.collect(topic, self._payload.sort, self._payload.limit)
        await self.job.checkpoint()
        slug = self._source.slug(topic)
        written = await self._output.write(self._payload.source, slug, topic, harvest, self._payload.limit)
        self._wrote = True
        return written

    @property
    def late(self) -> bool:
        """Whether the attempt has used up its time."""
        return (self.job.clock.now() - self._begun).total_seconds() > _BUDGET

    def _out_of_time(self) -> FetchUnavailableError:
        """The topic's error; but an attempt that got on leaves the rest to another one, which goes on from there."""
        if self._wrote and not self.job.last_attempt:
            raise RetryLater(1, "there are more topics than one attempt has time for")
        return FetchUnavailableError("the job ran out of time before this topic")


async def _second_try(run: _Run, outcomes: list[TopicResult]) -> list[TopicResult]:
    """Ask once more for what was unavailable, while the rest went well and the wait is short."""
    waiting = [outcome for outcome in outcomes if outcome.transient]
    pause = max((_PAUSE, *(outcome.wait for outcome in waiting)))
    if not waiting or run.late or pause > _PATIENCE or all(outcome.error for outcome in outcomes):
        return outcomes
    await run.job.clock.sleep(pause)
    return [await run.topic(n) if each.transient else each for n, each in enumerate(outcomes, 1)]


def _nothing(outcomes: Sequence[TopicResult]) -> Exception:
    """What a job ends with that collected nothing: another attempt helps where one topic was just unavailable."""
    why = "; ".join(f"{outcome.topic}: {_why(outcome)}" for outcome in outcomes)[:2000]
    if not any(outcome.transient for outcome in outcomes):
        return FinalError(why)
    wait = max(outcome.wait for outcome in outcomes)
    return RetryLater(wait, why) if wait else TopicsUnavailableError(why)


def _why(outcome: TopicResult) -> str:
    return f"{outcome.error.reason}: {outcome.error}" if outcome.error else ""
