"""What the domains declare, found by convention: nothing lists domains.

A module ``shared/domains/<domain>/settings.py`` declares settings, ``containers.py`` the containers of documents and the blobs
that it writes, ``kinds.py`` kinds of jobs, ``workflows.py`` workflows, ``timers.py`` timers, ``api.py`` routes. What such a module names at its top level is served. A module is
imported when it is first asked for: a cold start reads the settings, and not one model.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any, TypeVar

from shared import containers as own
from shared.containers import Artifacts, Container
from shared.settings import Section, Settings, load, specs_of

if TYPE_CHECKING:
    from shared.jobs.kinds import Kind
    from shared.jobs.timers.timer import Timer
    from shared.settings import Spec
    from shared.web.routes import Route

T = TypeVar("T")
_SHARED = Path(__file__).parent
_DOMAINS = _SHARED / "domains"


class DeclaredTwiceError(ValueError):
    """Two declarations have one name."""


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return settings_of(os.environ)


def settings_of(environ: Mapping[str, str]) -> Settings:
    """The app's settings and every domain's as an environment has them; raises as `load` does."""
    return load(environ, sections()[1:])


@cache
def sections() -> tuple[type[Section], ...]:
    """The app's own settings, then each domain's.

    Raises:
        DeclaredTwiceError: two settings are read from one name of the environment.
    """
    classes = (each for _, each in _declared("settings", type))
    domains = (each for each in classes if issubclass(each, Section) and each is not Section)
    found: tuple[type[Section], ...] = (Settings, *dict.fromkeys(domains))
    fields = ((section, field, spec) for section in found for field, spec in specs_of(section).items())
    _once("settings", ((spec.name, f"{_place(section)}.{field}", spec) for section, field, spec in fields))
    return found


def specs() -> dict[str, Spec]:
    """What is known of each setting, by its name in the environment."""
    return {spec.name: spec for section in sections() for spec in specs_of(section).values()}


def containers() -> tuple[Container, ...]:
    """The containers of documents, the engine's own first."""
    mine = ((f"{own.__name__}.{name}", value) for name, value in vars(own).items() if isinstance(value, Container))
    return _once(
        "containers", ((str(each), place, each) for place, each in (*mine, *_declared("containers", Container)))
    )


def artifacts() -> tuple[Artifacts, ...]:
    """What the names begin with of blobs that jobs write beside their status."""
    return _once("artifacts", ((str(each), place, each) for place, each in _declared("containers", Artifacts)))


def check() -> None:
    """See that no two containers, nor artifacts, have one name; of kinds, timers, settings and routes those see that need them.

    Raises:
        DeclaredTwiceError: two have.
    """
    containers()
    artifacts()


def of_users() -> tuple[Container | Artifacts, ...]:
    """What is deleted with a user."""
    held: tuple[Container | Artifacts, ...] = (*containers(), *artifacts())
    return tuple(each for each in held if each.of_user)


def kinds() -> tuple[Kind[Any], ...]:
    """The kinds of jobs, workflows among them: a run of one is a job."""
    from shared.jobs.kinds import Kind

    found = (*_declared("kinds", Kind), *_declared("workflows", Kind))
    return _once("kinds of jobs", ((each.name, place, each) for place, each in found))


def timers() -> tuple[Timer, ...]:
    """The timers."""
    from shared.jobs.timers.timer import Timer

    return _once("timers", ((each.name, place, each) for place, each in _declared("timers", Timer)))


def routes() -> tuple[Route, ...]:
    """The routes, the engine's own first."""
    from shared.web.routes import Api

    apis = (*_defined("shared.api", _SHARED / "api", "*.py", Api), *_declared("api", Api))
    return _once("functions", ((each.function, place, each) for place, api in apis for each in api.routes))


@cache
def load_all() -> None:
    """Import all that domains and the API are made of, so that what cannot be is known before somebody needs it.

    Raises:
        ImportError: naming the module; or, for text that is no Python, a SyntaxError.
    """
    for package in ("shared.api", "shared.domains"):
        for each in walk_packages(importlib.import_module(package).__path__, f"{package}."):
            try:
                importlib.import_module(each.name)
            except (ImportError, SyntaxError):
                raise
            except Exception as error:
                raise ImportError(f"{each.name} fails: {type(error).__name__}", name=each.name) from error


def _declared(module: str, sort: type[T]) -> Iterator[tuple[str, T]]:
    """What the domains' modules of this name define of a sort, each with its place."""
    return _defined("shared.domains", _DOMAINS, f"*/{module}.py", sort)


def _defined(package: str, folder: Path, pattern: str, sort: type[T]) -> Iterator[tuple[str, T]]:
    for path in sorted(folder.glob(pattern)):
        name = ".".join((package, *path.relative_to(folder).with_suffix("").parts))
        for variable, value in vars(importlib.import_module(name)).items():
            if isinstance(value, sort):
                yield f"{name}.{variable}", value


def _once(what: str, found: Iterable[tuple[str, str, T]]) -> tuple[T, ...]:
    """What was found by name and place, the same value (imported by another module, say) once.

    Raises:
        DeclaredTwiceError: two values have one name.
    """
    known: dict[str, tuple[str, T]] = {}
    for name, place, value in found:
        earlier, other = known.setdefault(name, (place, value))
        if other is not value:
            raise DeclaredTwiceError(f"two {what} are called {name!r}: {earlier} and {place}")
    return tuple(value for _, value in known.values())


def _place(section: type[Section]) -> str:
    return f"{section.__module__}.{section.__qualname__}"
