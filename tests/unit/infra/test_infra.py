"""What infra makes is what the app needs, by the names that the app knows, and open to nobody else."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from devtools import reference
from shared.adapters import cosmos
from shared.declarations import settings_of, specs
from shared.settings import Settings
from support import bicep
from support.bicep import CONTAINERS, COSMOS, SERVICES, SITE, STORAGE, VAULT, Compiled, Deployment, at

OLDEST = date(2024, 11, 28)
"""No API version is older, but for types that have no newer one. To be moved on with the calendar, like the versions."""
NO_NEWER = {
    "Microsoft.Authorization/roleAssignments", "Microsoft.Insights/actionGroups", "Microsoft.Insights/components",
    "Microsoft.Insights/diagnosticSettings", "Microsoft.Network/privateDnsZones",
    "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
}  # fmt: skip
"""The linter's use-recent-api-versions knows none that is stable."""
HOST_SETTINGS = {
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""Settings of the Functions host alone."""
SDK_SETTINGS = {"OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"}
"""Settings that OpenTelemetry reads by itself."""
NOT_YET_READ = {"AZURE_SPEECH_ENDPOINT", "AZURE_TRANSLATOR_ENDPOINT"}
"""For domains that are not there yet; behind switches that are off."""
NOT_ON_FLEX = {
    "AzureWebJobsStorage", "ENABLE_ORYX_BUILD", "FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_MAX_HTTP_CONCURRENCY",
    "FUNCTIONS_WORKER_PROCESS_COUNT", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION",
    "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE",
    "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT", "WEBSITE_NODE_DEFAULT_VERSION", "WEBSITE_RUN_FROM_PACKAGE",
    "WEBSITE_SKIP_CONTENTSHARE_VALIDATION", "WEBSITE_TIME_ZONE", "WEBSITE_VNET_ROUTE_ALL",
}  # fmt: skip
"""App settings that Flex Consumption refuses, or that mean nothing there (WEBSITE_VNET_ROUTE_ALL: all is routed)."""
NOT_IN_SITE_CONFIG = {
    "ftpsState", "functionAppScaleLimit", "linuxFxVersion", "netFrameworkVersion", "preWarmedInstanceCount",
    "use32BitWorkerProcess", "windowsFxVersion", "alwaysOn", "minimumElasticInstanceCount",
}  # fmt: skip
BOTH = ["smallest", "fullest"]


@pytest.fixture(params=BOTH)
def deployment(request: pytest.FixtureRequest, compiled: Compiled) -> Deployment:
    """Each of the two."""
    return compiled.deployments[str(request.param)]


def names() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(json.dumps(reference._names()))
    return content


# --- the templates -----------------------------------------------------------------------------------------------------


def test_the_compiler_and_its_linter_have_nothing_to_say(compiled: Compiled) -> None:
    ages = [each for each in compiled.diagnostics if "use-recent-api-versions" in each]  # judged below, by no calendar
    assert [each for each in compiled.diagnostics if each not in ages] == []


MISTAKES = [
    ("app/storage.bicep", "name: statusContainer", "name: statusContaner", "statusContaner"),
    ("app/identity.bicep", "param tags object\n", "param tags object\nparam spare string\n", "no-unused-params"),
    ("app/monitoring.bicep", "retentionInDays: 30", "retentionInDays: 'long'", "BCP036"),
]


def test_mistakes_in_templates_are_found(infra: Path, tmp_path: Path) -> None:
    for file in infra.rglob("*"):
        if file.suffix in (".bicep", ".json", ".kql"):
            (tmp_path / file.relative_to(infra)).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file.relative_to(infra)).write_bytes(file.read_bytes())
    for path, old, new, _ in MISTAKES:
        text = (tmp_path / path).read_text("utf-8")
        assert old in text
        (tmp_path / path).write_text(text.replace(old, new), "utf-8")
    found = bicep.build(tmp_path / "main.bicep")[1]
    for path, _, _, said in MISTAKES:
        assert any(each.startswith(Path(path).name) and said in each for each in found), path


def test_every_module_is_used(infra: Path) -> None:
    used = {
        name
        for path in infra.rglob("*.bicep")
        for name in re.findall(r"module \w+ '\S*?(\w+\.bicep)'", path.read_text("utf-8"))
    }
    assert {path.name for path in infra.rglob("*.bicep")} - used == {"main.bicep"}


def test_api_versions_are_recent_and_one_for_each_type(fullest: Deployment) -> None:
    versions: dict[str, set[str]] = {}
    for each in fullest.resources:
        versions.setdefault(each["type"], set()).add(each["apiVersion"])
    assert {kind: found for kind, found in versions.items() if len(found) > 1} == {}
    old = {kind for kind, [version] in versions.items() if date.fromisoformat(version[:10]) < OLDEST}
    assert old == NO_NEWER & versions.keys()


def test_the_limits_of_parameters_are_azures(compiled: Compiled) -> None:
    limits = {name: (each.get("minValue"), each.get("maxValue")) for name, each in compiled.parameters.items()}
    assert limits["maximumInstanceCount"] == (40, 1000)
    assert limits["alwaysReadyHttp"] == (0, 40)
    assert all(
        None not in limits[name]
        for name, each in compiled.parameters.items()
        if each["type"] == "int" and name != "dailyLogCapGb" and "allowedValues" not in each
    )
    assert {"westeurope", "northeurope", "eastus"} < set(compiled.parameters["location"]["allowedValues"])


def test_secrets_are_parameters_that_are_not_shown_and_have_no_default(compiled: Compiled) -> None:
    secret = {name for name, each in compiled.parameters.items() if each["type"].lower().startswith("secure")}
    assert secret == {name for name in compiled.parameters if re.search(r"(Secret|Key)$", name)}
    assert {compiled.parameters[name].get("defaultValue", "") for name in secret} == {""}


@pytest.mark.parametrize(
    ("variable", "value"),
    [("NIGHTSHIFT_OPERATOR_KEY", "short"), ("DEPLOY_MAXIMUM_INSTANCE_COUNT", "20"), ("AZURE_LOCATION", "moonbase")],
)
def test_a_parameter_out_of_bounds_is_refused(compiled: Compiled, tmp_path: Path, variable: str, value: str) -> None:
    (tmp_path / "main.json").write_text(json.dumps(compiled.template), "utf-8")
    bicep.write_parameters(tmp_path / "x.bicepparam", compiled.parameters, {**bicep.REQUIRED, variable: value})
    done = bicep.snapshot(tmp_path / "x.bicepparam")
    assert done.returncode != 0
    assert value not in done.stdout


def test_no_key_of_an_account_is_read(compiled: Compiled) -> None:
    assert not re.search(r"list\w*(Keys|ConnectionStrings|Secrets)\(|AccountKey=", json.dumps(compiled.template))


def test_what_people_look_for_is_handed_out(smallest: Deployment) -> None:
    assert {
        "AZURE_FUNCTION_NAME", "AZURE_KEY_VAULT_NAME", "AZURE_LOCATION", "AZURE_RESOURCE_GROUP", "AZURE_TENANT_ID",
        "APPLICATIONINSIGHTS_CONNECTION_STRING", "COSMOS_ENDPOINT", "SERVICE_API_NAME", "SERVICE_API_URI",
    } <= smallest.outputs.keys()  # fmt: skip


# --- the app -----------------------------------------------------------------------------------------------------------


def test_the_app_is_as_flex_consumption_wants_it(deployment: Deployment) -> None:
    app, plan = deployment.one(SITE), deployment.one("Microsoft.Web/serverfarms")
    assert plan["sku"]["name"] == "FC1"
    scale = at(app, "functionAppConfig.scaleAndConcurrency")
    assert scale["triggers"]["http"]["perInstanceConcurrency"] > 1, "one request that waits would hold an instance"
    assert scale["maximumInstanceCount"] >= 40
    assert at(app, "functionAppConfig.siteUpdateStrategy") == {"type": "RollingUpdate"}
    assert at(app, "siteConfig").keys() & NOT_IN_SITE_CONFIG == set()


def test_every_app_setting_is_one_that_somebody_knows(deployment: Deployment) -> None:
    given, known = deployment.settings().keys(), {spec.name for spec in specs().values()}
    assert len(given) > 10
    assert given - known - HOST_SETTINGS - SDK_SETTINGS == set()
    assert given & NOT_ON_FLEX == set()


def test_the_app_takes_the_settings_that_it_is_given(deployment: Deployment) -> None:
    known = {spec.name for spec in specs().values()}
    evaluated = {
        name: re.sub(r"^\[.*\]$", "https://known-in-azure.example", value)
        for name, value in deployment.settings().items()
    }
    chosen = {name: value for name, value in evaluated.items() if name in known and name != "WEBHOOK_SECRET"}
    assert settings_of(chosen).cosmos_database == Settings().cosmos_database


def test_secrets_come_from_the_vault_and_none_else_is_set(fullest: Deployment) -> None:
    # Application Insights takes nothing from who only knows its connection string: DisableLocalAuth.
    secret = {spec.name for spec in specs().values() if spec.secret} - {"APPLICATIONINSIGHTS_CONNECTION_STRING"}
    given = {name: value for name, value in fullest.settings().items() if name in secret}
    assert given.keys() == {"NIGHTSHIFT_OPERATOR_KEY", "WEBHOOK_SECRET", "REDDIT_CLIENT_SECRET"}
    assert all("@Microsoft.KeyVault(SecretUri=" in value for value in given.values())
    assert not any(value in json.dumps(fullest.settings()) for name, value in bicep.FULL.items() if name in given)


def test_a_share_of_the_spans_is_chosen_by_their_trace(compiled: Compiled) -> None:
    """By the trace alone: with its parent's word for it, an attempt would be told whose submission was not."""
    assert compiled.smallest.settings().keys() & SDK_SETTINGS == set()
    chosen = {name: compiled.fullest.settings()[name] for name in SDK_SETTINGS}
    assert chosen == {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"}


# --- what the app finds ------------------------------------------------------------------------------------------------


_LISTENED = """
from support.functions import functions
bindings = (one for each in functions().values() for one in each.get_bindings())
print(*(one.queue_name for one in bindings if one.type == "queueTrigger"))
"""


def test_the_queues_are_those_that_the_app_listens_to(root: Path, deployment: Deployment) -> None:
    """The app as it is indexed with the queues for kinds that this deployment sets; in a process of its own, since it reads them once."""
    chosen = {name: value for name, value in deployment.settings().items() if name == "JOBS_KIND_QUEUES"}
    environ = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'tests'}", **chosen}
    done = subprocess.run(
        [sys.executable, "-c", _LISTENED], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    made = {each["name"].rsplit("/", 1)[-1] for each in deployment.of(f"{STORAGE}/queueServices/queues")}
    assert made == set(done.stdout.split())
    assert made >= set(names()["queues"])
    assert len(made) == len(names()["queues"]) + (4 if chosen else 0)


def test_documents_are_kept_as_the_code_declares(deployment: Deployment) -> None:
    made = {each["name"].rsplit("/", 1)[-1]: each["properties"]["resource"] for each in deployment.of(CONTAINERS)}
    assert list(made) == list(names()["containers"])
    for name, each in made.items():
        assert each["id"] == name
        assert each["partitionKey"]["paths"] == [cosmos._PARTITION_KEY]
        assert each["defaultTtl"] == cosmos._TTL_BY_DOCUMENT
        policy = names()["indexing"][name]
        assert {key: each["indexingPolicy"].get(key) for key in policy} == policy
    assert deployment.one(f"{COSMOS}/sqlDatabases")["name"].endswith(f"/{names()['database']}")


def test_status_blobs_have_their_container(deployment: Deployment) -> None:
    made = {each["name"].rsplit("/", 1)[-1] for each in deployment.of(f"{STORAGE}/blobServices/containers")}
    assert made == {names()["statusContainer"], "app-package"}


def queried(root: Path) -> set[str]:
    """Every property that a query of the app compares or orders by."""
    found = {"id"}
    for path in (root / "shared").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                first = node.args[:1] if node.func.id == "Where" else []
                found |= {
                    each.value
                    for each in [*first, *(one.value for one in node.keywords if one.arg == "order_by")]
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                }
    return found


def test_nothing_that_a_query_asks_for_is_left_out_of_the_index(root: Path) -> None:
    asked = queried(root)
    assert {"status", "kind", "watch_at", "sort", "fingerprint"} <= asked
    left_out = {
        path["path"].split("/")[2]
        for each in names()["indexing"].values()
        for path in each["excludedPaths"]
        if path["path"].startswith("/body/")
    }
    assert "payload" in left_out
    assert left_out & asked == set()


def test_of_a_job_only_what_queries_ask_for_is_indexed() -> None:
    policy = names()["indexing"]["jobs"]
    indexed = [path["path"] for path in policy["includedPaths"]]
    asked = ["created_at", "discarded_at", "due_at", "kind", "parent_id", "status", "watch_at"]
    assert indexed == [f"/body/{name}/?" for name in asked]
    assert policy["excludedPaths"][0] == {"path": "/*"}


def test_no_lifecycle_rule_can_touch_a_job(deployment: Deployment) -> None:
    """A rule sees no job: it must match nothing that only the state of a job allows to go."""
    [rule] = at(deployment.one(f"{STORAGE}/managementPolicies"), "policy.rules")
    matched = rule["definition"]["filters"]["prefixMatch"]
    container = names()["statusContainer"]
    rests = [each.removeprefix(f"{container}/") for each in matched]
    assert rests == ["20", "digests/"]
    assert not any("jobs/".startswith(rest) or rest.startswith("jobs/") for rest in rests)
    days = rule["definition"]["actions"]["baseBlob"]["delete"]["daysAfterModificationGreaterThan"]
    assert days == names()["artifactDays"] == Settings().retention_artifact_days


# --- switches ----------------------------------------------------------------------------------------------------------


def test_what_was_not_asked_for_is_not_made(smallest: Deployment) -> None:
    kinds = {each["type"] for each in smallest.resources}
    assert not any(kind.startswith(("Microsoft.Network/", "Microsoft.CognitiveServices/")) for kind in kinds)
    assert at(smallest.one(f"{STORAGE}/blobServices"), "staticWebsite") == {"enabled": False}
    assert at(smallest.one(SITE), "functionAppConfig.scaleAndConcurrency.alwaysReady") == []


def test_zones_are_said_one_way_or_the_other(compiled: Compiled) -> None:
    for name, zones in (("smallest", False), ("fullest", True)):
        made = compiled.deployments[name]
        assert [each["isZoneRedundant"] for each in at(made.one(COSMOS), "locations")] == [zones]
        assert at(made.one("Microsoft.Web/serverfarms"), "zoneRedundant") is zones
        assert made.one(STORAGE)["sku"]["name"] == ("Standard_ZRS" if zones else "Standard_LRS")
    [ready] = at(compiled.fullest.one(SITE), "functionAppConfig.scaleAndConcurrency.alwaysReady")
    assert ready["instanceCount"] == 2  # asked for one, in several zones


def test_documents_are_serverless_or_scale(compiled: Compiled) -> None:
    small, full = compiled.smallest, compiled.fullest
    assert at(small.one(COSMOS), "capabilities") == [{"name": "EnableServerless"}]
    assert at(full.one(COSMOS), "capabilities") == []
    assert at(full.one(f"{COSMOS}/sqlDatabases"), "options") == {"autoscaleSettings": {"maxThroughput": 10000}}
    assert at(small.one(f"{COSMOS}/sqlDatabases"), "options") == {}


def test_each_ai_service_is_one_account_whose_endpoint_the_app_gets(fullest: Deployment) -> None:
    kinds = {each["kind"]: each for each in fullest.of(SERVICES)}
    assert set(kinds) == {"OpenAI", "SpeechServices", "TextTranslation", "FormRecognizer"}
    settings = fullest.settings()
    domain = at(kinds["SpeechServices"], "customSubDomainName")
    assert settings["AZURE_SPEECH_ENDPOINT"] == f"https://{domain}.cognitiveservices.azure.com/"
    assert settings["AZURE_SPEECH_RESOURCE_ID"].endswith(f"accounts/{kinds['SpeechServices']['name']}")
    deployed = {each["name"].rsplit("/", 1)[-1]: at(each, "model") for each in fullest.of(f"{SERVICES}/deployments")}
    assert settings["AZURE_OPENAI_CHAT_DEPLOYMENT"] in deployed
    assert settings["AZURE_OPENAI_EMBEDDING_DEPLOYMENT"] in deployed
    assert kinds["OpenAI"]["location"] == "swedencentral"


def zone(text: str) -> str:
    """The name of a zone, in which the suffix of storage is known in Azure only."""
    if not (found := re.search(r"format\('(privatelink[^']*)', (.*?\.storage)\)", text)):
        return text.rsplit("/", 1)[-1]
    return found[1].format(
        *(each.strip("'").replace("environment().suffixes.storage", "storage") for each in found[2].split(", "))
    )


def test_every_endpoint_has_a_name_in_the_network(fullest: Deployment) -> None:
    asked = [
        zone(config["properties"]["privateDnsZoneId"])
        for each in fullest.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
        for config in at(each, "privateDnsZoneConfigs")
    ]
    assert len(asked) == len(fullest.of("Microsoft.Network/privateEndpoints")) == 9
    assert set(asked) == {zone(each["name"]) for each in fullest.of("Microsoft.Network/privateDnsZones")}
    assert "privatelink.queue.storage" in asked


def test_every_account_tells_the_workspace(fullest: Deployment) -> None:
    told = [each["id"] for each in fullest.of("Microsoft.Insights/diagnosticSettings")]
    for kind in (STORAGE, COSMOS, VAULT, SITE, SERVICES):
        for each in fullest.of(kind):
            assert any(each["id"] in one for one in told), each["name"]
