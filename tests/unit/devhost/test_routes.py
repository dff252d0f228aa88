"""Which function answers a path."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest

from devhost.index import Function, IndexingError, index
from devhost.routes import Router


def _router(*routes: str, methods: tuple[str, ...] = ("GET",), prefix: str = "api") -> Router:
    return Router(_functions(*routes, methods=methods), prefix)


def _functions(*routes: str, methods: tuple[str, ...]) -> list[Function]:
    app = func.FunctionApp()
    for number, route in enumerate(routes):

        def handler(req: func.HttpRequest) -> func.HttpResponse:
            return func.HttpResponse(req.url)

        app.function_name(f"f{number}")(app.route(route=route, methods=list(methods))(handler))
    return index(app, {})


def _found(router: Router, path: str, method: str = "GET") -> Any:
    found = router.find(method, path)
    return None if found is None else (found[0].trigger["route"], found[1])


@pytest.mark.parametrize(
    ("route", "path", "values"),
    [
        ("jobs", "/api/jobs", {}),
        ("jobs", "/api/jobs/", {}),
        ("jobs", "/API/Jobs", {}),
        ("jobs/{id}", "/api/jobs/a%20b", {"id": "a b"}),
        ("jobs/{id}", "/api/jobs/a%2Fb%2fc%252F", {"id": "a%2Fb%2fc%2F"}),
        ("jobs/{id?}", "/api/jobs", {}),
        ("jobs/{id?}", "/api/jobs/7", {"id": "7"}),
        ("jobs/{id:guid}", "/api/jobs/0b57c7ff-3a44-4d07-8d38-1c8d8f2a3c11", {"id": "0b57c7ff-3a44-4d07-8d38-1c8d8f2a3c11"}),
        ("jobs/{id:int:long}", "/api/jobs/-5", {"id": "-5"}),
        ("{kind}/items/{id:int?}", "/api/x/items", {"kind": "x"}),
        ("files/{*rest}", "/api/files/a/b", {"rest": "a/b"}),
        ("files/{*rest}", "/api/files", {}),
        ("v{major}.{minor}", "/api/v1.2", {"major": "1", "minor": "2"}),
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


def test_literals_win_over_constrained_parameters_and_those_over_free_ones() -> None:
    router = _router("{*all}", "jobs/{id}", "jobs/{id:int}", "jobs/open")
    assert _found(router, "/api/jobs/open") == ("jobs/open", {})
    assert _found(router, "/api/jobs/7") == ("jobs/{id:int}", {"id": "7"})
    assert _found(router, "/api/jobs/x") == ("jobs/{id}", {"id": "x"})
    assert _found(router, "/api/other") == ("{*all}", {"all": "other"})


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS"])
def test_another_method_is_no_match(method: str) -> None:
    assert _found(_router("jobs"), "/api/jobs", method) is None


def test_an_empty_prefix() -> None:
    assert _found(_router("jobs", prefix=""), "/jobs") == ("jobs", {})


@pytest.mark.parametrize("route", ["jobs/{id", "jobs/{id:colour}", "jobs/{id:min(x)}", "jobs/{id=5}"])
def test_a_route_that_cannot_be_read_is_an_error(route: str) -> None:
    with pytest.raises(IndexingError, match="f0"):
        _router(route)
