"""azure.yaml and its hooks: `azd` finds what they name, and the hooks do what they say."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jsonschema_rs
import pytest
import yaml

from infra.hooks import keys, package
from shared.declarations import settings_of, specs
from support import bicep
from support.bicep import Compiled, Deployment

AZURE = Path(os.environ.get("NIGHTSHIFT_AZURE", Path(__file__).parents[4] / "shared" / "azure"))
NO_PARAMETERS = {
    "AZURE_CLIENT_ID": "whom azd signs in as",
    "AZURE_TENANT_ID": "where",
    "AZURE_SUBSCRIPTION_ID": "azd deploys into it",
}
"""Variables of the workflow that are no parameters, and what they are for."""


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((root / "azure.yaml").read_text("utf-8"))
    return content


@pytest.fixture(scope="module")
def workflow(root: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load((root / ".github/workflows/azure-dev.yml").read_text("utf-8"))
    return content


def parameters(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "infra/main.parameters.json").read_text("utf-8"))["parameters"]
    return content


def variables(root: Path) -> set[str]:
    """Every environment variable that a parameter is read from."""
    return set(re.findall(r"\$\{(\w+)", json.dumps(parameters(root))))


# --- azure.yaml --------------------------------------------------------------------------------------------------------


def findings(content: object) -> list[str]:
    """What azd's schema says of a project; what it takes from elsewhere is not looked up."""
    if not (AZURE / "azure.yaml.schema.json").exists():
        pytest.skip(f"no schema of azure.yaml in {AZURE}: set NIGHTSHIFT_AZURE")
    schema = json.loads((AZURE / "azure.yaml.schema.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(schema, retriever=lambda _: {})
    return [str(each) for each in validator.iter_errors(content)]


def test_the_project_is_as_azds_schema_wants_it(project: dict[str, Any]) -> None:
    assert findings(project) == []


def test_a_mistake_in_the_project_is_found(project: dict[str, Any]) -> None:
    wrong = json.loads(json.dumps(project))
    wrong["hooks"]["preprovison"] = wrong["hooks"].pop("preprovision")
    wrong["services"]["api"]["remoteBuild"] = "no"
    assert len(findings(wrong)) == 2


def test_the_service_is_this_function_app(project: dict[str, Any], smallest: Deployment) -> None:
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", project["name"])
    [(name, service)] = project["services"].items()
    assert (service["project"], service["language"], service["host"]) == (".", "python", "function")
    assert service["remoteBuild"] is False  # it has 60 seconds
    tagged = [each for each in smallest.resources if each.get("tags", {}).get("azd-service-name") == name]
    assert [each["type"] for each in tagged] == ["Microsoft.Web/sites"]  # azd refuses where it finds a second
    assert all(each["tags"]["azd-env-name"] == "test" for each in smallest.resources if "tags" in each)
    assert {f"SERVICE_{name.upper()}_NAME", f"SERVICE_{name.upper()}_URI"} <= smallest.outputs.keys()


def hooks(project: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Each hook, its script and its arguments."""
    for name, hook in [*project["hooks"].items(), *project["services"]["api"]["hooks"].items()]:
        assert set(hook) == {"posix", "windows"}
        [command] = {each["run"].split(maxsplit=1)[1] for each in hook.values()}
        script, _, verb = command.partition(" ")
        yield name, script, verb


def test_hooks_run_on_every_system_what_there_is(project: dict[str, Any], root: Path) -> None:
    found = {(name, verb) for name, script, verb in hooks(project) if script == "infra/hooks/keys.py"}
    assert found == {
        ("preup", "make"),
        ("preprovision", "make"),
        ("postprovision", "refresh"),
        ("postdeploy", "install"),
    }
    assert all((root / script).is_file() for _, script, _ in hooks(project))


def test_packages_are_installed_before_the_app_is_packed(project: dict[str, Any]) -> None:
    """A hook of the service: one of the project does not run with `azd deploy`."""
    assert project["services"]["api"]["hooks"].keys() == {"prepackage"}
    assert ("prepackage", "infra/hooks/package.py", "") in set(hooks(project))


# --- parameters, and who hands them over -------------------------------------------------------------------------------


def test_parameters_are_those_of_the_template(root: Path, compiled: Compiled) -> None:
    given, declared = parameters(root), compiled.parameters
    assert given.keys() == declared.keys()
    for name, parameter in given.items():
        default = re.fullmatch(r"\$\{\w+=(.*)\}", str(parameter["value"]))
        if default and "defaultValue" in declared[name]:
            assert default[1] == str(declared[name]["defaultValue"]).replace("True", "true").replace(
                "False", "false"
            ), name


def test_what_has_no_default_is_made_or_asked_for(root: Path) -> None:
    asked = set(re.findall(r"\$\{(\w+)\}", json.dumps(parameters(root))))
    assert asked == {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", *keys.MADE}


def test_an_empty_variable_is_no_variable() -> None:
    """A workflow's variable that is not set is an empty one."""
    assert bicep.substituted("${DEPLOY_X=2048}", {"DEPLOY_X": ""}) == "2048"
    assert bicep.substituted("${DEPLOY_X=}", {"DEPLOY_X": "a"}) == "a"


def test_the_workflow_hands_over_every_parameter(root: Path, workflow: dict[Any, Any]) -> None:
    """One that it left out would be reset by each run."""
    given = workflow["jobs"]["deploy"]["env"]
    assert given.keys() - NO_PARAMETERS.keys() == variables(root) - {"AZURE_PRINCIPAL_ID"}  # azd says who it is itself
    for name, value in given.items():
        of = "secrets" if name in (*keys.MADE, "REDDIT_CLIENT_SECRET") else "vars"
        assert value == f"${{{{ {of}.{name} }}}}" or (name, value) == ("AZURE_PRINCIPAL_TYPE", "ServicePrincipal")


def test_azd_sets_up_the_workflow_with_all_of_it(root: Path, project: dict[str, Any], workflow: dict[Any, Any]) -> None:
    """`azd pipeline config` looks for this file, and makes credentials for pull requests and the branch it is asked on."""
    pipeline = project["pipeline"]
    secrets = {name for name, value in workflow["jobs"]["deploy"]["env"].items() if value.startswith("${{ secrets.")}
    assert set(pipeline["secrets"]) == secrets
    by_itself = {"AZURE_ENV_NAME", "AZURE_LOCATION", "AZURE_PRINCIPAL_ID", "AZURE_PRINCIPAL_TYPE"}
    assert set(pipeline["variables"]) == variables(root) - secrets - by_itself
    triggers = workflow[True]  # `on`, as YAML reads it
    assert triggers["push"] == {"branches": ["main"]}
    assert "environment" not in workflow["jobs"]["deploy"]  # its credential would be another one


def test_the_hook_installs_for_the_python_that_the_template_chooses(compiled: Compiled) -> None:
    assert compiled.parameters["pythonVersion"]["defaultValue"] == package.PYTHON


def test_the_limits_of_parameters_are_those_of_the_settings(compiled: Compiled) -> None:
    assert (
        specs()["NIGHTSHIFT_OPERATOR_KEY"].kind
        == f"at least {compiled.parameters['operatorKey']['minLength']} characters"
    )


def test_hooks_use_outputs_that_there_are(root: Path, smallest: Deployment) -> None:
    source = (root / "infra/hooks/keys.py").read_text("utf-8")
    asked = set(re.findall(r"environ\[['\"](\w+)['\"]\]", source))
    assert asked - smallest.outputs.keys() == {"NIGHTSHIFT_OPERATOR_KEY"}


# --- the keys ----------------------------------------------------------------------------------------------------------


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
    assert settings_of(azd.kept).operator_key == azd.kept["NIGHTSHIFT_OPERATOR_KEY"]
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

            do_POST = do_PUT  # noqa: N815 - the name that http.server looks for

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
    assert path == "/subscriptions/s/sites/func-1/host/default/functionKeys/operator?api-version=2025-03-01"
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


def test_a_changed_secret_is_read_anew(host: Callable[..., Host]) -> None:
    app = host(200)
    keys.refresh(ENVIRON, Azd(), app.url)
    [(path, authorization, _)] = app.requests
    assert path == "/subscriptions/s/sites/func-1/config/configreferences/appsettings/refresh?api-version=2022-03-01"
    assert authorization == "Bearer t0ken"


def test_where_it_is_not_whoever_deploys_is_told(host: Callable[..., Host]) -> None:
    with pytest.raises(keys.HookError, match=r"within a day only: HTTP 409\. Later: azd hooks run postprovision"):
        keys.refresh(ENVIRON, Azd(), host(409).url)


def test_the_command_line_refuses_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert keys.main(["rotate"]) == 2
    assert "make|refresh|install" in capsys.readouterr().err
