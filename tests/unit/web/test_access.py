"""Access to every route of the app: the table against the functions, and every function as each sort of caller."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

import blueprints.http
from blueprints import start
from shared.app import App
from shared.declarations import routes
from shared.settings import load
from shared.web.access import Gate, Request, in_azure, operator_of
from shared.web.answers import HEADERS, Answer, Problem
from shared.web.routes import Api, Call
from shared.web.rules import OPERATE as OPERATE_RULE
from support.functions import Nowhere
from support.functions import functions as app_functions

REPOSITORY = Path(__file__).parents[3]
KEY = "the operator's key: long enough"
AZURE = {"WEBSITE_INSTANCE_ID": "1"}
SIGNED_IN = {**AZURE, "WEBSITE_AUTH_ENABLED": "True"}
OID = "11111111-2222-3333-4444-555555555555"
RULES = {route.function: route.rule for route in routes()}
OPERATE = {name for name, rule in RULES.items() if rule.role == "operator"}
ACTIONS = {
    "CancelJob", "RetryJob", "RenewRun", "GetJobPayload", "PauseKind", "ResumeKind", "GetDeadLetter", "ReplayDeadLetter", "ReplayDeadLetters",
    "DiscardDeadLetter", "RunTimer", "CreateSource", "ChangeSource", "DeleteSource", "RunSource", "RunDigest",
    "ReprocessDocuments", "WorkDocumentQueue", "ClearDocuments", "PublishSite", "ShowSiteEdition",
    "ValidatePipeline", "ListPipelines", "CreatePipeline", "GetPipeline", "ChangePipeline", "DeletePipeline", "ListPipelineVersions", "GetPipelineVersion", "ExecutePipeline", "DryRunPipeline", "ListVaults", "CreateVault", "GetVault", "ChangeVault", "DeleteVault", "CrawlVault", "GetVaultCheckpoints", "DeleteVaultCheckpoints", "ListVaultExecutions", "ListExecutions", "GetExecution", "GetExecutionItems", "CancelExecution", "RetryExecution",
}  # fmt: skip
OF_CODE = {"ListExecutors", "GetPipelineSchema"}
"""Answered from the code alone."""
OPEN = {
    "Health",
    "GetOpenApi",
    "GetProblem",
    "Greet",
    "Docs",
    "Dashboard",
    "DashboardPart",
    "ReadAdventure",
    "ReadAdventurePart",
    "GetSitePage",
    "HeadSitePage",
}


def principal(role: str = "Nightshift.Operator", **changes: Any) -> str:
    """The header as App Service writes it."""
    claims = [
        {"typ": "roles", "val": role},
        {"typ": "http://schemas.microsoft.com/identity/claims/objectidentifier", "val": OID},
        {"typ": "name", "val": "Ann Example"},
        {"typ": "preferred_username", "val": "ann@example.org"},
    ]
    content = {"auth_typ": "aad", "claims": claims, "name_typ": "name", "role_typ": "roles", **changes}
    return b64encode(json.dumps(content).encode()).decode()


@pytest.fixture(scope="module")
def functions() -> dict[str, tuple[dict[str, Any], Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]]]:
    """The app's HTTP functions by name: each one's trigger and what is called."""
    found = {}
    for name, one in app_functions().items():
        for binding in json.loads(one.get_function_json())["bindings"]:
            if binding["type"] == "httpTrigger":
                found[name] = binding, one.get_user_function()
    return found


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put the app's functions behind a gate for these settings; storage is not to be reached."""

    def guard(environ: Mapping[str, str], **settings: str) -> None:
        gate = Gate(load(settings), environ)
        monkeypatch.setattr(blueprints.http, "gate", lambda: gate)

    monkeypatch.setattr(start, "app", Nowhere)
    return guard


def request(
    binding: Mapping[str, Any], body: bytes = b"", headers: Mapping[str, str] | None = None
) -> func.HttpRequest:
    values = dict.fromkeys(re.findall(r"\{(\w+)", binding.get("route", "")), "x")
    url = "https://app.example.org/api/x"
    return func.HttpRequest(binding["methods"][0], url, headers=headers, body=body, route_params=values)


def test_every_function_has_a_declared_route_and_every_route_a_function(functions: dict[str, Any]) -> None:
    told = {name: (binding["methods"], binding["route"]) for name, (binding, _) in functions.items()}
    assert told == {route.function: ([route.method], route.template) for route in routes()}


def test_the_host_asks_for_a_key_wherever_the_table_does(functions: dict[str, Any]) -> None:
    levels = {name: str(binding["authLevel"]).lower() for name, (binding, _) in functions.items()}
    assert {name for name, level in levels.items() if level == "anonymous"} == OPEN
    assert {name for name, rule in RULES.items() if rule.role == "anonymous"} == OPEN
    assert set(levels.values()) == {"anonymous", "function"}


def test_what_operators_do_is_for_operators() -> None:
    assert OPERATE == ACTIONS


