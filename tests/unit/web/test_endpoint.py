"""Functions of the app called as the worker calls them: every error becomes an answer, and none tells too much."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import shared.bootstrap
from blueprints.http import api_url, endpoint
from shared.jobs.errors import (
    DeadLetterNotFoundError,
    FieldProblem,
    InvalidPayloadError,
    InvalidTransitionError,
    JobNotFoundError,
)
from shared.ports import PreconditionError, StorageError
from shared.web.answers import Answer, Problem
from support.functions import functions as app_functions

REPOSITORY = Path(__file__).parents[3]
Function = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


def request(method: str = "GET", path: str = "/api/x", body: bytes = b"", **route: str) -> func.HttpRequest:
    return func.HttpRequest(method, f"http://localhost:7071{path}", body=body, route_params=route)


def raising(error: Exception) -> Function:
    @endpoint
    async def health(req: func.HttpRequest) -> Answer:
        raise error

    return health


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
    @endpoint
    async def health(req: func.HttpRequest) -> Answer:
        return Answer(202, b"{}", {"Location": "/there"})

    response = await health(request())
    assert (response.status_code, response.get_body(), response.mimetype) == (202, b"{}", "application/json")
    assert response.headers["Location"] == "/there"


def test_the_worker_sees_the_functions_own_signature() -> None:
    assert list(inspect.signature(raising(ValueError())).parameters) == ["req"]


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> dict[str, Function]:
    """The functions of the app by name; storage is not to be reached."""

    def nowhere() -> Any:
        raise StorageError

    monkeypatch.setattr(shared.bootstrap, "app", nowhere)
    return {name: one.get_user_function() for name, one in app_functions().items()}


async def test_health_needs_no_storage(functions: dict[str, Function]) -> None:
    response = await functions["Health"](request(path="/api/health"))
    assert (response.status_code, json.loads(response.get_body())["status"]) == (200, "alive")


@pytest.mark.parametrize(
    ("name", "route"),
    [
        ("GetJob", {"job_id": "7"}),
        ("CancelJob", {"job_id": "7"}),
        ("GetDeadLetter", {"letter_id": "7"}),
        ("ReplayDeadLetter", {"letter_id": "7"}),
        ("ReplayDeadLetters", {}),
        ("ListDeadLetters", {}),
        ("PostTasteFeedback", {}),
        ("GetTasteProfile", {"user_id": "ann"}),
        ("DeleteTaste", {"user_id": "ann"}),
    ],
)
async def test_storage_that_is_away_is_a_503(functions: dict[str, Function], name: str, route: dict[str, str]) -> None:
    response = await functions[name](request(body=b"{}", **route))
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
    assert api_url(func.HttpRequest("POST", url, body=b""), route) == "https://app.example/api"
