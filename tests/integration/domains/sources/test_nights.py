"""Whole nights: many sources, sources that fail, and two workers who want the same one."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from shared.containers import LOCKS
from shared.domains.sources import api as over_http
from shared.domains.sources.checkpoint import Checkpoint, Checkpoints
from shared.domains.sources.model import Health, RunOutcome
from shared.domains.sources.run import SourceRun
from shared.domains.sources.store import SourceStore
from shared.fetch import FetchUnavailableError
from shared.jobs.envelope import Delivery
from shared.jobs.locks import FencedError, Locks
from shared.jobs.model import Job
from shared.jobs.testing import Died, Faults, Mode
from support.calls import call
from support.scraping import Night, feed


async def feeds(night: Night, count: int) -> list[str]:
    """So many feeds of two entries each."""
    for number in range(count):
        entries = [(f"{number}-{entry}", f"Title {number} {entry}") for entry in range(2)]
        night.site.serve(f"/feeds/{number}", feed(*entries), kind="application/rss+xml")
    return [await night.add("rss", f"/feeds/{number}") for number in range(count)]


async def patched(night: Night, source_id: str, **changes: Any) -> None:
    answer = await over_http.change_source(night.lab.app, call(json.dumps(changes).encode(), source_id=source_id))
    assert answer.status == 200


async def test_a_night_and_the_same_night_again(night: Night) -> None:
    sources = await feeds(night, 5)
    await patched(night, sources[0], active=False)
    first = await night.all()
    assert (first["children"], first["completed"], first["failed"]) == (4, 4, 0)
    assert (first["tally"]["found"], first["tally"]["new"]) == (8, 8)
    assert first["troubled"] == []
    again = await night.all()
    assert again["children"] == 0
    assert len(await night.items()) == 8


async def test_the_next_night_finds_nothing_new(night: Night) -> None:
    await feeds(night, 3)
    await night.all()
    night.lab.clock.advance(86400 - 30)  # a timer never comes at the very second
    second = await night.all()
    assert (second["children"], second["tally"]["new"], second["tally"]["unchanged"]) == (3, 0, 6)


async def test_a_source_that_fails_rests_is_reported_and_switched_off(night: Night) -> None:
    await feeds(night, 1)
    night.site.serve("/broken", "none", status=404)
    source_id = await night.add("rss", "/broken", poll_interval_seconds=3600)
    for failures in (1, 2, 3):
        results = await night.all()
        (trouble,) = results["troubled"]
        assert (trouble["source_id"], trouble["failures"]) == (source_id, failures)
        assert results["tally"]["failed"] == 1
        assert "404" in trouble["reason"]
        source = await night.source(source_id)
        assert source.health is (Health.SWITCHED_OFF if failures == 3 else Health.FAILING)
        rest = source.due_at - night.lab.clock.now()
        assert rest > timedelta(hours=5 * 2 ** (failures - 1) - 0.1)
        night.lab.clock.advance(7 * 86400)
    assert "3 times in a row" in ((await night.source(source_id)).switched_off_reason or "")
    assert (await night.all())["children"] == 1
    assert night.site.hits.count("/broken") == 3


async def test_an_operator_switches_it_on_again(night: Night) -> None:
    night.site.serve("/broken", "none", status=404)
    source_id = await night.add("rss", "/broken")
    for _ in range(3):
        await night.scrape(source_id)
    assert not (await night.source(source_id)).active
    night.site.serve("/broken", feed(("a", "Linen")), kind="application/rss+xml")
    await patched(night, source_id, active=True)
    source = await night.source(source_id)
    assert (source.health, source.failures, source.switched_off_reason) == (Health.HEALTHY, 0, None)
    assert (await night.all())["tally"]["new"] == 1


async def test_what_may_pass_is_tried_once_more_in_the_same_night(night: Night) -> None:
    night.site.serve("/feed", "busy", status=503, Retry_After="7")
    source_id = await night.add("rss", "/feed")
    ticket = await night.lab.submit("scrape-source", source_id=source_id)
    await night.lab.pump()
    assert (await night.source(source_id)).failures == 0
    night.lab.clock.advance(8)
    job = await night.ended(ticket.job.job_id)
    assert job.attempt == 2
    assert night.results(job)["failed"] == 1
    assert (await night.source(source_id)).failures == 1


async def test_a_night_spares_what_rests_and_a_hand_does_not(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen")), kind="application/rss+xml")
    source_id = await night.add("rss", "/feed")
    await night.scrape(source_id)
    skipped = await night.scrape(source_id, force=False)
    assert (skipped["skipped"], skipped["reason"]) == (1, "the source is not due")
    assert (await night.scrape(source_id, force=True))["skipped"] == 0
    assert (await night.scrape("rss_000000000000"))["reason"] == "the source is gone"


async def process_at_once(night: Night) -> list[str]:
    """Give every message that waits to a worker of its own, all at the same time."""
    queue = night.lab.settings.queue_normal
    messages = await night.lab.storage_queues.receive(queue)
    for message in messages:
        await night.lab.storage_queues.delete(queue, message)
    deliveries = [Delivery(queue, message.message_id, message.text.encode()) for message in messages]
    return list(await asyncio.gather(*map(night.lab.engine.process, deliveries)))


async def test_of_many_workers_at_one_source_one_scrapes(night: Night) -> None:
    under_way, most = 0, 0

    async def handler(_: web.Request) -> web.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.2)
        under_way -= 1
        return web.Response(body=feed(("a", "Linen"), ("b", "Wool")).encode(), content_type="application/rss+xml")

    night.site.handlers["/feed"] = handler
    source_id = await night.add("rss", "/feed")
    tickets = [await night.lab.submit("scrape-source", source_id=source_id, force=True) for _ in range(6)]
    said = await process_at_once(night)
    assert sorted(said) == ["completed", *["snoozed"] * 5]
    jobs = [await night.ended(ticket.job.job_id) for ticket in tickets]
    results = [night.results(job) for job in jobs]
    assert sum(each["new"] for each in results) == 2
    assert most == 1
    assert all(job.failures == 0 for job in jobs)
    assert len(await night.items()) == 2


async def zombie(night: Night, source_id: str) -> SourceRun:
    """A run that has read the source, and then stood still while its lease ended and another run went by."""
    locks, sources = Locks(night.lab.documents, night.lab.clock), SourceStore(night.lab.documents)
    lock = await locks.acquire(f"source:{source_id}", 60)
    current = await sources.get(source_id)
    assert current is not None
    ticket = await night.lab.submit(source_id="x", kind="scrape-source")
    context: Any = _Context(night, (await night.lab.engine.get(ticket.job.job_id)).value)
    run = SourceRun(context, lock, current)
    night.lab.clock.advance(100)
    await night.scrape(source_id)
    return run


class _Context:
    """As much of a job's context as a run needs."""

    def __init__(self, night: Night, job: Job) -> None:
        self.documents, self.clock, self.settings = night.lab.documents, night.lab.clock, night.lab.settings
        self.job_id, self.log = job.job_id, logging.getLogger("zombie")

    async def checkpoint(self) -> None:
        """It goes on."""


