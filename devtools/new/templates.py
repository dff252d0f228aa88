"""What new files begin as: small, of use as they stand, and under every check. `$name` is filled in (`string.Template`)."""

FUTURE = "from __future__ import annotations\n"

KIND = '''

class $Kind(BaseModel):
    """The payload of `$kind_words`."""

    model_config = ConfigDict(extra="forbid")

    text: str


@job("$kind_words", max_attempts=3, timeout_seconds=60)
async def $kind(payload: $Kind, job: JobContext) -> dict[str, str]:
    """Do the work. Safe to run twice."""
    await job.progress("working", 0, 1)
    return {"text": payload.text}
'''
KIND_IMPORTS = ("pydantic:BaseModel", "pydantic:ConfigDict", "shared.jobs:JobContext", "shared.jobs:job")

KIND_TEST = '''"""What becomes of a job of the kind `$kind_words`."""

from __future__ import annotations

from shared.domains.$domain.kinds import $Kind, $kind
from shared.jobs.testing import MemoryApp, crash_sweep, handling


async def test_it_is_done() -> None:
    job = await MemoryApp($kind).perform($kind, $Kind(text="hello"))
    assert (job.status, job.results) == ("completed", {"text": "hello"})


async def test_no_crash_changes_what_becomes_of_it() -> None:
    report = await crash_sweep(handling($kind, $Kind(text="hello")))
    report.check()
'''

TIMED_KIND = '''

class $Kind(BaseModel):
    """The payload of `$kind_words`: the moment that it is for."""

    model_config = ConfigDict(extra="forbid")

    scheduled_at: AwareDatetime


@job("$kind_words", max_attempts=3, timeout_seconds=60)
async def $kind(payload: $Kind, job: JobContext) -> dict[str, str]:
    """Do what is due at the moment. Safe to run twice."""
    await job.progress("working", 0, 1)
    return {"scheduled_at": payload.scheduled_at.isoformat()}
'''
TIMED_KIND_IMPORTS = (
    "pydantic:AwareDatetime", "pydantic:BaseModel", "pydantic:ConfigDict", "shared.jobs:JobContext", "shared.jobs:job",
)  # fmt: skip

TIMER = """
$KIND = Timer(
    "$Kind",
    schedule=lambda settings: settings.of($Section).${kind}_schedule,
    kind="$kind_words",
    missed=Missed.ONCE,
    meaning="Has `$kind_words` done.",
)
"""
TIMER_IMPORTS = ("shared.domains.$domain.settings:$Section", "shared.jobs:Missed", "shared.jobs:Timer")

SCHEDULE = '    ${kind}_schedule: str = schedule("${KIND}_SCHEDULE", "0 0 4 * * *", "When `$kind_words` is done.")\n'
SCHEDULE_IMPORTS = ("shared.settings.spec:schedule",)

SECTION = '''

@dataclass(frozen=True, eq=False, repr=False)
class $Section(Section):
    """Settings of $domain_words."""

'''
SECTION_IMPORTS = ("dataclasses:dataclass", "shared.settings.spec:Section")

TIMER_TEST = '''"""What the timer `$Kind` has done, and when."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.declarations import settings_of
from shared.domains.$domain.kinds import $Kind, $kind
from shared.domains.$domain.timers import $KIND
from shared.jobs.testing import MemoryApp, crash_sweep, handling
from shared.jobs.timers.schedule import Schedule

DUE = datetime(2026, 3, 16, 4, tzinfo=UTC)


def test_it_is_due_when_it_should_be() -> None:
    assert Schedule($KIND.schedule(settings_of({}))).after(datetime(2026, 3, 16, tzinfo=UTC)) == DUE


async def test_an_occurrence_is_done() -> None:
    payload = $Kind.model_validate($KIND.payload(DUE))
    job = await MemoryApp($kind).perform($kind, payload)
    assert (job.status, job.results) == ("completed", {"scheduled_at": DUE.isoformat()})


async def test_no_crash_changes_what_becomes_of_it() -> None:
    report = await crash_sweep(handling($kind, $Kind(scheduled_at=DUE)))
    report.check()
'''

