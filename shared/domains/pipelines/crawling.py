"""Looking for content: one crawl of one vault is a job, which submits the next one.

A crawl asks the input executor of the vault's pipeline for everything that is there, and begins an execution for what is new. New is what
the checkpoint does not know, and what no execution was ever begun for: the checkpoint saves work, and the executions, each under an id derived
from vault and version of the content, are what keeps an item from being taken twice. The checkpoint is written after they were begun, so
that a crash, or a storage that fails, loses nothing; and under the fence of a lock, so that a crawl that was overtaken writes none.

What becomes visible late (a blob's time is that of its upload's beginning), or carries the same second as the last one seen, is found
within `CRAWL_OVERLAP_SECONDS` before the position, where what was seen is kept one by one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.definition import Definition, Node
from shared.domains.pipelines.environment import resolved
from shared.domains.pipelines.executing import Found
from shared.domains.pipelines.executions import Begin, Executions, Submit, submit_of
from shared.domains.pipelines.inline import bound
from shared.domains.pipelines.payloads import CRAWL, Crawl
from shared.domains.pipelines.running import condition_of, words_of
from shared.domains.pipelines.settings import PipelineSettings
from shared.domains.pipelines.stepping import run_of
from shared.domains.pipelines.store import PipelineStore, StoredPipeline
from shared.domains.pipelines.vaults import Checkpoint, Vault, VaultStore
from shared.jobs import (
    FencedError,
    FinalError,
    JobCancelledError,
    JobContext,
    LockedError,
    Locks,
    LostLockError,
    Snooze,
    SupersededError,
)
from shared.jobs.concurrently import run_all
from shared.jobs.ids import derived_id
from shared.ports import PreconditionError, StorageError
from shared.settings import Settings
from shared.storage import Versioned

_AT_ONCE = 16
"""Executions that are begun at the same time."""
_PATIENCE = timedelta(minutes=2)
"""How late a crawl may be until it is asked what became of it."""
_MOST_SEEN = 50_000
"""Items that a checkpoint knows one by one; the executions know the others."""


@dataclass(frozen=True)
class Source:
    """What a vault looks at: the first executor of its pipeline, with the vault's settings for it."""

    node: Node
    settings: Any
    """The executor's settings, as its model."""
    interval: timedelta
    digest: str
    """Another one for other settings; how often it is looked at is none of them."""


def source_of(node: Node, vault: Vault, settings: Settings) -> Source:
    """The source of a vault.

    Raises:
        FinalError: its settings do not fit.
    """
    executor = executors()[node.type]
    given = {**node.settings, **vault.input}
    try:
        model = executor.settings.model_validate(resolved(given))
    except ValidationError as error:
        wrong = ", ".join(
            ".".join(map(str, each["loc"])) for each in error.errors(include_url=False, include_input=False)
        )
        raise FinalError(f"the settings of the input do not fit: {wrong}") from None
    seconds = model.polling_interval_seconds or settings.of(PipelineSettings).polling_seconds
    telling = {name: value for name, value in given.items() if name not in ("polling_interval_seconds", "max_results")}
    digest = hashlib.sha256(json.dumps([node.type, telling], sort_keys=True, default=str).encode()).hexdigest()[:16]
    return Source(node, model, timedelta(seconds=seconds), digest)


async def crawl(payload: Crawl, job: JobContext) -> dict[str, Any]:
    """Look for new content of a vault once, and have the next crawl come.

    Returns:
        What became of it: `outcome` (`crawled`, `failed`, `over`), `found`, `new`.
    """
    vaults = VaultStore(job.documents, job.settings)
    current = await vaults.get(payload.vault_id)
    if current is None or not current.value.enabled or current.value.generation != payload.generation:
        return {"outcome": "over", "why": "the vault was changed, switched off or deleted"}
    vault = current.value
    pipeline = await PipelineStore(job.documents, job.settings).get(vault.pipeline_id)
    if pipeline is None or not pipeline.value.enabled or pipeline.value.input_executor is None:
        return {"outcome": "over", "why": "its pipeline is gone or switched off, or has no input executor"}
    own = job.settings.of(PipelineSettings)
    try:
        async with Locks(job.documents, job.clock, own.locks).hold(vault.id, own.lock_seconds, job.job_id) as lock:
            return await _Crawl(vaults, vault, pipeline.value, payload, job).run(lock.fence)
    except LockedError as error:
        raise Snooze(min(error.seconds, own.lock_seconds), "another crawl of the vault is at work") from None
    except (FencedError, LostLockError):
        return {"outcome": "over", "why": "another crawl took over"}


