"""Every setting of the app, once: name, type, default, unit and meaning.

Settings are read from the environment (app settings in Azure, ``local.settings.json`` on a developer's machine) when the
app starts. A value that does not fit stops the start with a `SettingsError` that names each one that is wrong: better no
function at deployment than a wrong one at night. Plain dataclasses, no model library: this is on the path of a cold start.

What belongs to a domain is declared by the domain (``shared/domains/<name>/settings.py``) and asked for by its type:
``settings.of(TasteSettings).max_retries``. `shared.declarations` finds those sections, and reads them with the app's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Self, TypeVar

from shared.settings.engine import EngineSettings
from shared.settings.fetch import FetchSettings
from shared.settings.monitor import MonitorSettings
from shared.settings.operate import OperateSettings
from shared.settings.spec import Section, Spec, specs_of
from shared.settings.storage import StorageSettings
from shared.settings.timers import TimerSettings
from shared.settings.workers import WorkerSettings

__all__ = ["Section", "Settings", "SettingsError", "Spec", "load", "specs_of"]

S = TypeVar("S", bound=Section)


class SettingsError(ValueError):
    """App settings hold values that the app cannot work with."""

    def __init__(self, *wrong: str) -> None:
        super().__init__("app settings: " + "; ".join(wrong))
        self.names = tuple((re.match(r"\w+(?=: )", each) or ["names of queues"])[0] for each in wrong)
        """The settings, for those who must not see what they hold."""


@dataclass(frozen=True, eq=False, repr=False)
class Settings(
    WorkerSettings,
    FetchSettings,
    MonitorSettings,
    OperateSettings,
    TimerSettings,
    EngineSettings,
    StorageSettings,
):
    """The app's own settings, area by area (the last base comes first in the reference), and the domains' by their type."""

    sections: tuple[Section, ...] = ()

    def of(self, section: type[S]) -> S:
        """The settings of a domain.

        Raises:
            LookupError: these settings were read without that section.
        """
        for each in self.sections:
            if type(each) is section:
                return each
        raise LookupError(f"{section.__qualname__} is not among the settings that were read")

    def having(self, *sections: Section) -> Self:
        """These settings with other sections in the place of those of the same type."""
        known: dict[type[Section], Section] = {type(each): each for each in (*self.sections, *sections)}
        return replace(self, sections=tuple(known.values()))

    def problems(self, settings: Settings) -> Iterator[str]:
        """An alarm's webhook is signed as callbacks are, and what talks to Azure OpenAI is a package that need not be there."""
        if settings.openai_endpoint and not find_spec("openai"):
            yield "AZURE_OPENAI_ENDPOINT: expected the package openai beside it (requirements-openai.txt)"
        if settings.alarm_webhook_url and not settings.webhook_secrets:
            yield "WEBHOOK_SECRET: expected a key, since ALARM_WEBHOOK_URL is set"


def load(environ: Mapping[str, str], sections: Iterable[type[Section]] = ()) -> Settings:
    """Read the settings from an environment. A name that is unset, or empty, has its default.

    Args:
        environ: the environment.
        sections: the settings to read beside the app's own.

    Raises:
        SettingsError: naming every setting that is wrong, what was expected and what it holds. Secrets are not shown.
    """
    wrong: list[str] = []
    settings = Settings(**_given(Settings, environ, wrong))
    settings = replace(settings, sections=tuple(section(**_given(section, environ, wrong)) for section in sections))
    everything = (settings, *settings.sections)
    wrong += [f"the queue {queue!r} would hold jobs and dead letters" for queue in _queues_of_both(everything)]
    wrong += [problem for each in everything for problem in each.problems(settings)]
    if wrong:
        raise SettingsError(*wrong)
    return settings


def _given(section: type[Section], environ: Mapping[str, str], wrong: list[str]) -> dict[str, Any]:
    """The values that the environment has for a section, by field; what does not fit is added to `wrong`."""
    given: dict[str, Any] = {}
    for name, spec in specs_of(section).items():
        text = environ.get(spec.name, "").strip()
        if text:
            try:
                given[name] = spec.read(text)
            except ValueError:
                wrong.append(f"{spec.name}: expected {spec.kind}{_found(spec, text)}")
    return given


def _found(spec: Spec, text: str) -> str:
    """What a setting holds, but for secrets; a connection string may have been put where an address belongs."""
    secret = spec.secret or re.search("(key|sig|secret|password)=", text, re.IGNORECASE)
    return "" if secret else f", found {text!r}"


def _queues_of_both(sections: Iterable[Section]) -> list[str]:
    """A job on a queue that a poison trigger reads too would be recorded as dead, now and then, instead of run."""
    poison = {queue: dead for section in sections for queue, dead in section.queues().items()}
    return sorted(poison.keys() & {*poison.values(), *(f"{queue}-poison" for queue in poison)})
