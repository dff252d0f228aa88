"""Every setting of the app, once: name, type, default, unit and meaning.

Settings are read from the environment (app settings in Azure, ``local.settings.json`` on a developer's machine) when the
app starts. A value that does not fit stops the start with a `SettingsError` that names each one that is wrong: better no
function at deployment than a wrong one at night. Plain dataclasses, no model library: this is on the path of a cold start.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import Field, dataclass, fields
from functools import cache
from importlib.util import find_spec
from typing import Any

from shared.settings.collect import CollectSettings
from shared.settings.digest import DigestSettings
from shared.settings.engine import EngineSettings
from shared.settings.fetch import FetchSettings
from shared.settings.monitor import MonitorSettings
from shared.settings.mood import MoodSettings
from shared.settings.operate import OperateSettings
from shared.settings.scrape import ScrapeSettings
from shared.settings.spec import Spec
from shared.settings.storage import StorageSettings
from shared.settings.taste import TasteSettings
from shared.settings.timers import TimerSettings

__all__ = ["Settings", "SettingsError", "Spec", "load", "settings", "specs"]


class SettingsError(ValueError):
    """An app setting holds a value that the app cannot work with."""


@dataclass(frozen=True)
class Settings(
    FetchSettings,
    MonitorSettings,
    OperateSettings,
    DigestSettings,
    MoodSettings,
    ScrapeSettings,
    CollectSettings,
    TasteSettings,
    TimerSettings,
    EngineSettings,
    StorageSettings,
):
    """The app's settings, area by area; the last base comes first in the reference."""


def specs() -> dict[str, Spec]:
    """What is known of each setting, by the name of its field."""
    return {each.name: _spec(each) for each in fields(Settings)}


def load(environ: Mapping[str, str]) -> Settings:
    """Read the settings from an environment. A name that is unset, or empty, has its default.

    Raises:
        SettingsError: naming every setting that is wrong, what was expected and what it holds. Secrets are not shown.
    """
    given: dict[str, Any] = {}
    wrong: list[str] = []
    for name, spec in specs().items():
        text = environ.get(spec.name, "").strip()
        if text:
            try:
                given[name] = spec.read(text)
            except ValueError:
                wrong.append(f"{spec.name}: expected {spec.kind}{_found(spec, text)}")
    chosen = _with_host_poison_queue(given)
    wrong += [f"the queue {queue!r} would hold jobs and dead letters" for queue in _queues_of_both(chosen)]
    if chosen.taste_max_backoff_seconds < chosen.taste_base_backoff_seconds:
        wrong.append("TASTE_JOB_MAX_BACKOFF_SECONDS: expected at least TASTE_JOB_BASE_BACKOFF_SECONDS")
    if chosen.alarm_webhook_url and not chosen.webhook_secrets:
        wrong.append("WEBHOOK_SECRET: expected a key, since ALARM_WEBHOOK_URL is set")
    if chosen.weekly_digest_keep_days > chosen.retention_artifact_days:
        wrong.append("RETENTION_ARTIFACT_DAYS: expected at least WEEKLY_DIGEST_KEEP_DAYS")
    if chosen.openai_endpoint and not find_spec("openai"):
        wrong.append("AZURE_OPENAI_ENDPOINT: expected the package openai beside it (requirements-openai.txt)")
    if wrong:
        raise SettingsError("app settings: " + "; ".join(wrong))
    return chosen


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return load(os.environ)


def _found(spec: Spec, text: str) -> str:
    """What a setting holds, but for secrets; a connection string may have been put where an address belongs."""
    secret = spec.secret or re.search("(key|sig|secret|password)=", text, re.IGNORECASE)
    return "" if secret else f", found {text!r}"


def _queues_of_both(chosen: Settings) -> list[str]:
    """A job on a queue that a poison trigger reads too would be recorded as dead, now and then, instead of run."""
    jobs = {chosen.queue_high, chosen.queue_normal, chosen.queue_low, chosen.taste_queue}
    return sorted(jobs & {chosen.taste_poison_queue, *(f"{queue}-poison" for queue in jobs)})


def _with_host_poison_queue(given: dict[str, Any]) -> Settings:
    queue = given.get("taste_queue", Settings.taste_queue)
    return Settings(**{"taste_poison_queue": f"{queue}-poison", **given})


def _spec(each: Field[Any]) -> Spec:
    spec: Spec = each.metadata["spec"]
    return spec
