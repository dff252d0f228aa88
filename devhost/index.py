"""Finding an app's functions, as the Python worker does: import ``function_app.py`` and read its function objects."""

from __future__ import annotations

import importlib
import inspect
import json
import logging
import re
import sys
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from azure.functions import Context, FunctionRegister, meta
from azure.functions.decorators.function_app import Function as LibraryFunction

from devhost.config import ConfigError, Settings, timespan

HTTP, QUEUE, TIMER = "httpTrigger", "queueTrigger", "timerTrigger"
_SUPPORTED = {HTTP, QUEUE, TIMER, "http"}
_SETTING = re.compile(r"%([^%]+)%")
_CONTEXT = "context"
_PLAIN = (str, bytes)


logger = logging.getLogger("devhost.index")


class IndexingError(Exception):
    """The app's functions cannot be read: the real host would offer none of them, and say that it runs."""


class UnsupportedError(IndexingError):
    """The app asks for what devhost cannot do, though the real host may."""


class _UnresolvedError(Exception):
    """A binding names an app setting that there is not."""


@dataclass(frozen=True, slots=True)
class Retry:
    """An ``@app.retry`` policy. It retries inside one delivery."""

    count: int
    """Retries after the first run; -1 for no end."""
    shortest: float
    longest: float

    def delay(self, retry: int) -> float:
        """Return the seconds to wait before the retry of this number, from 1: doubling, up to the longest."""
        return min(self.longest, self.shortest * 2.0 ** min(retry - 1, 30))


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the app, its trigger's settings resolved."""

    name: str
    handler: Callable[..., Any]
    trigger: Mapping[str, Any]
    is_async: bool
    wants_context: bool
    retry: Retry | None
    plain: bool = False
    """Whether the trigger's parameter is annotated ``str`` or ``bytes``: it gets the data, and no metadata is read."""

    @property
    def kind(self) -> str:
        """The trigger's type: HTTP, QUEUE or TIMER."""
        return str(self.trigger["type"])

    def decode(self, data: meta.Datum, metadata: Mapping[str, meta.Datum]) -> Any:
        """Make the trigger's argument with the library's own converter; a parameter that is plain gets the data."""
        return data.value if self.plain else converter(self.kind).decode(data, trigger_metadata=metadata)


def load_app(app_dir: Path) -> FunctionRegister:
    """Import ``function_app.py`` and return its one FunctionApp.

    Raises:
        IndexingError: for an exception while importing (it is the cause), or where there is no app, or several.
    """
    module = _import(app_dir)
    apps = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if len(apps) != 1:
        raise IndexingError(f"function_app.py must define one FunctionApp at its top level, not {len(apps)}")
    return apps[0]


def index(app: FunctionRegister, settings: Settings) -> list[Function]:
    """Read the functions of an app.

    Raises:
        IndexingError: for a name used twice, or a binding that is not supported or does not fit its function.

    A function with a ``%NAME%`` for which there is no app setting is left out, and an error logged.
    """
    app.functions_bindings = None  # the library's memory of names: an app may be indexed once per host
    try:
        functions = app.get_functions()
    except ValueError as error:
        raise IndexingError(str(error)) from None
    return [indexed for function in functions if (indexed := _function_or_none(function, settings))]


def converter(binding: str) -> Any:
    """Return the library's converter of a binding type."""
    registry: Any = meta.get_binding_registry  # the library leaves it without types
    return registry().get(binding)


def _import(app_dir: Path) -> Any:
    script = app_dir.resolve() / "function_app.py"
    if not script.exists():
        raise IndexingError(f"there is no function_app.py in {app_dir}")
    _forget_other_app(script)
    if str(script.parent) not in sys.path:
        sys.path.insert(0, str(script.parent))
    try:
        return importlib.import_module("function_app")
    except Exception as error:
        raise IndexingError(f"function_app.py could not be imported: {type(error).__name__}: {error}") from error


