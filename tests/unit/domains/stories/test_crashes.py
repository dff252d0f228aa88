"""Adventures of three decisions, each with one storage call that fails, or that its process dies at.

A play is a reader who begins an adventure and decides three times; who sends again what got no answer, and looks now and then.
Whatever call is struck: each decision has one entry, all are complete, and no step that was kept is run again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from shared.domains.stories import services
from shared.domains.stories.generation.grammar_generator import GrammarGenerator
from shared.domains.stories.languages import Language
from shared.domains.stories.pipeline import Pipeline
from shared.domains.stories.ports import Brief, Draft, Mark, ServiceError, Spoken
from shared.jobs.kept import KeptStore, State, step_blob
from shared.jobs.testing import Died, Faults, Mode
from shared.ports import StorageError
from shared.web.answers import Problem
from support.stories import StoryApp

T = TypeVar("T")
MODES = (Mode.DIE_BEFORE, Mode.DIE_AFTER, Mode.FAIL_BEFORE, Mode.FAIL_AFTER)
DECISIONS = 3


class Watched:
    """What the steps of a play were asked to do, and when."""

    def __init__(self, app: StoryApp, failures: int) -> None:
        self.app = app
        self.failures = failures
        """How often the generator fails for each entry before it writes."""
        self.failed_at: dict[str, list[float]] = defaultdict(list)
        self.again: list[str] = []
        """Steps that were run although they were kept."""
        self.runs: Counter[str] = Counter()

    async def looks(self, pipeline: Pipeline, step: str) -> None:
        job = pipeline._job.job
        kept = await KeptStore(self.app.blobs, self.app.clock).read(step_blob(job, step))
        if kept and kept.value.state is State.DONE:
            self.again.append(f"{step} of {job.job_id}")
        self.runs[f"{step} {job.job_id}"] += 1


class Writer(GrammarGenerator):
    """The grammar, which fails for each entry as often as the play wants."""

    def __init__(self, watched: Watched) -> None:
        self.watched = watched

    async def generate(self, brief: Brief) -> Draft:
        failed = self.watched.failed_at[brief.seed]
        failed.append(self.watched.app.clock.now().timestamp())
        if len(failed) <= self.watched.failures:
            raise ServiceError("the model answered 529")
        return await super().generate(brief)


class Quick:
    """A voice that takes no time."""

    name = "quick"

    async def speak(self, sentences: Sequence[str], language: Language) -> Spoken:
        marks = tuple(Mark(start=number, end=number + 1, sentence=number) for number in range(len(sentences)))
        return Spoken(data=b"...", media_type="audio/wav", seconds=len(sentences), marks=marks, voice=language)


def watch(monkeypatch: pytest.MonkeyPatch, current: list[Watched]) -> None:
    """Have the last of `current` see each step that is run, once for the test."""
    for step in ("generate", "translate", "speak"):
        original = getattr(Pipeline, f"_{step}")

        async def seen(self: Pipeline, *args: Any, step: str = step, original: Any = original) -> Any:
            await current[-1].looks(self, step)
            return await original(self, *args)

        monkeypatch.setattr(Pipeline, f"_{step}", seen)
    monkeypatch.setattr(services, "generator", lambda _: Writer(current[-1]))
    monkeypatch.setattr(services, "speech", lambda _: Quick())


async def play(watched: Watched, faults: Faults) -> list[str]:
    """Read an adventure to its end; returns its entries' texts."""
    app = watched.app
    await app.with_user()
    app.restart(faults)
    begun = await insist(app, lambda: app.begin({"idempotency-key": "k"}, length=DECISIONS + 1))
    path = [begun["entries"][0]["entry_id"]]
    texts = []
    for decision in range(DECISIONS + 1):
        entry = await complete(app, begun["id"], path[-1])
        texts.append(" ".join(each["text"] for paragraph in entry["paragraphs"] for each in paragraph))
        if decision < DECISIONS:
            following = await insist(app, partial(app.decide, begun["id"], entry["id"], decision % 2))
            path.append(following["id"])
    app.restart()
    await app.recover()
    adventure = await app.adventure(begun["id"])
    assert adventure["status"] == "finished"
    assert [each["entry_id"] for each in adventure["entries"]] == path
    return texts


async def insist(app: StoryApp, send: Callable[[], Awaitable[T]]) -> T:
    """Send a request again until it is answered; a process that died is started anew."""
    for _ in range(3):
        try:
            return await send()
        except StorageError:
            continue
        except Died:
            app.restart()
    raise AssertionError("the request is never answered")


async def complete(app: StoryApp, adventure_id: str, entry_id: str) -> dict[str, Any]:
    """Look at an entry, now and then, until it is complete."""
    for _ in range(12):
        try:
            with suppress(Problem):
                entry = await app.entry(adventure_id, entry_id)
                assert entry["status"] != "error", entry
                if entry["status"] == "complete":
                    return entry
            await app.recover()
        except StorageError:
            continue
        except Died:
            app.restart()
    raise AssertionError("the entry is never complete")


async def sweep(monkeypatch: pytest.MonkeyPatch, every: int, failures: int, modes: Sequence[Mode]) -> int:
    """Play with each call struck in each way; returns how many adventures were played."""
    current: list[Watched] = []
    watch(monkeypatch, current)
    current.append(Watched(StoryApp(), failures))
    undisturbed = Faults()
    expected = await play(current[-1], undisturbed)
    played = 1
    for mode in modes:
        for at in range(1, len(undisturbed.calls) + 1, every):
            current[:] = [Watched(StoryApp(), failures)]
            faults = Faults(at, mode)
            texts = await play(current[-1], faults)
            played += 1
            where = f"call {at}, {faults.struck}, {mode}"
            assert len(texts) == len(expected) == DECISIONS + 1, where
            assert current[-1].again == [], where
            assert sum(current[-1].runs.values()) <= 3 * (DECISIONS + 1) + failures * (DECISIONS + 1) + 2, where
            for tries in current[-1].failed_at.values():
                waits = [after - before for before, after in pairwise(tries)]
                assert all(wait >= least for wait, least in zip(waits, (30, 60), strict=False)), where
    return played


async def test_no_crash_loses_or_doubles_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await sweep(monkeypatch, 31, 0, MODES[:2]) > 10


async def test_no_crash_shortens_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await sweep(monkeypatch, 53, 2, MODES[1:3]) > 6


@pytest.mark.slow
@pytest.mark.faults
@pytest.mark.parametrize("failures", [0, 1, 2])
async def test_a_thousand_adventures(monkeypatch: pytest.MonkeyPatch, failures: int) -> None:
    played = await sweep(monkeypatch, 1, failures, MODES)
    print(f"{played} adventures of {DECISIONS} decisions")
    assert played > 350
