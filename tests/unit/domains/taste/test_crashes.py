"""The analysis of feedback is safe to run twice: whatever breaks where, the profile is that of an undisturbed run."""

from __future__ import annotations

import pytest

from shared.declarations import settings_of
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.kinds import analyse_feedback
from shared.domains.taste.profile import Profile
from shared.domains.taste.store import TasteStore
from shared.jobs.testing import MemoryApp, crash_sweep, handling

FEEDBACK = {"user_id": "u", "item_id": "i", "occurred_at": "2026-01-01T00:00:00Z", "item": {"title": "Silk gown"}}


async def profile(app: MemoryApp) -> Profile:
    return await TasteStore(app.documents, app.clock).read("u")


@pytest.mark.parametrize("signal", ["up", "down"])
async def test_no_crash_changes_the_profile(signal: str) -> None:
    payload = TasteJob.model_validate(FEEDBACK | {"signal": signal})
    report = await crash_sweep(handling(analyse_feedback, payload, settings=settings_of({}), outcome=profile))
    report.check()
    assert report.plays >= 4 * report.calls >= 24


async def test_it_costs_few_storage_calls() -> None:
    app = MemoryApp(analyse_feedback, settings=settings_of({}))
    job = await app.perform(analyse_feedback, TasteJob.model_validate(FEEDBACK | {"signal": "up"}))
    assert job.status == "completed"
    assert app.calls(job) <= 12