DOMAIN = {
    "shared/domains/$domain/__init__.py": '"""$Domain_words."""\n',
    "shared/domains/$domain/settings.py": '''"""Settings of $domain_words."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, whole


@dataclass(frozen=True, eq=False, repr=False)
class $Section(Section):
    """Settings of $domain_words."""

    longest: int = whole("${DOMAIN}_LONGEST", 1000, 1, 100_000, "characters", "How long the text of an entry may be.")
''',
    "shared/domains/$domain/containers.py": '''"""What $domain_words are kept in."""

from __future__ import annotations

from shared.containers import Container

ENTRIES = Container("$domain_name", "Entries of $domain_words. `pk` = the entry's id: one document per partition.")
''',
    "shared/domains/$domain/kinds.py": '''"""The jobs of $domain_words."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from shared.domains.$domain.containers import ENTRIES
from shared.domains.$domain.settings import $Section
from shared.jobs import FinalError, JobContext, job
from shared.ports import AlreadyExistsError
from shared.web.requests import ID_PATTERN


class Entry(BaseModel):
    """The payload of an entry."""

    model_config = ConfigDict(extra="forbid")

    entry_id: str = Field(pattern=f"^{ID_PATTERN}$$")
    text: str


@job("$domain_name-entry", max_attempts=3, timeout_seconds=60, public=True)
async def add_entry(payload: Entry, job: JobContext) -> dict[str, str]:
    """Keep an entry, the first of its id. Safe to run twice."""
    longest = job.settings.of($Section).longest
    if len(payload.text) > longest:
        raise FinalError(f"longer than {longest} characters")
    document = {"id": payload.entry_id, "pk": payload.entry_id, "text": payload.text}
    try:
        await job.documents.create(ENTRIES, document)
    except AlreadyExistsError:
        job.log.info("kept already:")
    return {"entry_id": payload.entry_id}
''',
    "shared/domains/$domain/api.py": '''"""$Domain_words over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domains.$domain.containers import ENTRIES
from shared.web.answers import Answer, Problem, json_answer
from shared.web.parameters import ID
from shared.web.requests import read_id
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import READ

if TYPE_CHECKING:
    from shared.app import App

api = Api(__name__, "$domain_name", Parameter("entry_id", "path", ID, "The entry's id."))


@api.route("Get${Domain}Entry", "GET $domain_name/{entry_id}", READ, {200: "views:EntryView"}, (404, 422))
async def get_entry(app: App, call: Call) -> Answer:
    """An entry of $domain_words."""
    entry_id = read_id(call.path["entry_id"], "entry_id")
    found = await app.documents.read(ENTRIES, entry_id, entry_id)
    if found is None:
        raise Problem(404, "Not found", "there is no such entry")
    return json_answer({"entry_id": entry_id, "text": found.value["text"]})
''',
    "shared/domains/$domain/views.py": '''"""$Domain_words as clients see them."""

from __future__ import annotations

from typing_extensions import TypedDict


class EntryView(TypedDict):
    """An entry."""

    entry_id: str
    text: str
''',
    "blueprints/$domain.py": '''"""$Domain_words: their routes."""

import azure.functions as func

from blueprints import http
from shared.domains.$domain.api import api

bp = func.Blueprint()
http.serve(bp, api)
''',
    "tests/unit/domains/$domain/test_add_entry.py": '''"""What becomes of entries of $domain_words."""

from __future__ import annotations

from typing import Any

from shared.declarations import settings_of
from shared.domains.$domain.containers import ENTRIES
from shared.domains.$domain.kinds import Entry, add_entry
from shared.jobs.testing import MemoryApp, crash_sweep, handling

ENTRY = Entry(entry_id="e1", text="hello")


def kit(longest: int = 1000) -> MemoryApp:
    return MemoryApp(add_entry, settings=settings_of({"${DOMAIN}_LONGEST": str(longest)}))


async def stored(app: MemoryApp) -> Any:
    found = await app.documents.read(ENTRIES, "e1", "e1")
    return found and found.value["text"]


async def test_an_entry_is_kept() -> None:
    app = kit()
    job = await app.perform(add_entry, ENTRY)
    assert (job.status, job.results) == ("completed", {"entry_id": "e1"})
    assert await stored(app) == "hello"


async def test_one_that_is_too_long_is_refused() -> None:
    job = await kit(longest=4).perform(add_entry, ENTRY)
    assert (job.status, job.attempt) == ("failed", 1)


async def test_no_crash_changes_what_becomes_of_it() -> None:
    report = await crash_sweep(handling(add_entry, ENTRY, settings=settings_of({}), outcome=stored))
    report.check()
''',
}