def test_only_what_takes_a_body_takes_a_large_one(functions: dict[str, Any]) -> None:
    for name, (binding, _) in functions.items():
        rule = RULES[name]
        reads = binding["methods"][0] in ("GET", "HEAD")
        assert (rule.largest == 1024) is reads, name
        assert rule.rate == ("anonymous" if name in OPEN else "reads" if reads else rule.rate)
        assert rule.largest <= (
            100 * 2**20 if name == "UploadDocument" else 2**20
        )  # a file is larger than what is JSON


CALLERS: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str], bool]] = {
    "no key, nothing configured": (AZURE, {}, {}, False),
    "no key": (AZURE, {"NIGHTSHIFT_OPERATOR_KEY": KEY}, {}, False),
    "a client's key": (AZURE, {"NIGHTSHIFT_OPERATOR_KEY": KEY}, {"x-functions-key": "client"}, False),
    "an empty key": (AZURE, {}, {"x-functions-key": ""}, False),
    "the operator's key": (AZURE, {"NIGHTSHIFT_OPERATOR_KEY": KEY}, {"x-functions-key": KEY}, True),
    "a forged principal": (AZURE, {"NIGHTSHIFT_OPERATOR_KEY": KEY}, {"x-ms-client-principal": principal()}, False),
    "a true principal": (SIGNED_IN, {}, {"x-ms-client-principal": principal()}, True),
    "a principal of another role": (SIGNED_IN, {}, {"x-ms-client-principal": principal("Reader")}, False),
    "somebody signed in elsewhere": (SIGNED_IN, {}, {"x-ms-client-principal": principal(auth_typ="google")}, False),
    "a role of another name": (
        SIGNED_IN, {"NIGHTSHIFT_OPERATOR_ROLE": "Ops"}, {"x-ms-client-principal": principal("Ops")}, True,
    ),
    "a key reference that was not resolved": (
        AZURE, {"NIGHTSHIFT_OPERATOR_KEY": f"@Microsoft.KeyVault(SecretUri={KEY})"},
        {"x-functions-key": f"@Microsoft.KeyVault(SecretUri={KEY})"}, False,
    ),
    "a developer's machine": ({"WEBSITE_HOSTNAME": "localhost:7071"}, {}, {}, True),
    "a developer's machine with a key, without it": ({}, {"NIGHTSHIFT_OPERATOR_KEY": KEY}, {}, False),
}  # fmt: skip


@pytest.mark.parametrize("caller", CALLERS)
async def test_every_route_as_every_caller(
    functions: dict[str, Any], guarded: Callable[..., None], caller: str
) -> None:
    """The host has checked what it checks; what is left is for the app to refuse."""
    environ, settings, headers, operator = CALLERS[caller]
    guarded(environ, **settings)
    for name, (binding, function) in functions.items():
        response = await function(request(binding, headers=headers))
        refused = response.status_code == 403
        assert refused is (name in OPERATE and not operator), (name, response.get_body())
        assert refused or name in OPEN | OF_CODE or response.status_code in (400, 404, 422, 503), name


async def test_every_route_refuses_what_is_too_large_before_it_reads_it(
    functions: dict[str, Any], guarded: Callable[..., None]
) -> None:
    guarded({})
    for name, (binding, function) in functions.items():
        rule = RULES[name]
        assert (await function(request(binding, body=b"[" * (rule.largest + 1)))).status_code == 413, name
        assert (await function(request(binding, body=b"[" * rule.largest))).status_code != 413, name


async def test_every_route_slows_down_who_asks_too_often(
    functions: dict[str, Any], guarded: Callable[..., None]
) -> None:
    slow = {f"RATE_{name}": "0.01" for name in ("READS", "WRITES", "OPERATOR", "ANONYMOUS")}
    for name, (binding, function) in functions.items():
        guarded({}, **slow)
        assert (await function(request(binding))).status_code != 429, name
        response = await function(request(binding))
        assert response.status_code == 429, name
        assert 50 < int(response.headers["Retry-After"]) <= 100, name  # a first answer may take seconds


async def test_every_answer_tells_browsers_to_be_careful(
    functions: dict[str, Any], guarded: Callable[..., None]
) -> None:
    guarded(AZURE, NIGHTSHIFT_OPERATOR_KEY=KEY)
    for name, (binding, function) in functions.items():
        response = await function(request(binding, headers={"x-functions-key": KEY, "origin": "https://a.example"}))
        for header in (*HEADERS, "Strict-Transport-Security"):
            assert response.headers.get(header), (name, header)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert not [header for header, _ in response.headers.items() if header.lower().startswith("access-control-")], (
            name
        )


