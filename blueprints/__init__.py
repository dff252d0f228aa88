"""The triggers: decode, call one function of `shared`, encode. No logic.

One file a resource. Each makes a `bp`; what is here is found, not listed.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from importlib import import_module

import azure.functions as func


def found() -> list[func.Blueprint]:
    """The blueprint of every module here that has one.

    Raises:
        DeclarationError: two functions have one name, or a route could never be reached.
    """
    modules = [import_module(f"{__name__}.{each.name}") for each in pkgutil.iter_modules(__path__)]
    blueprints = [module.bp for module in modules if hasattr(module, "bp")]
    _check(blueprints)
    return blueprints


def _check(blueprints: Iterable[func.Blueprint]) -> None:
    from shared.web.order import DeclarationError, hidden, served

    trial = func.FunctionApp()
    for each in blueprints:
        trial.register_functions(each)
    try:
        functions = trial.get_functions()
    except ValueError as error:  # the library's: a name that is used twice
        raise DeclarationError(str(error)) from None
    for route, before in hidden(served(functions)):
        raise DeclarationError(
            f"no request would reach {route.name} ({route.template}): {before.name} ({before.template}) takes them all, "
            "since the host tries routes in the order of the functions' names"
        )
