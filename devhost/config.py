"""What the host is told: ``host.json``, ``local.settings.json`` and the environment."""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

Settings = Mapping[str, str]

_TIMESPAN = re.compile(r"(?:(?P<days>\d+)\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2}):(?P<seconds>\d{1,2}(?:\.\d+)?)")
_OVERRIDE = "AzureFunctionsJobHost__"
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 1,
}


class ConfigError(Exception):
    """host.json, local.settings.json or an app setting holds something that the host cannot work with."""


@dataclass(frozen=True, slots=True)
class QueueOptions:
    """``extensions.queues`` of host.json; it holds for every queue trigger of the app."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_polling_interval: timedelta = timedelta(minutes=1)
    visibility_timeout: timedelta = timedelta(0)
    """How long a failed message stays invisible. It is not the processing lease."""
    max_dequeue_count: int = 5
    message_encoding: Literal["base64", "none"] = "base64"
    lease: timedelta = timedelta(minutes=10)
    """How long a message is hidden while it is processed. The real host has no setting for it: a shorter one is kinder."""


@dataclass(frozen=True, slots=True)
class HostConfig:
    """What host.json says, with the host's defaults for what it leaves out."""

    queues: QueueOptions = field(default_factory=QueueOptions)
    route_prefix: str = "api"
    function_timeout: timedelta | None = timedelta(minutes=30)
    """None: no limit."""
    log_level: int = logging.INFO
    lock_seconds: int = 60
    """The lease of a timer's lock. The real host has no setting for it: a shorter one is kinder."""


def load_settings(app_dir: Path, environ: Settings) -> dict[str, str]:
    """Merge the ``Values`` of local.settings.json with the environment, which wins."""
    content = _read_json(app_dir / "local.settings.json")
    values = content.get("Values", {})
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ConfigError("local.settings.json: Values must be an object of strings")
    return {**values, **environ}


def local_port(app_dir: Path) -> int:
    """Return ``Host.LocalHttpPort`` of local.settings.json, or the usual port."""
    host = _read_json(app_dir / "local.settings.json").get("Host", {})
    return int(host.get("LocalHttpPort", 7071)) if isinstance(host, dict) else 7071


def allowed_origins(app_dir: Path) -> tuple[str, ...]:
    """Return the origins of ``Host.CORS`` of local.settings.json, between commas; ``*`` is all."""
    host = _read_json(app_dir / "local.settings.json").get("Host", {})
    given = host.get("CORS", "") if isinstance(host, dict) else ""
    if not isinstance(given, str):
        raise ConfigError("local.settings.json: Host.CORS must be a string of origins with commas between them")
    return tuple(each.strip().rstrip("/").lower() for each in given.split(",") if each.strip())


def load_config(app_dir: Path, settings: Settings) -> HostConfig:
    """Read host.json, overridden by ``AzureFunctionsJobHost__section__name`` settings as on the real host."""
    return parse_config(_read_json(app_dir / "host.json"), settings)


def parse_config(content: Mapping[str, Any], settings: Settings) -> HostConfig:
    """Make the configuration of a host.json's content.

    Raises:
        ConfigError: naming the value that is wrong.
    """
    reader = _Reader(content, settings)
    return HostConfig(
        queues=_queue_options(reader, settings),
        route_prefix=str(reader.get("extensions.http.routePrefix", "api")).strip("/"),
        function_timeout=_function_timeout(reader),
        log_level=_level(str(reader.get("logging.logLevel.default", "Information"))),
        lock_seconds=_seconds(settings, "DEVHOST_TIMER_LOCK_SECONDS", 60, 15, 60),
    )


def timespan(text: str) -> timedelta:
    """Parse .NET's ``[d.]hh:mm:ss[.fff]``."""
    match = _TIMESPAN.fullmatch(text.strip())
    if match is None:
        raise ConfigError(f"{text!r} is not a time span (hh:mm:ss)")
    parts = {name: float(value) for name, value in match.groupdict(default="0").items()}
    return timedelta(**parts)


def host_id(app_dir: Path, settings: Settings) -> str:
    """Return the host id, under which the app's locks and timer states are kept: the same for the same app."""
    import platform
    import zlib

    given = settings.get("AzureFunctionsWebHost__hostid")
    machine = re.sub(r"[^a-z0-9]+", "-", platform.node().lower()).strip("-")[:20] or "local"
    return given or f"{machine}-{zlib.crc32(str(app_dir.resolve()).encode()):08x}"


class _Reader:
    """Looks values of host.json up by dotted path, in the app settings first."""

    def __init__(self, content: Mapping[str, Any], settings: Settings) -> None:
        self._content = content
        self._settings = settings

    def get(self, path: str, default: Any) -> Any:
        override = self._settings.get(_OVERRIDE + path.replace(".", "__"))
        if override is not None:
            return override
        value: Any = self._content
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return default if value is None else value

    def number(self, path: str, default: int, low: int, high: int) -> int:
        value = self.get(path, default)
        try:
            number = int(value)
        except (TypeError, ValueError):
            number = low - 1
        if not low <= number <= high:
            raise ConfigError(f"host.json: {path} must be a whole number from {low} to {high}, not {value!r}")
        return number

    def span(self, path: str, default: str) -> timedelta:
        try:
            return timespan(str(self.get(path, default)))
        except ConfigError as error:
            raise ConfigError(f"host.json: {path}: {error}") from None


def _queue_options(reader: _Reader, settings: Settings) -> QueueOptions:
    batch_size = reader.number("extensions.queues.batchSize", 16, 1, 32)
    encoding = str(reader.get("extensions.queues.messageEncoding", "base64")).lower()
    if encoding not in ("base64", "none"):
        raise ConfigError(f"host.json: extensions.queues.messageEncoding must be base64 or none, not {encoding!r}")
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=reader.number(
            "extensions.queues.newBatchThreshold", batch_size // 2 * _cores(settings), 0, 10_000
        ),
        max_polling_interval=reader.span("extensions.queues.maxPollingInterval", _longest_wait(settings)),
        visibility_timeout=reader.span("extensions.queues.visibilityTimeout", "00:00:00"),
        max_dequeue_count=reader.number("extensions.queues.maxDequeueCount", 5, 1, 1_000_000),
        message_encoding="none" if encoding == "none" else "base64",
        lease=timedelta(seconds=_seconds(settings, "DEVHOST_MESSAGE_LEASE_SECONDS", 600, 1, 600)),
    )


def _cores(settings: Settings) -> int:
    """What the default threshold is multiplied by: the cores, but on Consumption."""
    return 1 if settings.get("WEBSITE_SKU", "").lower() == "dynamic" else os.cpu_count() or 1


def _longest_wait(settings: Settings) -> str:
    return "00:00:02" if settings.get("AZURE_FUNCTIONS_ENVIRONMENT") == "Development" else "00:01:00"


def _seconds(settings: Settings, name: str, default: int, low: int, high: int) -> int:
    given = settings.get(name, str(default))
    if not given.isdigit() or not low <= int(given) <= high:
        raise ConfigError(f"{name} must be a whole number of seconds from {low} to {high}, not {given!r}")
    return int(given)


def _function_timeout(reader: _Reader) -> timedelta | None:
    if str(reader.get("functionTimeout", "00:30:00")) == "-1":
        return None
    return reader.span("functionTimeout", "00:30:00")


def _level(name: str) -> int:
    try:
        return _LEVELS[name.lower()]
    except KeyError:
        raise ConfigError(f"host.json: logging.logLevel.default is {name!r}, which is no level") from None


def _read_json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise ConfigError(f"{path.name} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{path.name} must hold a JSON object")
    return content
