"""A new domain with a kind, a timer, a setting, a container and a route is one folder and one blueprint; nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".*", "node_modules", "__pycache__", "static", "test_new_domain.py")

DOMAIN = {
    "__init__": '"""Greetings."""\n',
    "settings": '''"""Settings of greetings."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, schedule, text


@dataclass(frozen=True)
class GreetingSettings(Section):
    """Settings of greetings."""

    word: str = text("GREETINGS_WORD", "hello", "What is said.")
    greeting_schedule: str = schedule("GREETINGS_SCHEDULE", "0 0 8 * * *", "When everybody is greeted.")
''',
    "containers": '''"""What greetings are kept in."""

from __future__ import annotations

from shared.containers import Container

GREETINGS = Container("greetings", "Who was greeted, and how. `pk` = the name: one small document per partition.")
''',
    "kinds": '''"""The job that greets."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domains.greetings.containers import GREETINGS
from shared.domains.greetings.settings import GreetingSettings
from shared.jobs import JobContext, job


class Greeting(BaseModel):
    """The payload of a greeting."""

    model_config = ConfigDict(extra="forbid")

    name: str = "all"
    scheduled_at: AwareDatetime | None = None


@job("greet", max_attempts=3, public=True)
async def greet(payload: Greeting, job: JobContext) -> dict[str, str]:
    """Greet somebody. Safe to run twice."""
    said = f"{job.settings.of(GreetingSettings).word} {payload.name}"
    document = {"id": payload.name, "pk": payload.name, "said": said, "version": job.fence}
    await job.documents.put_newer(GREETINGS, document)
    return {"said": said}
''',
    "timers": '''"""When everybody is greeted."""

from __future__ import annotations

from shared.domains.greetings.settings import GreetingSettings
from shared.jobs import Missed, Timer

GREET = Timer(
    "GreetEverybody",
    schedule=lambda settings: settings.of(GreetingSettings).greeting_schedule,
    kind="greet",
    missed=Missed.SKIP,
    meaning="Greets everybody.",
)
''',
    "api": '''"""Greetings over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domains.greetings.containers import GREETINGS
from shared.web.answers import Answer, Problem, json_answer
from shared.web.parameters import WORD
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import READ

if TYPE_CHECKING:
    from shared.app import App

api = Api(__name__, "greetings", Parameter("name", "path", WORD, "Who was greeted."))


@api.route("GetGreeting", "GET greetings/{name}", READ, {200: "views:GreetingView"}, (404,))
async def get_greeting(app: App, call: Call) -> Answer:
    """How somebody was greeted."""
    found = await app.documents.read(GREETINGS, call.path["name"], call.path["name"])
    if found is None:
        raise Problem(404, "Not found", "nobody of that name was greeted")
    return json_answer({"said": found[0]["said"]})
''',
    "views": '''"""Greetings as clients see them."""

from __future__ import annotations

from typing_extensions import TypedDict


class GreetingView(TypedDict):
    """A greeting."""

    said: str
''',
}
BLUEPRINT = '''"""Greetings: their route. The trigger of their timer is made of its declaration."""

import azure.functions as func

from blueprints import http
from shared.domains.greetings.api import api

bp = func.Blueprint()
http.serve(bp, api)
'''
RUN = """
import asyncio, json
import azure.functions as func
import function_app
from blueprints import start
from shared.domains.greetings.kinds import Greeting, greet
from shared.jobs.testing import MemoryApp

functions = {each.get_function_name(): each for each in function_app.app.get_functions()}
request = func.HttpRequest("GET", "https://app.example/api/greetings/ann", route_params={"name": "ann"}, body=b"")

async def main():
    app = start.app()
    await app.documents.put_newer("greetings", {"id": "ann", "pk": "ann", "said": "hello ann", "version": 1})
    answer = await functions["GetGreeting"].get_user_function()(req=request)
    await app.close()
    kit = MemoryApp(greet, settings=app.settings)
    job = await kit.perform(greet, Greeting(name="ann"))
    return {
        "said": job.results,
        "functions": sorted(functions),
        "kinds": [kind.name for kind in app.engine.deps.kinds],
        "timers": sorted(app.ledger.timers),
        "answer": json.loads(answer.get_body()),
    }

print(json.dumps(asyncio.run(main())))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with a domain more."""
    folder = tmp_path_factory.mktemp("copy") / "app"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    domain = folder / "shared/domains/greetings"
    domain.mkdir()
    for name, text in DOMAIN.items():
        (domain / f"{name}.py").write_text(text)
    (folder / "blueprints/greetings.py").write_text(BLUEPRINT)
    return folder


def run(copy: Path, *command: str, **environ: str) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV", "PYTHONPATH"))}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=own | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_keeps_the_rules(copy: Path) -> None:
    run(copy, "-m", "ruff", "check", "--no-cache", "shared/domains/greetings", "blueprints/greetings.py")
    run(copy, "-m", "ruff", "format", "--no-cache", "--check", "shared/domains/greetings", "blueprints/greetings.py")
    run(copy, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache")


def test_it_is_indexed_and_served(copy: Path, tmp_path: Path) -> None:
    documents = str(tmp_path / "documents.db")
    environ = {
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "NIGHTSHIFT_SQLITE_PATH": documents,
        "GREETINGS_WORD": "good day",
    }
    found = json.loads(run(copy, "-c", RUN, **environ).splitlines()[-1])
    assert {"GetGreeting", "GreetEverybody"} <= set(found["functions"])
    assert "greet" in found["kinds"]
    assert "GreetEverybody" in found["timers"]
    assert found["answer"] == {"said": "hello ann"}
    assert found["said"] == {"said": "good day ann"}


def test_its_documentation_is_made_and_complete(copy: Path) -> None:
    run(copy, "-m", "devtools.reference")
    made = {
        name: (copy / name).read_text("utf-8") for name in ("docs/reference/settings.md", "docs/reference/routes.md")
    }
    assert "`GREETINGS_SCHEDULE`" in made["docs/reference/settings.md"]
    assert "`greetings/{name}`" in made["docs/reference/routes.md"]
    assert "greetings" in json.loads((copy / "infra/names.json").read_text("utf-8"))["containers"]
    checks = "made_from or every_route or every_setting or the_reference"
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", checks, "tests/unit/test_documentation.py")
