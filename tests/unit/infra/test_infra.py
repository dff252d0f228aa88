"""What infra makes is what the app needs, by the names that the app knows, and open to nobody else."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tree_sitter import Node

from shared.adapters import cosmos
from shared.declarations import containers, specs
from shared.settings import Settings
from support.bicep import Declaration, Template, literal, properties, text, walk
from support.bicep_check import check
from support.functions import functions

HOST_SETTINGS = {
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""Settings of the Functions host alone."""
NOT_ON_FLEX = {
    "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTSHARE",
    "WEBSITE_TIME_ZONE", "SCM_DO_BUILD_DURING_DEPLOYMENT", "ENABLE_ORYX_BUILD", "AzureWebJobsStorage",
}  # fmt: skip
ROLES = {
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "cognitiveServicesOpenAiUser": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    "cosmosDataContributor": "00000000-0000-0000-0000-000000000002",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
}
"""Azure's built-in roles, from its documentation."""
CLOSED = [
    ("app/storage.bicep", "account", "allowSharedKeyAccess", "false"),
    ("app/storage.bicep", "account", "allowBlobPublicAccess", "false"),
    ("app/storage.bicep", "account", "minimumTlsVersion", "'TLS1_2'"),
    ("app/storage.bicep", "account", "supportsHttpsTrafficOnly", "true"),
    ("app/storage.bicep", "account", "publicNetworkAccess", "private ? 'Disabled' : 'Enabled'"),
    ("app/documents.bicep", "account", "disableLocalAuth", "true"),
    ("app/documents.bicep", "account", "minimalTlsVersion", "'Tls12'"),
    ("app/documents.bicep", "account", "publicNetworkAccess", "private ? 'Disabled' : 'Enabled'"),
    ("app/vault.bicep", "vault", "enableRbacAuthorization", "true"),
    ("app/vault.bicep", "vault", "publicNetworkAccess", "private ? 'Disabled' : 'Enabled'"),
    ("app/openai.bicep", "account", "disableLocalAuth", "true"),
    ("app/openai.bicep", "account", "publicNetworkAccess", "private ? 'Disabled' : 'Enabled'"),
    ("app/monitoring.bicep", "insights", "DisableLocalAuth", "true"),
    ("app/api.bicep", "app", "httpsOnly", "true"),
    ("app/api.bicep", "app", "siteConfig.minTlsVersion", "'1.2'"),
    ("app/api.bicep", "app", "siteConfig.cors", "{ allowedOrigins: [], supportCredentials: false }"),
    ("app/api.bicep", "app", "functionAppConfig.deployment.storage.authentication.type", "'UserAssignedIdentity'"),
    ("app/api.bicep", "scm", "allow", "false"),
    ("app/api.bicep", "ftp", "allow", "false"),
]  # fmt: skip


def resources(templates: dict[str, Template]) -> Iterator[tuple[str, str, Declaration]]:
    for path, template in templates.items():
        for kind, resource in template.resources():
            yield path, kind, resource


def resource(template: Template, name: str) -> Declaration:
    return next(each for _, each in template.resources() if each.name == name)


def at(declared: Declaration, path: str) -> Node:
    node = properties(declared.body)["properties"]
    for name in path.split("."):
        node = properties(node)[name]
    return node


def variable(template: Template, name: str) -> Node:
    value = template.of("var")[name].value
    assert value is not None
    return value


