"""What keeps the app from starting is told by every route, and no trigger runs: as the worker indexes, and as devhost serves."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.queue.aio import QueueServiceClient

from devtools.guard import KILL, guarded
from support.azurite import AzuriteProcess
from support.functions import functions
from support.node import free_ports

ROOT = Path(__file__).parents[2]
_INDEX = """
import asyncio, json, logging, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == sys.argv[2]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
sys.path.insert(0, sys.argv[1])
logging.basicConfig(format="%(levelname)s %(message)s")
import azure.functions as func
import function_app

functions = {each.get_function_name(): each for each in function_app.app.get_functions()}
triggers = {name: each.get_trigger().type for name, each in functions.items()}
answers = {}
for path in json.loads(sys.argv[3]):
    name = path if path in functions else "Unstarted"
    request = func.HttpRequest("GET", f"https://app.example/api/{path}", body=b"")
    answer = asyncio.run(functions[name].get_user_function()(req=request))
    answers[path] = [answer.status_code, answer.mimetype, json.loads(answer.get_body())]
print(json.dumps([triggers, answers]))
"""
SYNTAX = "def broken(:\n"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The app in a folder of its own."""
    for name in ("blueprints", "shared"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("function_app.py", "host.json"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def index(folder: Path, *paths: str, missing: str = "", **environ: str) -> tuple[dict[str, str], dict[str, Any], str]:
    """Index an app as the worker does, and ask it; triggers, answers, and what was logged."""
    command = [sys.executable, "-c", _INDEX, str(folder), missing, json.dumps(paths)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("JOBS_", "PYTHONPATH"))}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**plain, "AzureWebJobsStorage": "UseDevelopmentStorage=true", **environ},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    triggers, answers = json.loads(done.stdout.splitlines()[-1])
    return triggers, answers, done.stderr


def told(answer: Any) -> str:
    """What a problem says; it is one, and a 503."""
    status, media, content = answer
    assert (status, media, content["status"]) == (503, "application/problem+json", 503)
    return str(content["detail"])


def test_a_setting_that_does_not_fit_is_named_by_every_route(copy: Path) -> None:
    secret = "abc-not-a-number"
    triggers, answers, log = index(copy, "health", "status", "jobs/1/2/3", JOBS_LEASE_SECONDS=secret)
    assert triggers == {"Unstarted": "httpTrigger"}
    for path, answer in answers.items():
        assert "JOBS_LEASE_SECONDS" in told(answer)
        assert answer[2]["instance"] == f"/api/{path}"
    assert len(re.findall(r"^ERROR .*JOBS_LEASE_SECONDS.*$", log, re.MULTILINE)) == 1
    assert secret not in log + json.dumps(answers)


BROKEN = {
    "blueprints/sources.py": "blueprints.sources",
    "blueprints/http.py": "blueprints.http",
    "shared/domains/moods/api.py": "shared.domains.moods.api",
    "shared/domains/taste/settings.py": "shared.domains.taste.settings",
    "shared/web/routes.py": "shared.web.routes",
}


@pytest.mark.parametrize("file", BROKEN)
def test_a_module_that_cannot_be_read_is_named(copy: Path, file: str) -> None:
    (copy / file).write_text(SYNTAX)
    triggers, answers, log = index(copy, "health", "status")
    assert triggers == {"Unstarted": "httpTrigger"}
    assert all(BROKEN[file] in told(answer) for answer in answers.values())
    assert len(re.findall(r"^ERROR ", log, re.MULTILINE)) == 1


def test_a_package_that_is_missing_when_indexing_is_named(copy: Path) -> None:
    (copy / "blueprints" / "extra.py").write_text("import no_such_package\n")
    triggers, answers, _ = index(copy, "status")
    assert triggers == {"Unstarted": "httpTrigger"}
    assert "no_such_package" in told(answers["status"])
    assert "blueprints.extra" in told(answers["status"])


def test_a_package_that_is_missing_later_is_named_too(copy: Path) -> None:
    _, answers, log = index(copy, "Health", "GetStatus", "ListJobs", "GetOpenApi", missing="pydantic")
    assert all("pydantic" in told(answer) for answer in answers.values())
    assert len(re.findall(r"^ERROR ", log, re.MULTILINE)) == 1


