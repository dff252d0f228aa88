"""A thousand mutated feeds, pages, maps and listings beside a loop that ticks; ten minutes of them by `python -m bench.fuzz`."""

from __future__ import annotations

import random

from bench import default_data, fuzz
from shared.sandbox.pool import Sandbox

INPUTS = 1000


async def test_a_thousand_inputs_stop_nothing_and_each_refusal_says_why(box: Sandbox) -> None:
    """Where the folder of real input is missing, documents of our own are mutated only."""
    dice = random.Random(2026)
    tally = await fuzz.fuzz(box, fuzz.seeds(default_data()), dice, lambda number: number >= INPUTS)
    assert tally.failures == []
    assert tally.inputs == INPUTS
    assert tally.latest < fuzz.LATEST
    assert tally.largest_child < 512 * 2**20
    assert all(tally.refused), "a refusal without a reason"
    assert tally.read > INPUTS / 4