def _forget_other_app(script: Path) -> None:
    """Make room for this app where a test's process has imported another one."""
    loaded = sys.modules.get("function_app")
    if loaded is not None and loaded.__file__ != str(script):
        del sys.modules["function_app"]
        if loaded.__file__ is not None:
            sys.path[:] = [entry for entry in sys.path if entry != str(Path(loaded.__file__).parent)]
    importlib.invalidate_caches()


def _function_or_none(function: LibraryFunction, settings: Settings) -> Function | None:
    try:
        return _function(function, settings)
    except _UnresolvedError as error:
        logger.error("function %s is in error, and left out: %s", function.get_function_name(), error)  # noqa: TRY400
        return None


def _function(function: LibraryFunction, settings: Settings) -> Function:
    name = str(function.get_function_name())
    bindings = json.loads(function.get_function_json())["bindings"]
    _check_supported(name, bindings)
    handler = function.get_user_function()
    _check_signature(name, handler, bindings)
    trigger = next(binding for binding in bindings if binding["type"].endswith("Trigger"))
    return Function(
        name=name,
        handler=handler,
        trigger={key: _resolve(value, settings) for key, value in trigger.items()},
        is_async=inspect.iscoroutinefunction(handler),
        wants_context=_CONTEXT in inspect.signature(handler).parameters,
        retry=_retry(name, function.get_settings_dict("retry_policy")),
        plain=typing.get_type_hints(handler).get(trigger["name"]) in _PLAIN,
    )


def _check_supported(name: str, bindings: list[dict[str, Any]]) -> None:
    unsupported = sorted({binding["type"] for binding in bindings} - _SUPPORTED)
    if unsupported:
        raise UnsupportedError(f"function {name}: devhost does not support the binding {', '.join(unsupported)}")


def _check_signature(name: str, handler: Callable[..., Any], bindings: list[dict[str, Any]]) -> None:
    """Refuse what the worker refuses: a signature that does not fit the bindings."""
    declared = set(inspect.signature(handler).parameters) - {_CONTEXT}
    bound = {binding["name"] for binding in bindings} - {"$return"}
    if declared != bound:
        raise IndexingError(f"function {name}: it takes {sorted(declared)}, its bindings give {sorted(bound)}")
    try:
        hints = typing.get_type_hints(handler)
    except Exception as error:
        raise IndexingError(f"function {name}: its annotations cannot be read: {error}") from error
    if not issubclass(hints.get(_CONTEXT, Context), Context):
        raise IndexingError(f"function {name}: the parameter context must be a func.Context")
    for binding in bindings:
        _check_annotation(name, binding, hints)


def _check_annotation(name: str, binding: dict[str, Any], hints: dict[str, Any]) -> None:
    parameter = "return" if binding["name"] == "$return" else binding["name"]
    if parameter not in hints or (binding["type"] == QUEUE and hints[parameter] in _PLAIN):
        return
    encoder = converter(binding["type"])
    check = encoder.check_output_type_annotation if parameter == "return" else encoder.check_input_type_annotation
    try:
        fits = bool(check(hints[parameter]))
    except TypeError:
        fits = False
    if not fits:
        raise IndexingError(
            f"function {name}: the annotation of {parameter} does not fit its {binding['type']} binding"
        )


def _resolve(value: Any, settings: Settings) -> Any:
    """Replace each ``%NAME%`` in a binding's string by the app setting."""

    def setting(match: re.Match[str]) -> str:
        try:
            return settings[match[1]]
        except KeyError:
            raise _UnresolvedError(f"%{match[1]}% does not resolve: no such app setting") from None

    return _SETTING.sub(setting, value) if isinstance(value, str) else value


def _retry(name: str, policy: dict[str, Any] | None) -> Retry | None:
    if policy is None:
        return None
    fixed = policy["strategy"] == "fixed_delay"
    try:
        shortest = timespan(policy["delay_interval" if fixed else "minimum_interval"] or "").total_seconds()
        longest = shortest if fixed else timespan(policy["maximum_interval"] or "").total_seconds()
        return Retry(int(policy["max_retry_count"]), shortest, longest)
    except (ConfigError, ValueError) as error:
        raise IndexingError(f"function {name}: retry policy: {error}") from None