def test_a_domain_whose_kinds_cannot_be_read_is_named(copy: Path) -> None:
    (copy / "shared/domains/sources/kinds.py").write_text(SYNTAX)
    _, answers, _ = index(copy, "Health", "GetStatus", "ListMoods")
    assert all("shared.domains.sources.kinds" in told(answer) for answer in answers.values())


_OF_ITS_OWN = """

@bp.function_name("{name}")
@bp.timer_trigger("timer", "0 0 1 * * *")
async def of_its_own(timer: func.TimerRequest) -> None:
    return None
"""
_BLUEPRINT, _LAST = "blueprints/sources.py", "http.serve(bp, api)\n"
TIMERS = {
    "the function NobodysTimer has a timer trigger": (
        _BLUEPRINT,
        _LAST,
        _LAST + _OF_ITS_OWN.format(name="NobodysTimer"),
    ),
    "the timer PluckItScraper goes by": (_BLUEPRINT, _LAST, _LAST + _OF_ITS_OWN.format(name="PluckItScraper")),
    "submits 'no-such-kind'": ("shared/domains/sources/timers.py", 'kind="scrape-sources"', 'kind="no-such-kind"'),
}


@pytest.mark.parametrize("said", TIMERS)
def test_a_timer_that_its_trigger_does_not_fit_is_named(copy: Path, said: str) -> None:
    file, before, after = TIMERS[said]
    text = (copy / file).read_text()
    assert before in text
    (copy / file).write_text(text.replace(before, after))
    _, answers, log = index(copy, "Health", "GetStatus")
    for answer in answers.values():
        assert said in told(answer)
    assert len(re.findall(r"^ERROR ", log, re.MULTILINE)) == 1


def test_two_kinds_of_one_name_are_named(copy: Path) -> None:
    twin = copy / "shared/domains/twin"
    twin.mkdir()
    (twin / "__init__.py").write_text("")
    text = (copy / "shared/domains/taste/kinds.py").read_text()
    (twin / "kinds.py").write_text(text)
    _, answers, _ = index(copy, "Health", "GetStatus")
    for answer in answers.values():
        assert "taste-analysis" in told(answer)
        assert "shared.domains.twin.kinds" in told(answer)


def test_two_containers_of_one_name_are_named(copy: Path) -> None:
    with (copy / "shared/domains/moods/containers.py").open("a") as file:
        file.write('\nTWIN = Container("users", "Users, too.")\n')
    _, answers, _ = index(copy, "Health", "GetStatus")
    for answer in answers.values():
        assert "'users'" in told(answer)
        assert "shared.domains.moods.containers.TWIN" in told(answer)


def test_a_queue_of_a_kind_that_there_is_not_is_the_settings_fault(copy: Path) -> None:
    _, answers, _ = index(copy, "Health", "GetStatus", JOBS_KIND_QUEUES="no-such-kind=some-queue")
    for answer in answers.values():
        assert "JOBS_KIND_QUEUES" in told(answer)
        assert "no-such-kind" not in told(answer)


def test_a_name_that_cannot_be_imported_is_told_without_the_folder(copy: Path) -> None:
    with (copy / "shared/domains/moods/settings.py").open("a") as file:
        file.write("\nfrom shared.settings import no_such_name\n")
    _, answers, _ = index(copy, "status")
    assert "cannot import name 'no_such_name' from 'shared.settings'" in told(answers["status"])
    assert str(copy) not in told(answers["status"])


@pytest.mark.parametrize(
    ("function", "template", "says"),
    [
        ("ZGroup", "sources/newest", "ZGroup"),
        ("Anything", "{*path}", "takes them all"),
        ("GetSource", "sources/{source_id}/again", "GetSource"),
        ("AnotherSource", "sources/{other}", "GetSource"),
    ],
)
def test_a_route_that_is_declared_in_vain_is_named(copy: Path, function: str, template: str, says: str) -> None:
    (copy / "blueprints" / "extra.py").write_text(
        "import azure.functions as func\n\nbp = func.Blueprint()\n\n\n"
        f'@bp.function_name("{function}")\n@bp.route("{template}", methods=["GET"])\n'
        "async def extra(req: func.HttpRequest) -> func.HttpResponse:\n    return func.HttpResponse()\n"
    )
    triggers, answers, _ = index(copy, "status")
    assert triggers == {"Unstarted": "httpTrigger"}
    assert says in told(answers["status"])