async def test_what_a_zombie_writes_late_is_refused(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen")), kind="application/rss+xml")
    source_id = await night.add("rss", "/feed")
    run = await zombie(night, source_id)
    before = await night.source(source_id)
    with pytest.raises(FencedError):
        await run.fail(FetchUnavailableError("late"))
    with pytest.raises(FencedError):
        await Checkpoints(night.lab.documents).write(source_id, Checkpoint({}), fence=1)
    after = await night.source(source_id)
    assert after == before
    assert after.last_run is not None
    assert (after.last_run.outcome, after.fence) == (RunOutcome.SCRAPED, 2)


async def test_a_run_that_was_recorded_is_not_made_again_by_its_job(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen")), kind="application/rss+xml")
    source_id = await night.add("rss", "/feed")
    ticket = await night.lab.submit("scrape-source", source_id=source_id, force=True)
    queue = night.lab.settings.queue_normal
    (message,) = await night.lab.storage_queues.receive(queue)
    delivery = Delivery(queue, message.message_id, message.text.encode())
    # The process dies when it gives the lock back: the run is recorded, the job is not completed.
    faults = Faults(only=f"{LOCKS}.replace".__eq__, mode=Mode.DIE_BEFORE)
    with pytest.raises(Died):
        await night.lab.start(faults).engine.process(delivery)
    night.lab.start()
    night.lab.clock.advance(1000)
    await night.lab.queues.send(queue, message.text)
    job = await night.ended(ticket.job.job_id)
    assert night.results(job)["new"] == 1
    assert night.site.hits == ["/feed"]


async def test_addresses_inside_the_network_are_refused_wherever_they_come_from(night: Night) -> None:
    night.site.serve("/away", status=302, Location="http://10.0.0.1/feed")
    source_id = await night.add("rss", "/away")
    assert (await night.scrape(source_id))["reason"].startswith("not-public")