def names_of(infra: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((infra / "names.json").read_text("utf-8"))
    return content


def test_every_file_is_one_that_a_compiler_would_take(templates: dict[str, Template], infra: Path) -> None:
    contents = frozenset(str(path.relative_to(infra)) for path in infra.rglob("*") if path.is_file())
    assert len(templates) > 10
    assert check(templates, contents) == []


def test_every_module_is_used(templates: dict[str, Template]) -> None:
    used = {declared.target for template in templates.values() for declared in template.of("module").values()}
    assert {Path(path).name for path in templates} - {Path(target).name for target in used} == {"main.bicep"}


def test_one_version_of_each_kind_of_resource(templates: dict[str, Template]) -> None:
    versions: dict[str, set[str]] = {}
    for _, kind, _ in resources(templates):
        name, _, version = kind.partition("@")
        versions.setdefault("/".join(name.split("/")[:2]), set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_roles_are_azures_own(infra: Path) -> None:
    assert json.loads((infra / "roles.json").read_text("utf-8")) == ROLES


def test_each_role_is_given_to_somebody(templates: dict[str, Template], infra: Path) -> None:
    sources = "".join(text(template.root) for template in templates.values())
    assert [name for name in ROLES if f"roles.{name}" not in sources] == []


@pytest.mark.parametrize(("path", "name", "setting", "value"), CLOSED)
def test_what_is_to_be_closed_is_closed(
    templates: dict[str, Template], path: str, name: str, setting: str, value: str
) -> None:
    assert text(at(resource(templates[path], name), setting)) == value


def test_no_key_of_an_account_is_read(templates: dict[str, Template]) -> None:
    for path, template in templates.items():
        assert not re.search(r"list\w*(Keys|ConnectionStrings)|AccountKey=", text(template.root)), path


def test_every_secret_is_a_parameter_that_is_not_shown(templates: dict[str, Template]) -> None:
    for path, template in templates.items():
        for name, param in template.of("param").items():
            if re.search(r"(secret|key|password)$", name, re.IGNORECASE):
                assert "secure" in param.decorators, f"{path}: {name}"
                assert param.value is None or text(param.value) == "''", f"{path}: {name}"


def app_settings(templates: dict[str, Template]) -> dict[str, str]:
    api, openai = templates["app/api.bicep"], templates["app/openai.bicep"]
    outputs = openai.of("output")["settings"].value
    assert outputs is not None
    nodes = [*walk(variable(api, "appSettings")), *walk(variable(api, "redditSettings")), outputs]
    return {name: text(value) for node in nodes for name, value in properties(node).items()}


def test_every_app_setting_is_one_that_the_app_or_its_host_knows(templates: dict[str, Template]) -> None:
    given = app_settings(templates)
    assert len(given) > 15
    assert given.keys() - specs().keys() - HOST_SETTINGS == set()
    assert given.keys() & NOT_ON_FLEX == set()


def test_secrets_come_from_the_vault_and_none_else_is_set(templates: dict[str, Template]) -> None:
    # Application Insights takes nothing from who only knows its connection string: DisableLocalAuth.
    secret = {spec.name for spec in specs().values() if spec.secret} - {"APPLICATIONINSIGHTS_CONNECTION_STRING"}
    given = {name: value for name, value in app_settings(templates).items() if name in secret}
    assert given.keys() >= {"NIGHTSHIFT_OPERATOR_KEY", "WEBHOOK_SECRET", "REDDIT_CLIENT_SECRET"}
    assert all(value.startswith("'@Microsoft.KeyVault(SecretUri=") for value in given.values())


def test_the_queues_are_those_that_the_app_listens_to(infra: Path) -> None:
    triggers = [binding for each in functions().values() for binding in each.get_bindings()]
    queues = {each.queue_name for each in triggers if each.type == "queueTrigger"}  # type: ignore[attr-defined]
    assert set(names_of(infra)["queues"]) == queues


def test_documents_are_kept_as_the_adapter_expects(templates: dict[str, Template], infra: Path) -> None:
    container = resource(templates["app/documents.bicep"], "container")
    assert names_of(infra)["containers"] == list(containers())
    assert text(at(container, "resource.partitionKey.paths")) == f"['{cosmos._PARTITION_KEY}']"
    assert text(at(container, "resource.defaultTtl")) == str(cosmos._TTL_BY_DOCUMENT)


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


def test_nothing_that_a_query_asks_for_is_left_out_of_the_index(root: Path, infra: Path) -> None:
    asked = queried(root)
    assert {"status", "kind", "watch_at", "sort", "fingerprint"} <= asked
    policies = names_of(infra)["indexing"]
    left_out = {
        path["path"].split("/")[2]
        for each in policies.values()
        for path in each["excludedPaths"]
        if path["path"].startswith("/body/")
    }
    assert "payload" in left_out
    assert left_out & asked == set()


def test_of_a_job_only_what_queries_ask_for_is_indexed(infra: Path) -> None:
    policy = names_of(infra)["indexing"]["jobs"]
    indexed = [path["path"] for path in policy["includedPaths"]]
    asked = ["created_at", "discarded_at", "due_at", "kind", "parent_id", "status", "watch_at"]
    assert indexed == [f"/body/{name}/?" for name in asked]
    assert policy["excludedPaths"][0] == {"path": "/*"}


def test_no_lifecycle_rule_can_touch_a_job(templates: dict[str, Template]) -> None:
    """A rule sees no job: it must match nothing that only the state of a job allows to go."""
    lifecycle = resource(templates["app/storage.bicep"], "lifecycle")
    prefixes = [node for node in walk(lifecycle.node) if node.type == "object_property" and "prefixMatch" in text(node)]
    matched = [text(node) for node in walk(prefixes[-1]) if node.type == "string"]
    rests = [each.strip("'").removeprefix("${statusContainer}/") for each in matched]
    assert rests == ["20", "digests/"]
    assert not any("jobs/".startswith(rest) or rest.startswith("jobs/") for rest in rests)
    assert names_of(Path(__file__).parents[3] / "infra")["artifactDays"] == Settings().retention_artifact_days


def test_every_endpoint_has_a_name_in_the_network(templates: dict[str, Template]) -> None:
    zones = {literal(node) or text(node).strip("'") for node in walk(variable(templates["app/network.bicep"], "zones"))}
    known = {re.sub(r"\$\{.*\}", "storage", zone) for zone in zones}
    asked = set()
    for template in templates.values():
        for module in template.of("module").values():
            if "endpoint.bicep" in module.target:
                zone = text(properties(properties(module.body)["params"])["zone"]).strip("'")
                asked |= {zone.replace("${service}", one) for one in ("blob", "queue", "table")}
    assert {re.sub(r"\$\{.*\}", "storage", zone) for zone in asked} <= known


def test_every_account_tells_the_workspace(templates: dict[str, Template]) -> None:
    for path in ("storage", "documents", "vault", "openai", "api"):
        kinds = [kind for kind, _ in templates[f"app/{path}.bicep"].resources()]
        assert any(kind.startswith("Microsoft.Insights/diagnosticSettings@") for kind in kinds), path