class _Crawl:
    """One crawl."""

    def __init__(
        self, vaults: VaultStore, vault: Vault, pipeline: StoredPipeline, payload: Crawl, job: JobContext
    ) -> None:
        self._vaults = vaults
        self._vault = vault
        self._pipeline = pipeline
        self._payload = payload
        self._job = job
        self._executions = Executions(job.documents, job.blobs, job.settings, submit_of(job))
        self._overlap = timedelta(seconds=job.settings.of(PipelineSettings).overlap_seconds)

    async def run(self, fence: int) -> dict[str, Any]:
        before = await self._vaults.checkpoint(self._vault.id)
        known = before.value if before else Checkpoint()
        mine = (self._payload.generation, self._payload.sequence)
        if (known.generation, known.sequence) == mine:  # an attempt before this one came so far
            await self._next(known.next_at)
            return {"outcome": "crawled", "found": known.found, "new": known.new}
        if (known.generation, known.sequence) > mine:
            return {"outcome": "over", "why": "a later crawl was there"}
        started = self._job.clock.now()
        polling = timedelta(seconds=self._job.settings.of(PipelineSettings).polling_seconds)
        mark: dict[str, Any] = {
            "fence": fence, "generation": self._payload.generation, "sequence": self._payload.sequence,
            "looked_at": started, "next_at": started + polling,
        }  # fmt: skip
        try:
            source, definition = await self._source()
            mark["next_at"] = started + source.interval
            if known.source != source.digest:
                known = known.model_copy(update={"source": source.digest, "position": None, "seen": {}})
            found = await self._look(source, known, definition)
        except (JobCancelledError, SupersededError):
            raise
        except Exception as error:
            if not self._job.last_attempt and not isinstance(error, FinalError):
                raise
            return await self._failed(known, before, mark, error)
        new = [each for each in found if _key(each) not in known.seen]
        taken = new[: source.settings.max_results] if source.settings.max_results else new
        began = await self._begin(taken)
        after = self._after(known, found, new, taken, started)
        await self._move(
            after.model_copy(update={**mark, "found": len(found), "new": began, "error": None, "failures": 0}), before
        )
        await self._next(mark["next_at"])
        return {"outcome": "crawled", "found": len(found), "new": began, "left": len(new) - len(taken)}

    async def _source(self) -> tuple[Source, Definition]:
        store = PipelineStore(self._job.documents, self._job.settings)
        definition = await store.definition(self._pipeline.id, self._pipeline.version, self._pipeline.definition)
        node = definition.pipeline.by_id[str(self._pipeline.input_executor)]
        return source_of(node, self._vault, self._job.settings), definition

    async def _look(self, source: Source, known: Checkpoint, definition: Definition) -> list[Found]:
        """Everything that the source has and that may be new."""
        horizon = known.position - self._overlap if known.position else None
        run = bound(run_of(f"crawl-{self._vault.id}", self._pipeline.name, self._job), definition)
        run = replace(run, executor_id=source.node.id, since=horizon)
        condition = condition_of(source.settings.condition)
        found: list[Found] = []
        if not source.settings.enabled:
            return found
        async for each in _all_of(executors()[source.node.type].run(source.settings, run)):
            old = horizon is not None and each.changed_at is not None and _aware(each.changed_at) < horizon
            if not old and (condition is None or condition.holds(each.content.scope())):
                found.append(each)
        return found

    async def _begin(self, taken: list[Found]) -> int:
        """Begin an execution for each item; how many of them are new."""

        async def one(found: Found) -> bool:
            begin = Begin(
                id=execution_id(self._vault.id, found.content.id.unique_id), pipeline=self._pipeline, items=[found.content],
                vault_id=self._vault.id, left_out=self._pipeline.input_executor,
            )  # fmt: skip
            return (await self._executions.begin(begin, self._job.clock.now()))[1]

        began = 0
        for start in range(0, len(taken), _AT_ONCE):
            batch = taken[start : start + _AT_ONCE]
            began += sum(await run_all([one(each) for each in batch]))
            if start % (_AT_ONCE * 16) == 0:
                await self._job.progress("beginning executions", start, len(taken))
        return began

    def _after(
        self, known: Checkpoint, found: list[Found], new: list[Found], taken: list[Found], now: datetime
    ) -> Checkpoint:
        """The checkpoint after a crawl: not past what is left, nor past the present."""
        left = {id(each) for each in new} - {id(each) for each in taken}
        times = [_aware(each.changed_at) for each in found if each.changed_at and id(each) not in left]
        position = max([*([known.position] if known.position else []), *times], default=None)
        open_times = [_aware(each.changed_at) for each in found if each.changed_at and id(each) in left]
        position = min([each for each in (position, now, *open_times) if each], default=None) if position else None
        horizon = position - self._overlap if position else None
        seen: dict[str, str | None] = {
            key: at for key, at in known.seen.items() if at and horizon and datetime.fromisoformat(at) >= horizon
        }
        for each in found:
            at = _aware(each.changed_at) if each.changed_at else None
            if id(each) not in left and (at is None or horizon is None or at >= horizon):
                seen[_key(each)] = at.isoformat() if at else None
        return known.model_copy(update={"position": position, "seen": dict(list(seen.items())[-_MOST_SEEN:])})

    async def _failed(
        self, known: Checkpoint, before: Versioned[Checkpoint] | None, mark: dict[str, Any], error: Exception
    ) -> dict[str, Any]:
        """The source cannot be looked at: that is written down, and the next crawl tries again. What was seen stays."""
        words = str(error) if isinstance(error, SourceError) else words_of(error)
        self._job.log.warning("crawl failed: vault=%s cause=%s", self._vault.id, type(error).__name__)
        await self._move(known.model_copy(update={**mark, "error": words, "failures": known.failures + 1}), before)
        await self._next(mark["next_at"])
        return {"outcome": "failed", "error": words}

    async def _move(self, checkpoint: Checkpoint, before: Versioned[Checkpoint] | None) -> None:
        try:
            await self._vaults.move(self._vault.id, checkpoint, before)
        except PreconditionError:
            latest = await self._vaults.checkpoint(self._vault.id)
            if latest and latest.value.fence > checkpoint.fence:
                raise FencedError from None
            raise

    async def _next(self, at: datetime | None) -> None:
        await submit(submit_of(self._job), self._vault, self._payload.sequence + 1, at)


