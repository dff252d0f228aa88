"""Who may what, in Azure: what is closed is closed, and each has the least roles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import bicep
from support.bicep import (
    CONTAINERS,
    COSMOS,
    INSIGHTS,
    SERVICES,
    SITE,
    STORAGE,
    VAULT,
    Compiled,
    Deployment,
    Resource,
    at,
)

ROLES = {
    "cognitiveServicesOpenAiUser": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    "cognitiveServicesSpeechUser": "f2dc8367-1007-4938-bd23-fe263f013447",
    "cognitiveServicesUser": "a97b65f3-24c7-4388-baec-2e87135dc908",
    "cosmosDataContributor": "00000000-0000-0000-0000-000000000002",
    "keyVaultSecretsOfficer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
    "keyVaultSecretsUser": "4633458b-17de-408a-b874-0445c86b69e6",
    "monitoringMetricsPublisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "storageBlobDataContributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "storageBlobDataOwner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "storageQueueDataContributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "storageTableDataContributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
}
"""Azure's built-in roles, from its documentation."""
APP_MAY = {
    "Microsoft.Insights/components": {"monitoringMetricsPublisher"},
    "Microsoft.KeyVault/vaults": {"keyVaultSecretsUser"},
    "Microsoft.Storage/storageAccounts": {"storageBlobDataOwner", "storageQueueDataContributor", "storageTableDataContributor"},
    "Microsoft.DocumentDB/databaseAccounts": {"cosmosDataContributor"},
    "Microsoft.CognitiveServices/accounts": {
        "cognitiveServicesOpenAiUser", "cognitiveServicesSpeechUser", "cognitiveServicesUser",
    },
}  # fmt: skip
"""The app's roles by what they are on; owning blobs includes their index tags."""
OPERATOR_MAY = {
    "Microsoft.KeyVault/vaults": {"keyVaultSecretsOfficer"},
    "Microsoft.Storage/storageAccounts": {"storageBlobDataContributor", "storageQueueDataContributor"},
    "Microsoft.DocumentDB/databaseAccounts": {"cosmosDataContributor"},
}
CLOSED = [
    (STORAGE, "allowSharedKeyAccess", False),
    (STORAGE, "allowBlobPublicAccess", False),
    (STORAGE, "minimumTlsVersion", "TLS1_2"),
    (STORAGE, "supportsHttpsTrafficOnly", True),
    (COSMOS, "disableLocalAuth", True),
    (COSMOS, "minimalTlsVersion", "Tls12"),
    (VAULT, "enableRbacAuthorization", True),
    (SERVICES, "disableLocalAuth", True),
    (INSIGHTS, "DisableLocalAuth", True),
    (SITE, "httpsOnly", True),
    (SITE, "siteConfig.minTlsVersion", "1.2"),
    (SITE, "functionAppConfig.deployment.storage.authentication.type", "UserAssignedIdentity"),
    (f"{SITE}/basicPublishingCredentialsPolicies", "allow", False),
]


@pytest.mark.parametrize(("kind", "setting", "value"), CLOSED)
def test_what_is_to_be_closed_is_closed(fullest: Deployment, kind: str, setting: str, value: object) -> None:
    found = fullest.of(kind)
    assert found
    assert [at(each, setting) for each in found] == [value] * len(found)


@pytest.mark.parametrize("kind", [STORAGE, COSMOS, VAULT, SERVICES])
def test_private_networking_leaves_no_public_way_in(compiled: Compiled, kind: str) -> None:
    assert {at(each, "publicNetworkAccess") for each in compiled.fullest.of(kind)} == {"Disabled"}
    assert {at(each, "publicNetworkAccess") for each in compiled.smallest.of(kind)} <= {"Enabled"}
    if kind != COSMOS:
        assert {at(each, "networkAcls.defaultAction") for each in compiled.fullest.of(kind)} == {"Deny"}


def test_the_portal_may_call_only_where_it_was_asked_for(compiled: Compiled) -> None:
    allowed = {
        name: at(each.one(SITE), "siteConfig.cors.allowedOrigins") for name, each in compiled.deployments.items()
    }
    assert allowed == {"smallest": [], "fullest": ["https://portal.azure.com"]}


def test_roles_are_azures_own(infra: Path) -> None:
    assert json.loads((infra / "roles.json").read_text("utf-8")) == ROLES


def granted(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """Who is given what on what kind of resource."""
    of = {identifier: name for name, identifier in ROLES.items()}
    for each in deployment.of("Microsoft.Authorization/roleAssignments"):
        scope = re.search(r"/providers/(Microsoft\.\w+/\w+)/[\w-]+('|/providers/Microsoft\.Authorization)", each["id"])
        assert scope
        yield _who(each), of[each["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]], scope[1]
    for each in deployment.of(f"{COSMOS}/sqlRoleAssignments"):
        yield _who(each), of[each["properties"]["roleDefinitionId"].rsplit("/", 1)[-1]], COSMOS


def _who(assignment: Resource) -> str:
    return "operator" if assignment["properties"]["principalId"] == bicep.FULL["AZURE_PRINCIPAL_ID"] else "app"


@pytest.mark.parametrize(("who", "may"), [("app", APP_MAY), ("operator", OPERATOR_MAY)])
def test_each_has_the_least_roles_each_on_one_resource(fullest: Deployment, who: str, may: dict[str, set[str]]) -> None:
    found: dict[str, set[str]] = {}
    for grantee, role, scope in granted(fullest):
        if grantee == who:
            found.setdefault(scope, set()).add(role)
    assert found == may


def test_nobody_but_the_app_is_given_anything_unless_it_was_asked_for(smallest: Deployment) -> None:
    assert {who for who, _, _ in granted(smallest)} == {"app"}


def test_a_role_on_documents_waits_for_all_containers(compiled: Compiled) -> None:
    """An account takes one change at a time, and refuses a second: 412."""
    [documents] = [each for each in compiled.template["resources"] if each.get("name") == "documents"]
    resources = documents["properties"]["template"]["resources"]
    [containers] = [each["copy"]["name"] for each in resources if each["type"] == CONTAINERS]
    [role] = [each for each in resources if each["type"] == f"{COSMOS}/sqlRoleAssignments"]
    assert containers in role["dependsOn"]
    assert role["copy"]["batchSize"] == 1