def test_a_part_that_cannot_be_read_is_told_by_the_status(copy: Path) -> None:
    (copy / "shared/domains/sources/views.py").write_text(SYNTAX)
    _, answers, _ = index(copy, "GetStatus")
    assert "shared.domains.sources.views" in told(answers["GetStatus"])


def test_a_new_blueprint_is_found(copy: Path) -> None:
    (copy / "blueprints" / "extra.py").write_text(
        "import azure.functions as func\n\nbp = func.Blueprint()\n\n\n"
        '@bp.function_name("Extra")\n@bp.route("extra", methods=["GET"])\n'
        "async def extra(req: func.HttpRequest) -> func.HttpResponse:\n    return func.HttpResponse()\n"
    )
    assert index(copy)[0].keys() - functions().keys() == {"Extra"}


@asynccontextmanager
async def served(folder: Path, connection: str, **environ: str) -> AsyncIterator[httpx.AsyncClient]:
    """The app of a folder under devhost, once it answers at all."""
    (port,) = free_ports(1)
    command = (sys.executable, "-m", "devhost", "--app", str(folder), "--port", str(port))
    given = {**os.environ, "AzureWebJobsStorage": connection, **environ}
    with (folder / "devhost.log").open("wb") as log:
        process = guarded(command, cwd=ROOT, env=given, stdout=log, stderr=subprocess.STDOUT)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            async with asyncio.timeout(60):
                while not await listens(client):
                    assert process.poll() is None, (folder / "devhost.log").read_text()
                    await asyncio.sleep(0.1)
            yield client
    finally:
        assert process.stdin is not None
        process.stdin.write(KILL)
        process.stdin.close()
        await asyncio.to_thread(process.wait)


async def listens(client: httpx.AsyncClient) -> bool:
    try:
        await client.get("/api/health")
    except httpx.HTTPError:
        return False
    return True


async def test_devhost_serves_the_problem_on_every_route(copy: Path, azurite: AzuriteProcess) -> None:
    async with served(copy, azurite.connection_string, JOBS_LEASE_SECONDS="abc") as client:
        for method, path in (
            ("GET", "health"),
            ("GET", "status"),
            ("POST", "jobs/x"),
            ("DELETE", "a/b/c"),
            ("PATCH", ""),
        ):
            answer = await client.request(method, f"/api/{path}")
            assert (answer.status_code, "JOBS_LEASE_SECONDS" in answer.text) == (503, True), (method, path)
    log = (copy / "devhost.log").read_text()
    assert len(re.findall(r"ERROR.*JOBS_LEASE_SECONDS", log)) == 1
    assert "Trigger" not in log  # no queue, no timer


async def test_a_message_outlives_an_app_that_cannot_be_composed(copy: Path, azurite: AzuriteProcess) -> None:
    """It is put back as it is, however often: after five deliveries the host would take it for poison."""
    (copy / "shared/domains/sources/kinds.py").write_text(SYNTAX)
    name = f"t{uuid.uuid4().hex}"
    environ = {
        "JOBS_QUEUE_NAME": name, "JOBS_HIGH_QUEUE_NAME": f"{name}-high", "JOBS_LOW_QUEUE_NAME": f"{name}-low",
        "TASTE_JOB_QUEUE_NAME": f"{name}-taste",
    }  # fmt: skip
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        for each in (name, f"{name}-poison"):
            await service.create_queue(each)
        sent = await service.get_queue_client(name).send_message("a job")
        await service.get_queue_client(f"{name}-poison").send_message("a letter")
        async with served(copy, azurite.connection_string, **environ) as client:
            assert "shared.domains.sources.kinds" in (await client.get("/api/health")).text
            deadline = time.monotonic() + 60
            log = copy / "devhost.log"
            while not all(
                re.search(rf"{each}\s.*succeeded", log.read_text()) for each in ("ProcessJobs", "ProcessJobsDlq")
            ):
                assert time.monotonic() < deadline, log.read_text()
                await asyncio.sleep(0.1)
        for each in (name, f"{name}-poison"):
            properties = await service.get_queue_client(each).get_queue_properties()
            assert properties.approximate_message_count == 1
        assert [one async for one in service.get_queue_client(name).receive_messages(visibility_timeout=1)] == []
        assert sent.id
