"""Which function answers a path."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest

from devhost.index import Function, UnsupportedError, index
from devhost.routes import Router


def _router(*routes: str, methods: tuple[str, ...] = ("GET",), prefix: str = "api") -> Router:
    return Router(_functions(*routes, methods=methods), prefix)


def _functions(*routes: str, methods: tuple[str, ...]) -> list[Function]:
    app = func.FunctionApp()
    for number, route in enumerate(routes):

        def handler(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse(req.url)

        app.function_name(f"f{number}")(app.route(route=route, methods=list(methods) or None)(handler))
    return index(app, {})


def _found(router: Router, path: str, method: str = "GET") -> Any:
    found = router.find(method, path)
    return None if found is None else (found[0].trigger["route"], found[1])


def _checked(constraint: str, value: str) -> bool:
    return _found(_router(f"x/{{value:{constraint}}}"), f"/api/x/{value}") is not None


@pytest.mark.parametrize(
    ("route", "path", "values"),
    [
        ("jobs", "/api/jobs", {}),
        ("jobs", "/api/jobs/", {}),
        ("jobs", "/API/Jobs", {}),
        ("jobs/{id}", "/api/jobs/a b", {"id": "a b"}),
        ("jobs/{id?}", "/api/jobs", {}),
        ("jobs/{id?}", "/api/jobs/7", {"id": "7"}),
        ("jobs/{id:guid}", "/api/jobs/0b57c7ff-3a44-4d07-8d38-1c8d8f2a3c11", {"id": "0b57c7ff-3a44-4d07-8d38-1c8d8f2a3c11"}),
        ("jobs/{id:int:long}", "/api/jobs/-5", {"id": "-5"}),
        ("{kind}/items/{id:int?}", "/api/x/items", {"kind": "x"}),
        ("files/{*rest}", "/api/files/a/b", {"rest": "a/b"}),
        ("files/{*rest}", "/api/files", {}),
        ("files/{*rest}", "/api/files/a/b/", {"rest": "a/b/"}),
        ("v{major}.{minor}", "/api/v1.2", {"major": "1", "minor": "2"}),
        ("v{major}.{minor}", "/api/v1.2.3", {"major": "1.2", "minor": "3"}),
        ("pages/{number:int=1}", "/api/pages", {"number": "1"}),
        ("pages/{number:int=1}", "/api/pages/7", {"number": "7"}),
        ("x/{a:regex(^a{{2}}$)}/{b:range(1,3)}", "/api/x/aa/3", {"a": "aa", "b": "3"}),
    ],
)  # fmt: skip
def test_paths_that_fit(route: str, path: str, values: dict[str, str]) -> None:
    assert _found(_router(route), path) == (route, values)


@pytest.mark.parametrize(
    ("route", "path"),
    [
        ("jobs", "/jobs"),
        ("jobs", "/api/jobs/1"),
        ("jobs/{id}", "/api/jobs"),
        ("jobs/{id}", "/api/jobs/a/b"),
        ("jobs/{id:guid}", "/api/jobs/7"),
        ("jobs/{id:int}", "/api/jobs/99999999999"),
        ("jobs/{id:alpha}", "/api/jobs/a1"),
        ("jobs/{id:bool}", "/api/jobs/yes"),
        ("a.c", "/api/abc"),
    ],
)
def test_paths_that_do_not_fit(route: str, path: str) -> None:
    assert _found(_router(route), path) is None


def test_the_first_that_fits_in_the_order_of_names_answers() -> None:
    router = _router("jobs/{id:int}", "jobs/{id}", "jobs/open", "{*all}")
    assert _found(router, "/api/jobs/7") == ("jobs/{id:int}", {"id": "7"})
    assert _found(router, "/api/jobs/open") == ("jobs/{id}", {"id": "open"})
    assert _found(router, "/api/other") == ("{*all}", {"all": "other"})


def test_the_order_is_that_of_names_without_regard_to_case_and_not_of_declaration() -> None:
    functions = _functions("{id}", "latest", methods=("GET",))
    named = [replace(function, name=name) for function, name in zip(functions, ("Beta", "alpha"), strict=True)]
    assert _found(Router(named, "api"), "/api/latest") == ("latest", {})


@pytest.mark.parametrize(
    ("constraint", "fits", "does_not"),
    [
        ("alpha", "abC", "a1"),
        ("bool", "TRUE", "yes"),
        ("decimal", "-1.5", "1e"),
        ("guid", "{0b57c7ff-3a44-4d07-8d38-1c8d8f2a3c11}", "{0b57c7ff-3a44-4d07-8d38-1c8d8f2a3c11"),
        ("guid", "0b57c7ff3a444d078d381c8d8f2a3c11", "0b57c7ff3a444d078d381c8d8f2a3c1"),
        ("int", "-2147483648", "2147483648"),
        ("length(3)", "abc", "ab"),
        ("length(2,3)", "ab", "a"),
        ("long", "2147483648", "9223372036854775808"),
        ("max(5)", "-9", "6"),
        ("maxlength(2)", "ab", "abc"),
        ("min(5)", "5", "4"),
        ("minlength(2)", "ab", "a"),
        ("range(1,12)", "12", "13"),
        ("regex(^[xy]+$)", "XYX", "xz"),
    ],
)
def test_constraints(constraint: str, fits: str, does_not: str) -> None:
    assert _checked(constraint, fits)
    assert not _checked(constraint, does_not)


def test_a_function_without_methods_takes_every_one() -> None:
    router = _router("jobs", methods=())
    assert all(_found(router, "/api/jobs", method) for method in ("GET", "HEAD", "OPTIONS", "TRACE", "FOO"))


def test_a_method_is_taken_in_any_case() -> None:
    assert _found(_router("jobs"), "/api/jobs", "get") is not None


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_another_method_is_no_match(method: str) -> None:
    assert _found(_router("jobs"), "/api/jobs", method) is None


def test_an_empty_prefix() -> None:
    assert _found(_router("jobs", prefix=""), "/jobs") == ("jobs", {})


@pytest.mark.parametrize(
    "route",
    [
        "jobs/{id",
        "jobs/{id:colour}",
        "jobs/{id:min(x)}",
        "jobs/id}",
        "{name}.{extension?}",
        "jobs/{id:regex(()}",
        "jobs/{?}",
    ],
)
def test_a_route_that_cannot_be_read_is_an_error(route: str) -> None:
    with pytest.raises(UnsupportedError, match="f0"):
        _router(route)
