"""What it costs to have the dashboard open: storage transactions, counted on the wire."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from shared.api.monitor import get_stats, list_alarms
from shared.api.queues import list_queues
from shared.api.timers import list_timers
from shared.app import App
from shared.bootstrap import build
from shared.declarations import settings_of
from support.azurite import AzuriteProcess
from support.calls import call
from support.node import node

DASHBOARD = Path(__file__).parents[3] / "shared/dashboard"
HOUR = """
import {poll} from '%s';
let now = 0, looks = 0;
globalThis.document = {hidden: false};
globalThis.addEventListener = () => {};
globalThis.setTimeout = (act, pause) => { now += pause; queueMicrotask(act); };
const signal = {get aborted() { return now > 3_600_000; }, addEventListener() {}};
await poll(async () => { looks += 1; return false; }, signal, %s);
console.log(looks);
"""


@pytest.fixture
async def app(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[App]:
    """The whole app, idle, over a storage account of its own."""
    names = {name: f"{unique[:30]}-{n}" for n, name in enumerate(_QUEUES)}
    made = build(
        settings_of(
            {
                "AzureWebJobsStorage": azurite.connection_string,
                "NIGHTSHIFT_STATUS_CONTAINER": unique,
                "NIGHTSHIFT_SQLITE_PATH": str(tmp_path / "documents.db"),
                **names,
            }
        )
    )
    yield made
    await made.close()


_QUEUES = ("JOBS_HIGH_QUEUE_NAME", "JOBS_QUEUE_NAME", "JOBS_LOW_QUEUE_NAME", "TASTE_JOB_QUEUE_NAME", "ADVENTURE_QUEUE")


async def _refresh(app: App) -> Counter[str]:
    """The storage transactions of one look of the overview, by service."""
    before = Counter(app.calls.counts)
    await asyncio.gather(
        list_queues(app, call()), list_alarms(app, call()), get_stats(app, call()), list_timers(app, call())
    )
    spent = Counter(app.calls.counts) - before
    return Counter(name.partition(".")[0] for name in spent.elements())


async def test_an_idle_hour_of_the_overview_costs_fewer_than_2000_storage_transactions(app: App) -> None:
    await _refresh(app)  # what is asked for once in the life of a process
    now = app.clock.now
    app.clock.now = lambda: now() + timedelta(minutes=2)  # type: ignore[method-assign] # what was remembered is forgotten
    spent = await _refresh(app)
    looks = looks_of("overview.js")
    print(f"{dict(spent)} for each of {looks} looks: {spent.total() * looks} an hour, documents included")
    assert spent["queues"] > 0
    assert spent.total() * looks < 2000


@pytest.mark.parametrize("view", ["overview.js", "jobs.js", "letters.js", "timers.js", "sources.js"])
def test_no_view_asks_more_often_than_once_a_minute_where_nothing_changes(view: str) -> None:
    assert looks_of(view) <= 75


async def test_all_who_look_within_seconds_share_one_look_at_the_queues(app: App) -> None:
    await asyncio.gather(*(list_queues(app, call()) for _ in range(20)))
    asked = sum(count for name, count in app.calls.counts.items() if name.startswith("queues."))
    assert asked == 2 * len(_QUEUES)


def looks_of(view: str) -> int:
    """How often a view looks in an hour in which nothing changes: the page's own code, with time that flies."""
    pace = re.search(r"\{(fastest: [\w]+, slowest: [\w]+)\}", (DASHBOARD / view).read_text())
    assert pace
    names = "".join(re.findall(r"^const (?:FASTEST|SLOWEST) = .*$", (DASHBOARD / view).read_text(), re.MULTILINE))
    chosen = f"(() => {{ {names} return {{{pace[1]}}}; }})()"
    script = HOUR % ((DASHBOARD / "poller.js").as_uri(), chosen)
    command = [node(), "--input-type=module", "--eval", script]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