class SourceError(Exception):
    """The source does not answer."""


async def _all_of(found: AsyncIterator[Found]) -> AsyncIterator[Found]:
    """What a source has. Where the source is a storage that fails, that is a matter of the source, and not of the app's own storage."""
    try:
        async for each in found:
            yield each
    except StorageError:
        raise SourceError("the source does not answer") from None


def execution_id(vault: str, unique_id: str) -> str:
    """What the execution of a version of content is called in a vault."""
    return f"{vault}.{unique_id}"[:200]


async def submit(take: Submit, vault: Vault, sequence: int, at: datetime | None) -> str:
    """Have a crawl come at a moment, once, and return the id of its job."""
    payload = Crawl(vault_id=vault.id, generation=vault.generation, sequence=sequence)
    job_id = crawl_id(vault, sequence, at)
    await take(CRAWL, payload.model_dump(), job_id=job_id, not_before=at)
    return job_id


def crawl_id(vault: Vault, sequence: int, at: datetime | None) -> str:
    """The id of a crawl's job."""
    return derived_id(at or vault.updated_at, f"crawl\n{vault.id}\n{vault.generation}\n{sequence}")


def _key(found: Found) -> str:
    return found.content.id.unique_id[:20]


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def reschedule(take: Submit, vaults: VaultStore, ids: Iterable[str], now: datetime) -> list[str]:
    """Have vaults looked at now, and from then on by what holds for them now: crawls that were to come end.

    Returns:
        The ids of the crawls' jobs.
    """
    begun = []
    for each in ids:
        vault = await vaults.renew(each, now)
        if vault is not None and vault.enabled:
            before = await vaults.checkpoint(each)
            begun.append(await submit(take, vault, (before.value.sequence if before else 0) + 1, None))
    return begun


async def mend(vaults: VaultStore, job: JobContext) -> dict[str, Any]:
    """Have every vault looked at whose crawls have ended, for whatever reason: a job that was cancelled, or is in the dead letters.

    Returns:
        `vaults` (how many are to be looked at), `mended`.
    """
    now, count, mended = job.clock.now(), 0, []
    async for vault in vaults.every():
        if not vault.enabled:
            continue
        count += 1
        try:
            before = await vaults.checkpoint(vault.id)
        except FinalError as error:
            job.log.warning("vault without crawls: vault=%s cause=%s", vault.id, error)
            continue
        known = before.value if before and before.value.generation == vault.generation else None
        due = (known.next_at if known else None) or vault.updated_at
        if now < due + _PATIENCE:
            continue
        sequence = (before.value.sequence if before else 0) + 1
        waiting = await job.children.deps.status.read(crawl_id(vault, sequence, known.next_at if known else None))
        if waiting is None or waiting.value.status.final:
            mended.append(vault.id)
    await reschedule(submit_of(job), vaults, mended, now)
    return {"vaults": count, "mended": len(mended)}
