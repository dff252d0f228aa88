"""Scenarios of the scraper for the crash sweep: nothing that a source shows is lost, and nothing is there twice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.containers import LOCKS
from shared.domains.items.model import Item
from shared.domains.items.store import ItemStore
from shared.domains.sources.model import RunOutcome, Source, SourceKind, source_id
from shared.domains.sources.reading import reader
from shared.domains.sources.store import SourceStore
from shared.fetch import Fetched, NotModified, Request, StatusRefusedError, Validators
from shared.jobs.locks import LockedError, Locks
from shared.jobs.model import Status
from support.scenarios import Scenario, Trial
from support.scraping import feed


class Web:
    """Serves feeds in place of the fetcher, and answers 304 as they do."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}

    async def fetch(self, request: Request, *, robots: bool = True) -> Fetched | NotModified:
        del robots
        body = self.pages.get(request.url)
        if body is None:
            raise StatusRefusedError("the server answered 404", 404)
        etag = str(hash(body))
        if request.validators.etag == etag:
            return NotModified(request.url)
        return Fetched(body.encode(), "application/rss+xml", request.url, validators=Validators(etag))


def _web(trial: Trial) -> Web:
    """What the app of this trial reads instead of the network."""
    mine: Any = reader(trial.lab.settings)
    if not isinstance(mine._fetcher, Web):
        mine._fetcher = Web()
    web: Web = mine._fetcher
    return web


def _url(trial: Trial, number: int = 0) -> str:
    return f"https://feeds.example/{trial.key}/{number}"


def _id(trial: Trial, number: int = 0) -> str:
    return source_id(SourceKind.RSS, _url(trial, number))


def _feed(trial: Trial, *titles: tuple[str, str], number: int = 0) -> None:
    link = f"https://shop.example/{trial.key}/{number}/{{}}"
    _web(trial).pages[_url(trial, number)] = feed(*titles, link=link)


async def _source(trial: Trial, number: int = 0) -> None:
    """A source of this trial, in an app whose settings are its own."""
    lab = trial.lab
    lab.settings = replace(lab.settings, fetch_contact=trial.key)
    lab.start()
    now = lab.clock.now()
    source = Source(
        id=_id(trial, number), kind=SourceKind.RSS, label="feed", url=_url(trial, number), created_at=now,
        updated_at=now, due_at=now,
    )  # fmt: skip
    await SourceStore(lab.documents).create(source)


async def _submit(trial: Trial, number: int = 0) -> None:
    ticket = await trial.lab.submit("scrape-source", source_id=_id(trial, number), force=True)
    trial.tickets.append(ticket.job.job_id)


async def _fresh(trial: Trial) -> None:
    await _source(trial)
    _feed(trial, ("a", "Linen"), ("b", "Wool"), ("c", "Silk"))
    await _submit(trial)


async def _known(trial: Trial) -> None:
    """Scraped before; since then one entry is new and one has changed."""
    await _fresh(trial)
    await trial.lab.pump()
    trial.lab.clock.advance(90_000)
    _feed(trial, ("d", "Tweed"), ("a", "Linen, washed"), ("b", "Wool"), ("c", "Silk"))
    await _submit(trial)


async def _gone(trial: Trial) -> None:
    await _source(trial)
    await _submit(trial)


async def _night(trial: Trial) -> None:
    """A night of one source; those of earlier trials are gone. How many there are is the affair of fan-out."""
    sources = SourceStore(trial.lab.documents)
    for old in (await sources.page(1000))[0]:
        await sources.delete(old.id)
    await _source(trial, 1)
    _feed(trial, ("a", "Linen"), number=1)
    ticket = await trial.lab.submit("scrape-sources")
    trial.tickets.append(ticket.job.job_id)


async def _run(trial: Trial) -> None:
    await trial.lab.pump()


async def _items(trial: Trial, number: int = 0) -> list[Item]:
    store = ItemStore(trial.lab.documents, trial.lab.clock)
    return [item async for item in store.recent(source_id=_id(trial, number))]


async def _is(trial: Trial, versions: dict[str, int], number: int = 0) -> None:
    """These titles are there, each once and so often written; and another run finds nothing to do."""
    for job_id in trial.tickets:
        await trial.lab.settled(job_id, Status.COMPLETED)
    assert {item.title: item.version for item in await _items(trial, number)} == versions
    assert len(await _items(trial, number)) == len(versions)
    await _submit(trial, number)
    await trial.lab.recover()
    job = await trial.lab.settled(trial.tickets.pop(), Status.COMPLETED)
    results: Any = job.results
    assert (results["new"], results["changed"], results["left"]) == (0, 0, 0)
    current = await SourceStore(trial.lab.documents).get(_id(trial, number))
    assert current is not None
    assert (current.value.failures, current.value.last_run and current.value.last_run.job_id) == (0, job.job_id)


async def _all_new(trial: Trial) -> None:
    await _is(trial, {"Linen": 1, "Wool": 1, "Silk": 1})


async def _one_changed(trial: Trial) -> None:
    await _is(trial, {"Linen, washed": 2, "Wool": 1, "Silk": 1, "Tweed": 1})


async def _all_of_the_night(trial: Trial) -> None:
    await _is(trial, {"Linen": 1}, 1)


async def _failed_once(trial: Trial) -> None:
    """A run that was recorded before its job had ended is not recorded again."""
    await trial.lab.settled(trial.ticket, Status.COMPLETED)
    current = await SourceStore(trial.lab.documents).get(_id(trial))
    assert current is not None
    assert current.value.last_run is not None
    assert (current.value.failures, current.value.last_run.outcome) == (1, RunOutcome.FAILED)


async def _hold(trial: Trial) -> None:
    """Acquire, renew and release; and again."""
    locks = Locks(trial.lab.app.documents, trial.lab.clock)
    for _ in range(2):
        lock = await locks.acquire(trial.key, 60)
        trial.lab.clock.advance(30)
        await locks.renew(lock, 60)
        assert await locks.release(lock)


async def _to_be_had(trial: Trial) -> None:
    """Nobody holds it for longer than a lease, and no fence comes twice."""
    locks = Locks(trial.lab.documents, trial.lab.clock)
    stored = await trial.lab.documents.read(LOCKS, trial.key, trial.key)
    before = stored[0]["fence"] if stored else 0
    try:
        lock = await locks.acquire(trial.key, 60)
    except LockedError as error:
        trial.lab.clock.advance(error.seconds)
        lock = await locks.acquire(trial.key, 60)
    assert lock.fence == before + 1


SCENARIOS = (
    Scenario("scrape a source", _run, _all_new, arrange=_fresh),
    Scenario("scrape what has changed", _run, _one_changed, arrange=_known),
    Scenario("scrape what cannot be had", _run, _failed_once, arrange=_gone),
    Scenario("scrape every source", _run, _all_of_the_night, arrange=_night),
    Scenario("hold a lock", _hold, _to_be_had),
)