async def test_who_did_it_is_known_to_what_is_done_and_told_in_the_log(
    guarded: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    api = Api(__name__, "test")

    @api.route("CancelJob", "POST x", OPERATE_RULE, {200: None})
    async def cancel_job(app: App, call: Call) -> Answer:
        """Tell who calls."""
        return Answer(200, call.caller.encode())

    function = blueprints.http.function_of(api.routes[0])
    guarded(SIGNED_IN, NIGHTSHIFT_OPERATOR_KEY=KEY)
    with caplog.at_level("INFO", "nightshift.http"):
        by_principal = await function(request({"methods": ["POST"]}, headers={"x-ms-client-principal": principal()}))
        by_key = await function(request({"methods": ["POST"]}, headers={"x-functions-key": KEY}))
    assert [by_principal.get_body(), by_key.get_body()] == [f"principal {OID}".encode(), b"operator key"]
    assert f"function=CancelJob by=principal {OID} status=200" in caplog.text
    assert "ann" not in caplog.text.lower()
    assert KEY not in caplog.text


def test_a_refusal_says_what_to_configure() -> None:
    with pytest.raises(Problem, match="NIGHTSHIFT_OPERATOR_KEY") as refused:
        Gate(load({}), AZURE).admit(RULES["CancelJob"], Request({}, {}, 0))
    assert refused.value.status == 403
    with pytest.raises(Problem, match=r"the operator's key or the role Nightshift\.Operator"):
        Gate(load({"NIGHTSHIFT_OPERATOR_KEY": KEY}), SIGNED_IN).admit(RULES["CancelJob"], Request({}, {}, 0))


def test_the_key_counts_from_where_the_host_takes_it() -> None:
    gate = Gate(load({"NIGHTSHIFT_OPERATOR_KEY": KEY}), AZURE)
    assert gate.admit(RULES["CancelJob"], Request({}, {"code": KEY}, 0)).role == "operator"
    with pytest.raises(Problem):  # the host has checked the header, and not what stands in the address
        gate.admit(RULES["CancelJob"], Request({"x-functions-key": "client"}, {"code": KEY}, 0))


@pytest.mark.parametrize("key", ["\udcff", "\x00", "ключ", f"{KEY},{KEY}", f" {KEY}", KEY.upper()])
def test_a_key_of_whatever_characters_is_a_clients(key: str) -> None:
    gate = Gate(load({"NIGHTSHIFT_OPERATOR_KEY": KEY}), AZURE)
    assert gate.admit(RULES["ListJobs"], Request({"x-functions-key": key}, {}, 0)).role == "client"
    assert gate.admit(RULES["ListJobs"], Request({}, {"code": key}, 0)).role == "client"


@pytest.mark.parametrize(
    "header",
    ["", "%", "e30=", b64encode(b"[]").decode(), b64encode(b'"x"').decode(), b64encode(b"\xff").decode(), "x" * 30000,
     b64encode(b'{"auth_typ":"aad","claims":[1]}').decode(), b64encode(b'{"auth_typ":"aad","claims":{"a":1}}').decode(),
     b64encode(b"[" * 20000).decode(), principal(claims=[]), principal(claims=None)],
)  # fmt: skip
def test_a_header_that_is_no_principal_is_nobodys(header: str) -> None:
    assert operator_of(header, "Nightshift.Operator") is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, False),
        ({"WEBSITE_HOSTNAME": "127.0.0.1:7071"}, False),
        ({"WEBSITE_HOSTNAME": "app.azurewebsites.net"}, True),
        ({"WEBSITE_INSTANCE_ID": "a"}, True),
        ({"WEBSITE_POD_NAME": "a"}, True),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, True),
        ({"CONTAINER_APP_NAME": "a"}, True),
    ],
)
def test_what_is_taken_for_azure(environ: dict[str, str], expected: bool) -> None:
    assert in_azure(environ) is expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "local"),
        ("1.2.3.4", "1.2.3.4"),
        ("1.2.3.4:5678", "1.2.3.4"),
        ("9.9.9.9, 1.2.3.4:80", "1.2.3.4"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:db8::1", "2001:db8::1"),
    ],
)
def test_an_address_is_the_last_hop_without_its_port(header: str, expected: str) -> None:
    assert Request({"x-forwarded-for": header}, {}, 0).address == expected


def test_made_up_keys_are_worth_no_fresh_bucket_where_no_key_is_checked() -> None:
    gate = Gate(load({"RATE_ANONYMOUS": "1"}), {})
    made_up = (Request({"x-functions-key": f"made up {number}"}, {}, 0) for number in range(100))
    assert [gate.admit(RULES["Health"], next(made_up)).role for _ in range(2)] == ["anonymous"] * 2
    with pytest.raises(Problem, match="more often"):
        gate.admit(RULES["Health"], next(made_up))


def test_indexing_the_app_loads_no_model_library() -> None:
    """What is declared of routes and timers is read at every cold start."""
    heavy = "('pydantic', 'shared.jobs.model', 'aiohttp', 'azure.storage')"
    code = f"import function_app, sys; sys.exit(bool([name for name in {heavy} if name in sys.modules]))"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=False).returncode == 0
