"""Effects: what a handler does to the outside world, and must not do twice.

An effect has three outcomes: done, not done, unknown. That it is about to be done is written before, and how it ended after. An
attempt that finds the first and not the second (the worker died between, or the call was lost) does not guess: it asks the
outside (`resolve`); where there is nobody to ask, or who is asked does not know, the job is parked in the vault with the
question, for an operator to answer in the replay.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.jobs.errors import NotDoneError, UncertainError
from shared.jobs.kept import Kept, KeptStore, State, effect_blob
from shared.jobs.model import Job
from shared.jobs.steps import Attempt, Steps, Work, called
from shared.jobs.storable import storable
from shared.ports import Clock
from shared.storage import Versioned


@dataclass(frozen=True, slots=True)
class Done:
    """It was done, and this came of it."""

    result: Any = None


@dataclass(frozen=True, slots=True)
class NotDone:
    """It was not done: it can be done now."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell."""

    why: str = ""


Resolution = Done | NotDone | Unknown
Resolve = Callable[[], Awaitable[Resolution] | Resolution]


class Answer(BaseModel):
    """How an effect ended, as an operator says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outcome: Literal["done", "not_done"]
    result: JsonValue = None
    """What came of it, where it was done: what the handler is given."""


class Answers:
    """Writes down what operators say of effects."""

    def __init__(self, store: KeptStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def unasked(self, job_id: str, names: Iterable[str]) -> list[str]:
        """Those of these effects whose outcome is no question: they were never begun, or it is known, and not as an answer."""
        return [name for name in names if not _asked(await self._store.read(effect_blob(job_id, name)))]

    async def give(self, job: Job, answers: Mapping[str, Answer], by: str) -> None:
        """Write down the outcome of effects; what an attempt has found out meanwhile stands."""
        for name, answer in answers.items():
            begun = await self._store.read(effect_blob(job.job_id, name))
            if begun and begun.value.state is State.BEGUN:
                kept = Kept(
                    name=name, state=State(answer.outcome), at=self._clock.now(), attempt=begun.value.attempt, by=by,
                    result=answer.result if answer.outcome == "done" else None,
                )  # fmt: skip
                await self._store.put(effect_blob(job.job_id, name), kept, begun)


def _asked(found: Versioned[Kept] | None) -> bool:
    """Whether an answer makes sense; also where one was given, by a replay that came no further."""
    return found is not None and (found.value.state is State.BEGUN or found.value.by is not None)


class Effects:
    """The effects of one attempt."""

    def __init__(self, attempt: Attempt, store: KeptStore, steps: Steps) -> None:
        self._attempt = attempt
        self._store = store
        self._steps = steps

    async def result(self, name: str, do: Work, resolve: Resolve | None) -> JsonValue:
        """What came of an effect, which is done now unless it was done before."""
        blob_name = effect_blob(self._attempt.job.job_id, name)
        with self._steps.at(name):
            before = await self._steps.known(blob_name)
            while True:
                if before and before.value.state is State.DONE:
                    return before.value.result
                if before and before.value.state is State.BEGUN:
                    before = await self._resolved(name, before, resolve)
                    continue
                await self._attempt.checked()
                before, mine = await self._store.put(blob_name, self._kept(name, State.BEGUN), before)
                if mine:
                    return await self._do(name, do, before)

    async def _do(self, name: str, do: Work, begun: Versioned[Kept]) -> JsonValue:
        try:
            result = await called(name, do)
        except NotDoneError:
            await self._store.put(effect_blob(self._attempt.job.job_id, name), self._kept(name, State.NOT_DONE), begun)
            raise
        return (await self._done(name, result, begun)).value.result

    async def _done(self, name: str, result: Any, before: Versioned[Kept]) -> Versioned[Kept]:
        """Write that it was done: true whatever else was written meanwhile."""
        kept = self._kept(name, State.DONE).model_copy(
            update={"result": storable(result, f"the result of effect {name!r}")}
        )
        while True:
            before, mine = await self._store.put(effect_blob(self._attempt.job.job_id, name), kept, before)
            if mine or before.value.state is State.DONE:
                return before

    async def _resolved(self, name: str, begun: Versioned[Kept], resolve: Resolve | None) -> Versioned[Kept]:
        """Ask how it ended, and write the answer down."""
        answer = await called(name, resolve) if resolve else Unknown()
        self._attempt.log.info("effect begun by attempt %d, asked: effect=%s", begun.value.attempt, name)
        match answer:
            case Done(result):
                return await self._done(name, result, begun)
            case NotDone():
                kept = self._kept(name, State.NOT_DONE)
                return (await self._store.put(effect_blob(self._attempt.job.job_id, name), kept, begun))[0]
            case Unknown(why):
                raise UncertainError(question(begun.value, why))
            case _:
                raise TypeError(f"resolve of effect {name!r} returned {type(answer).__name__}")

    def _kept(self, name: str, state: State) -> Kept:
        return Kept(name=name, state=state, at=self._attempt.clock.now(), attempt=self._attempt.fence)


def question(begun: Kept, why: str = "") -> str:
    """What is asked of an operator."""
    said = f" ({why})" if why else ""
    return (
        f"was the effect '{begun.name}' done? Attempt {begun.attempt} began it at {begun.at:%Y-%m-%dT%H:%M:%SZ}, and nothing "
        f"says how that ended{said}. Replay with the answer: done, or not_done"
    )
