"""azure.yaml and its hooks: `azd` finds what they name, and the hooks do what they say."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from infra.hooks import keys
from shared.declarations import specs
from shared.settings import load
from support.bicep import Template, text


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / "azure.yaml").read_text("utf-8"))
    return content


def test_the_service_is_this_function_app(project: dict[str, Any], templates: dict[str, Template]) -> None:
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", project["name"])
    [(name, service)] = project["services"].items()
    assert service == {"project": ".", "language": "python", "host": "function"}
    main = text(templates["main.bicep"].root)
    assert f"serviceName: '{name}'" in main
    assert "'azd-env-name': environmentName" in main
    tagged = [each for template in templates.values() for each in re.findall("azd-service-name", text(template.root))]
    assert len(tagged) == 1  # azd refuses where it finds a second
    assert {f"SERVICE_{name.upper()}_NAME", f"SERVICE_{name.upper()}_URI"} <= set(templates["main.bicep"].of("output"))


def test_hooks_run_on_every_system_what_there_is(project: dict[str, Any], root: Path) -> None:
    assert set(project["hooks"]) == {"preprovision", "postdeploy"}
    for hook in project["hooks"].values():
        assert set(hook) == {"posix", "windows"}
        commands = {each["run"].split(maxsplit=1)[1] for each in hook.values()}
        assert len(commands) == 1
        script, verb = commands.pop().split()
        assert (root / script).is_file()
        assert verb in ("make", "install")


def test_parameters_are_those_of_the_template(infra: Path, templates: dict[str, Template]) -> None:
    given = json.loads((infra / "main.parameters.json").read_text("utf-8"))["parameters"]
    params = templates["main.bicep"].of("param")
    assert given.keys() <= params.keys()
    assert {name for name, param in params.items() if param.value is None} <= given.keys()
    for name, parameter in given.items():
        default = re.fullmatch(r"\$\{\w+=(.*)\}", str(parameter["value"]))
        value = params[name].value
        if default and value is not None:
            assert default[1] == text(value).strip("'"), name


def test_the_limits_of_parameters_are_those_of_the_settings(templates: dict[str, Template]) -> None:
    key = text(templates["main.bicep"].root).split("param operatorKey")[0].rsplit("@minLength(", 1)[1]
    assert specs()["NIGHTSHIFT_OPERATOR_KEY"].kind == f"at least {key.split(')')[0]} characters"


def test_hooks_use_outputs_that_there_are(templates: dict[str, Template], root: Path) -> None:
    source = (root / "infra/hooks/keys.py").read_text("utf-8")
    asked = set(re.findall(r'environ\["(\w+)"\]', source))
    assert asked - set(templates["main.bicep"].of("output")) == {"NIGHTSHIFT_OPERATOR_KEY"}


class Azd:
    """What `azd` was asked to do."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def __call__(self, *arguments: str) -> str:
        match arguments:
            case ("env", "set", name, value):
                self.kept[name] = value
                return ""
            case ("auth", "token", *_):
                return json.dumps({"token": "t0ken"})
        raise AssertionError(arguments)


def test_missing_secrets_are_made_once_and_the_app_takes_them() -> None:
    azd = Azd()
    keys.make({"WEBHOOK_SECRET": ""}, azd)
    assert set(azd.kept) == {"NIGHTSHIFT_OPERATOR_KEY", "WEBHOOK_SECRET"}
    assert load(azd.kept).operator_key == azd.kept["NIGHTSHIFT_OPERATOR_KEY"]
    again = Azd()
    keys.make(azd.kept, again)
    assert again.kept == {}


def test_a_workflow_without_the_secrets_is_told_and_makes_none() -> None:
    azd = Azd()
    with pytest.raises(keys.HookError, match="NIGHTSHIFT_OPERATOR_KEY and WEBHOOK_SECRET"):
        keys.make({"CI": "true"}, azd)
    assert azd.kept == {}


class Host:
    """The management address of a function app whose host is still coming up."""

    def __init__(self, *statuses: int) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        left = list(statuses)
        requests = self.requests

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                requests.append((self.path, self.headers["Authorization"], body))
                self.send_response(left.pop(0))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def host() -> Iterator[Callable[..., Host]]:
    made: list[Host] = []

    def start(*statuses: int) -> Host:
        made.append(Host(*statuses))
        Thread(target=made[-1].server.serve_forever, args=(0.01,), daemon=True).start()
        return made[-1]

    yield start
    for each in made:
        each.server.shutdown()
        each.server.server_close()


ENVIRON = {"SERVICE_API_RESOURCE_ID": "/subscriptions/s/sites/func-1", "NIGHTSHIFT_OPERATOR_KEY": "k" * 40}


def test_the_host_is_given_the_key_as_soon_as_it_takes_it(host: Callable[..., Host]) -> None:
    app, pauses = host(400, 503, 201), list[float]()
    keys.install(ENVIRON, Azd(), app.url, pauses.append)
    path, authorization, body = app.requests[-1]
    assert path == "/subscriptions/s/sites/func-1/host/default/functionKeys/operator?api-version=2024-04-01"
    assert authorization == "Bearer t0ken"
    assert body == {"properties": {"name": "operator", "value": "k" * 40}}
    assert len(app.requests) == 3
    assert len(pauses) == 2


def test_a_host_that_never_takes_it_is_told_of_without_the_key(host: Callable[..., Host]) -> None:
    app = host(*[400] * 10)
    with pytest.raises(keys.HookError, match=r"HTTP 400\. Later: azd hooks run postdeploy") as caught:
        keys.install(ENVIRON, Azd(), app.url, lambda _: None)
    assert "kkk" not in str(caught.value)


def test_who_may_not_is_told_at_once(host: Callable[..., Host]) -> None:
    app = host(403)
    with pytest.raises(keys.HookError, match="HTTP 403"):
        keys.install(ENVIRON, Azd(), app.url, lambda _: None)
    assert len(app.requests) == 1


def test_the_command_line_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.main(["rotate"]) == 2
    assert "make|install" in capsys.readouterr().err
