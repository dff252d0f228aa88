"""Functions of the app called as the worker calls them: every error becomes an answer, and none tells too much."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Awaitable, Callable

import azure.functions as func
import pytest

from blueprints import start
from blueprints.http import call_of, function_of
from shared.app import App
from shared.jobs.errors import (
    DeadLetterNotFoundError,
    FieldProblem,
    InvalidPayloadError,
    InvalidTransitionError,
    JobNotFoundError,
)
from shared.ports import PreconditionError, StorageError
from shared.web.answers import Answer, Problem
from shared.web.routes import Api, Call, Handler, Parameter
from shared.web.rules import OPEN
from support.functions import Nowhere
from support.functions import functions as app_functions

ID = "0198c3a2-0000-7000-8000-000000000000"
Function = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def request(method: str = "GET", path: str = "/api/x", body: bytes = b"", **route: str) -> func.HttpRequest:
    return func.HttpRequest(method, f"http://localhost:7071{path}", body=body, route_params=route)


def served(handler: Handler, template: str = "x", body: str | None = None) -> Function:
    """The function of a route that a handler answers."""
    api = Api(__name__, "test", *(Parameter(name, "path", {}, "") for name in re.findall(r"\{(\w+)", template)))
    api.route("Test", f"POST {template}", OPEN, {200: None}, body=body)(handler)
    return function_of(api.routes[0])


def raising(error: Exception) -> Function:
    async def handler(app: App, call: Call) -> Answer:
        """Fail."""
        raise error

    return served(handler)


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Storage is not to be reached."""
    monkeypatch.setattr(start, "app", Nowhere)


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (Problem(400, "Not JSON", "at line 1"), 400, "at line 1"),
        (InvalidPayloadError((FieldProblem("a", "expected"),)), 422, "expected"),
        (JobNotFoundError("there is no job x"), 404, "there is no job x"),
        (DeadLetterNotFoundError("there is no dead letter x"), 404, "there is no dead letter x"),
        (InvalidTransitionError("it is completed"), 409, "it is completed"),
        (StorageError("account key of ann"), 503, "try again"),
        (PreconditionError("account key of ann"), 503, "try again"),
        (RuntimeError("account key of ann"), 500, "could not be handled"),
    ],
)
async def test_every_error_is_an_answer(
    error: Exception, status: int, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await raising(error)(request(path="/api/x?secret=1"))
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    content = json.loads(response.get_body())
    assert (content["status"], content["instance"]) == (status, "/api/x")
    assert says in json.dumps(content)
    assert "ann" not in json.dumps(content)
    assert "ann" not in caplog.text
    assert (response.headers.get("Retry-After") is not None) is (status == 503)
    assert bool(caplog.records) is (status >= 500)


async def test_an_answer_goes_out_as_it_is() -> None:
    async def handler(app: App, call: Call) -> Answer:
        """Take it."""
        return Answer(202, b"{}", {"Location": "/there"})

    response = await served(handler)(request())
    assert (response.status_code, response.get_body(), response.mimetype) == (202, b"{}", "application/json")
    assert response.headers["Location"] == "/there"


@pytest.mark.parametrize(
    ("name", "query", "says"),
    [
        ("ListJobs", {"stauts": "failed"}, "stauts is no parameter of this route; it takes ids, kind, "),
        ("ListJobs", {"cursor": "zzz"}, "cursor must be the cursor of a page before"),
        ("ListDeadLetters", {"cursor": "2026-11-28"}, "cursor must be the cursor of a page before"),
        ("ListOccurrences", {"cursor": ID}, "cursor must be the cursor of a page before"),
        ("ListSources", {"cursor": "~"}, "cursor must be the cursor of a page before"),
        ("ListItems", {"cursor": "1"}, "cursor must be the cursor of a page before"),
        ("ListUsers", {"cursor": " "}, "cursor must be the cursor of a page before"),
        ("ListWardrobe", {"cursor": "a b"}, "cursor must be the cursor of a page before"),
        ("ListDigests", {"cursor": "last"}, "cursor must be the cursor of a page before"),
        ("ListSubscriptions", {"cursor": "rss_1"}, "cursor must be the cursor of a page before"),
        ("Health", {"deep": "true"}, "deep is no parameter of this route; it takes none"),
    ],
)
async def test_a_parameter_that_means_nothing_is_refused_and_not_ignored(
    functions: dict[str, Function], name: str, query: dict[str, str], says: str
) -> None:
    asked = func.HttpRequest("GET", "http://localhost:7071/api/x", params=query, body=b"")
    response = await functions[name](asked)
    content = json.loads(response.get_body())
    assert (response.status_code, content["type"]) == (422, "/api/problems/invalid-input")
    assert says in " ".join((content["errors"][0]["field"], content["errors"][0]["message"]))


async def test_a_key_may_be_sent_as_a_parameter(functions: dict[str, Function]) -> None:
    asked = func.HttpRequest("GET", "http://localhost:7071/api/health", params={"code": "k", "clientId": "c"}, body=b"")
    assert (await functions["Health"](asked)).status_code == 200


def test_the_worker_sees_the_functions_own_signature() -> None:
    assert list(inspect.signature(raising(ValueError())).parameters) == ["req"]


@pytest.fixture
def functions() -> dict[str, Function]:
    """The functions of the app by name."""
    return {name: one.get_user_function() for name, one in app_functions().items()}


async def test_health_needs_no_storage(functions: dict[str, Function]) -> None:
    response = await functions["Health"](request(path="/api/health"))
    assert (response.status_code, json.loads(response.get_body())["status"]) == (200, "alive")


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("GetJob", {"job_id": ID}),
        ("CancelJob", {"job_id": ID}),
        ("GetDeadLetter", {"letter_id": ID}),
        ("ReplayDeadLetter", {"letter_id": ID}),
        ("ReplayDeadLetters", {}),
        ("ListDeadLetters", {}),
        ("PostTasteFeedback", {}),
        ("GetTasteProfile", {"user_id": "ann"}),
        ("DeleteTaste", {"user_id": "ann"}),
    ],
)
async def test_storage_that_is_away_is_a_503(functions: dict[str, Function], name: str, route: dict[str, str]) -> None:
    body = b'{"user_id": "ann", "item_id": "shirt-1", "signal": "up"}' if name == "PostTasteFeedback" else b"{}"
    response = await functions[name](request(body=body, **route))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


