"""The triggers: decode, call one function of `shared`, encode. No logic.

One file a resource. Each makes a `bp`; what is here is found, not listed.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from typing import Any

import azure.functions as func
from azure.functions.decorators.function_app import Function

from shared import declarations


@cache
def found() -> list[func.Blueprint]:
    """The blueprint of every module here that has one, and one of the triggers of the timers for which none of them has any.

    Raises:
        DeclarationError: two functions have one name, or a route could never be reached.
    """
    modules = {each.name: import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)}
    blueprints = [module.bp for module in modules.values() if hasattr(module, "bp")]
    names = {str(each.get_function_name()) for each in _functions(blueprints)}
    rest = (timer for timer in declarations.timers() if timer.name not in names)
    blueprints.append(modules["timers"].triggers(rest))
    _check(_functions(blueprints))
    return blueprints


@cache
def timer_triggers() -> dict[str, str]:
    """The functions that have a timer trigger, each with its schedule."""
    triggers: dict[str, Any] = {str(each.get_function_name()): each.get_trigger() for each in _functions(found())}
    return {name: str(trigger.schedule) for name, trigger in triggers.items() if trigger.type == "timerTrigger"}


def _functions(blueprints: Iterable[func.Blueprint]) -> list[Function]:
    from shared.web.order import DeclarationError

    trial = func.FunctionApp()
    for each in blueprints:
        trial.register_functions(each)
    try:
        return trial.get_functions()
    except ValueError as error:  # the library's: a name that is used twice
        raise DeclarationError(str(error)) from None


def _check(functions: Iterable[Function]) -> None:
    from shared.web.order import DeclarationError, hidden, served

    for route, before in hidden(served(functions)):
        raise DeclarationError(
            f"no request would reach {route.name} ({route.template}): {before.name} ({before.template}) takes them all, "
            "since the host tries routes in the order of the functions' names"
        )
