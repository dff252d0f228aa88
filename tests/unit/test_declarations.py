"""What domains declare is found where it is, and a name that is declared twice stops the start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared import declarations
from shared.containers import Artifacts, Container
from shared.declarations import DeclaredTwiceError

KIND = """
from pydantic import BaseModel
from shared.jobs import JobContext, job

class Nothing(BaseModel):
    pass

@job("{name}")
async def handle(payload: Nothing, job: JobContext) -> None:
    pass
"""
TIMER = """
from shared.jobs.timers.timer import Missed, Timer

MINE = Timer("{name}", schedule=lambda settings: "0 0 1 * * *", kind="none", missed=Missed.SKIP, meaning="None.")
"""
ROUTE = """
from shared.web.answers import Answer
from shared.web.routes import Api
from shared.web.rules import READ

api = Api(__name__, "mine")

@api.route("{name}", "GET mine", READ, {200: None})
async def handler(app, call):
    return Answer(200)
"""
SETTING = """
from dataclasses import dataclass
from shared.settings.spec import Section, text

@dataclass(frozen=True)
class MySettings(Section):
    mine: str = text("{name}", "", "None.")
"""
CONTAINER = """
from shared.containers import Artifacts, Container

MINE = {sort}("{name}", "Nothing.")
"""


@pytest.fixture
def domain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A domain more, in a folder of its own."""
    import shared.domains

    folder = tmp_path / "intruder"
    folder.mkdir()
    real = Path(shared.domains.__file__).parent
    for each in real.iterdir():
        if each.is_dir() and (each / "__init__.py").exists():
            (tmp_path / each.name).symlink_to(each)
    (folder / "__init__.py").write_text("")
    monkeypatch.setattr(declarations, "_DOMAINS", tmp_path)
    monkeypatch.setattr(shared.domains, "__path__", [*shared.domains.__path__, str(tmp_path)])
    declarations.sections.cache_clear()
    yield folder
    declarations.sections.cache_clear()
    for name in [name for name in sys.modules if name.startswith("shared.domains.intruder")]:
        del sys.modules[name]


DECLARED: list[tuple[str, str, Any, str, str]] = [
    ("settings", SETTING.format(name="{name}"), declarations.sections, "SCRAPER_SCHEDULE", "ScraperSettings.scraper_schedule"),
    ("settings", SETTING.format(name="{name}"), declarations.sections, "COSMOS_KEY", "Settings.cosmos_key"),
    ("containers", CONTAINER.format(sort="Container", name="{name}"), declarations.containers, "items", "domains.items.containers.ITEMS"),
    ("containers", CONTAINER.format(sort="Container", name="{name}"), declarations.containers, "locks", "shared.containers.LOCKS"),
    ("containers", CONTAINER.format(sort="Artifacts", name="{name}"), declarations.artifacts, "digests/", "domains.digests.containers.PAGES"),
    ("kinds", KIND, declarations.kinds, "scrape-source", "domains.sources.kinds.scrape_source"),
    ("api", ROUTE, declarations.routes, "ListSources", "domains.sources.api.api"),
    ("api", ROUTE, declarations.routes, "GetJob", "shared.api.jobs.api"),
    ("timers", TIMER, declarations.timers, "PluckItScraper", "domains.sources.timers.SCRAPER"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "source", "found", "taken", "place"), DECLARED)
def test_a_name_that_is_taken_is_an_error_that_names_both_places(
    domain: Path, module: str, source: str, found: Any, taken: str, place: str
) -> None:
    (domain / f"{module}.py").write_text(source.replace("{name}", taken))
    with pytest.raises(DeclaredTwiceError) as caught:
        found()
    assert taken in str(caught.value)
    assert place in str(caught.value)
    assert f"shared.domains.intruder.{module}." in str(caught.value)


@pytest.mark.parametrize(("module", "source", "found", "taken", "place"), DECLARED)
def test_what_a_domain_declares_is_found(
    domain: Path, module: str, source: str, found: Any, taken: str, place: str
) -> None:
    before = found()
    declarations.sections.cache_clear()
    (domain / f"{module}.py").write_text(source.replace("{name}", "OF_ITS_OWN"))
    (new,) = [each for each in found() if each not in before]
    assert taken not in (new, getattr(new, "name", None), getattr(new, "function", None)), place


def test_what_a_module_imports_from_another_is_declared_once(domain: Path) -> None:
    (domain / "containers.py").write_text("from shared.domains.items.containers import ITEMS")
    assert declarations.containers().count(Container("items", "")) == 1


@pytest.mark.parametrize("prefix", ["jobs/", "jobs/2026", "", "j"])
def test_artifacts_are_not_where_the_engines_blobs_are(prefix: str) -> None:
    with pytest.raises(ValueError, match="engine's own"):
        Artifacts(prefix, "")


def test_reading_the_settings_imports_no_model() -> None:
    code = "import sys; from shared.declarations import settings; settings(); print('pydantic' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "False"


def test_whatever_the_engine_offers_is_there() -> None:
    """Its names are imported when they are asked for: one that is not there would only be missed then."""
    import shared.jobs

    assert [name for name in shared.jobs.__all__ if not hasattr(shared.jobs, name)] == []
    assert set(shared.jobs.__all__) == set(shared.jobs._HOME)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        getattr(shared.jobs, "nothing")  # noqa: B009 - mypy knows that it is not there