def test_every_queue_and_timer_has_a_function(functions: dict[str, Function]) -> None:
    assert {
        "ProcessTasteAnalysisJob", "ProcessTasteAnalysisJobDlq", "ProcessJobs", "ProcessJobsHigh", "ProcessJobsLow",
        "ProcessJobsDlq", "ProcessJobsHighDlq", "ProcessJobsLowDlq", "SweepRecentJobs", "SweepAllJobs",
    } <= set(functions)  # fmt: skip


@pytest.mark.parametrize(
    ("url", "route"),
    [
        ("https://app.example/api/taste/feedback", "taste/feedback"),
        ("https://app.example/api/Taste/FEEDBACK/?code=x", "taste/feedback"),
        ("https://app.example/api/digests/ann%40a.example/run", "digests/{user_id}/run"),
        ("https://app.example/api/openapi.json", "openapi.json"),
    ],
)
def test_the_address_of_the_api_whatever_way_the_route_is_spelled(url: str, route: str) -> None:
    api = Api(__name__, "test", Parameter("user_id", "path", {}, ""))

    @api.route("Test", f"POST {route}", OPEN, {200: None})
    async def handler(app: App, call: Call) -> Answer:
        """Answer."""
        return Answer(200)

    assert call_of(api.routes[0], func.HttpRequest("POST", url, body=b"")).api_url == "https://app.example/api"


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [("chunked", b"", 411), ("Chunked", b"", 411), ("chunked", b"{}", 200), ("", b"", 200)],
)
async def test_a_chunked_body_that_the_host_did_not_read_is_asked_for_again(
    coding: str, body: bytes, status: int
) -> None:
    async def handler(app: App, call: Call) -> Answer:
        """Take it."""
        return Answer(200)

    sent = func.HttpRequest("POST", "http://localhost:7071/api/x", headers={"Transfer-Encoding": coding}, body=body)
    response = await served(handler, body="bodies:Any")(sent)
    assert response.status_code == status
    assert (b"Content-Length" in response.get_body()) is (status == 411)
    assert (await served(handler)(sent)).status_code == 200  # a route without a body has lost nothing
