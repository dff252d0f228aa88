"""One fault at every storage call of every scenario: whatever breaks where, no job is lost and no outcome told twice.

Each scenario is played once for each of its storage calls and each way in which that call can go wrong, until the fault
is placed behind its last call. In the ordinary run blobs and queues are in memory, which makes thousands of such plays
cheap, and every second call is broken; each one under the marker `slow`, and a third of them over Azurite under `faults`.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from shared.jobs.errors import InvalidTransitionError
from shared.jobs.testing import Died, Faults, Mode, crash_sweep
from shared.ports import StorageError
from support import (
    scenarios,
    scenarios_digest,
    scenarios_fan_out,
    scenarios_ledger,
    scenarios_mood,
    scenarios_retention,
    scenarios_scrape,
    scenarios_steps,
)
from support.lab import Lab, close_lab, open_memory_lab
from support.scenarios import Scenario, Trial

SCENARIOS = (
    *scenarios.SCENARIOS,
    *scenarios_digest.SCENARIOS,
    *scenarios_fan_out.SCENARIOS,
    *scenarios_ledger.SCENARIOS,
    *scenarios_retention.SCENARIOS,
    *scenarios_mood.SCENARIOS,
    *scenarios_scrape.SCENARIOS,
    *scenarios_steps.SCENARIOS,
)
SCENARIO = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name.replace(" ", "_"))
MODE = pytest.mark.parametrize("mode", list(Mode), ids=lambda mode: mode.name.lower())


AGE = 31 * 60.0
"""Seconds that pass before each scenario, and again before anything recovers: nothing may depend on a job being young."""


async def at_rest(lab: Lab, trial: Trial) -> None:
    """Every job has ended, by sweeps alone: each of them finds whatever is overdue."""
    for job_id in dict.fromkeys([*trial.tickets, *(job_id for job_id, _ in lab.runs)]):
        job = await lab.job(job_id)
        assert job.status.final, f"stuck: {job}"
        assert job.watch_at is None, f"not told: {job}"


async def play(lab: Lab, scenario: Scenario, faults: Faults) -> None:
    """Play a scenario with one fault, let everything recover, and check what must be true of every job."""
    lab.afresh()
    trial = Trial(lab)
    if scenario.arrange:
        await scenario.arrange(trial)
    lab.clock.advance(AGE)
    lab.start(faults)
    refused = False
    try:
        await scenario.act(trial)
    except (StorageError, Died):
        refused = True
    finally:
        lab.start()
    await asyncio.sleep(0)
    if scenario.insist and refused:
        with suppress(InvalidTransitionError):
            await scenario.act(trial)
    lab.clock.advance(AGE)
    await lab.recover()
    await at_rest(lab, trial)
    await lab.engine.repair()  # of the index, which nothing waited for
    await lab.recover()
    if not lab.host.gave_up:  # after a long outage the host has: then the job may fail, but may not be lost
        await scenario.expect(trial)
    for job_id in dict.fromkeys([*trial.tickets, *(job_id for job_id, _ in lab.runs)]):
        await lab.settled(job_id)  # also those that were made although no ticket was handed out


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.slow)], ids=["second", "one"])
@SCENARIO
@MODE
async def test_a_fault_at_every_call(tmp_path: Path, scenario: Scenario, mode: Mode, every: int) -> None:
    lab = open_memory_lab("sweep", tmp_path)
    try:
        report = await crash_sweep(partial(play, lab, scenario), [mode], every=every)
    finally:
        await close_lab(lab)
    report.check()
    assert report.plays >= -(-report.calls // every) > 0


@pytest.mark.faults
@SCENARIO
@MODE
async def test_a_fault_at_every_third_call_over_azurite(lab: Lab, scenario: Scenario, mode: Mode) -> None:
    """Each call was broken in memory; that real storage is no different shows in a third of them."""
    (await crash_sweep(partial(play, lab, scenario), [mode], every=3)).check()


def test_the_scenarios_cover_what_the_app_does() -> None:
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS) > 20
