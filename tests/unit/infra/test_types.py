"""Every resource, as it would be deployed, against Azure's published types; and the checker against planted mistakes."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support import bicep
from support.azure_types import Types
from support.bicep import Compiled, Resource

FOLDER = Path(os.environ.get("NIGHTSHIFT_AZURE", Path(__file__).parents[4] / "shared" / "azure")) / "types"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"no types of Azure in {FOLDER}: set NIGHTSHIFT_AZURE")

NEWER = {
    ("Microsoft.Insights/scheduledQueryRules.properties.description", "is unknown"): "in the API of 2026-03-01",
    (
        "Microsoft.Storage/storageAccounts/blobServices.properties.staticWebsite",
        "is unknown",
    ): "in the API of 2025-08-01",
    ("Microsoft.Web/sites.properties.functionAppConfig.siteUpdateStrategy", "is unknown"): (
        "in the API since 2024-11-01, in no published type; az functionapp update-strategy config set has both values"
    ),
}
"""Findings that are none, each with its reason: the types at hand are of older versions."""


@pytest.fixture(scope="module")
def types() -> Types:
    return Types(FOLDER)


def test_every_resource_is_of_its_type(compiled: Compiled, types: Types) -> None:
    found = {
        finding for each in compiled.deployments.values() for one in each.resources for finding in types.check(one)
    }
    assert found == set(NEWER)


def test_the_compiler_takes_every_value_by_the_types_of_exactly_these_versions(compiled: Compiled) -> None:
    told = [each for each in compiled.evaluated if "siteUpdateStrategy" not in each]
    assert told == []
    assert len(compiled.evaluated) == 1


# --- the checker finds -------------------------------------------------------------------------------------------------

Change = Callable[[Resource], object]
STORAGE, SITE = "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"
RULES, BLOBS = "Microsoft.Insights/scheduledQueryRules", f"{STORAGE}/blobServices"
SECRET = "Microsoft.KeyVault/vaults/secrets"

PLANTED: dict[str, tuple[str, Change, str, str]] = {
    "missing": (STORAGE, lambda each: each.pop("kind"), "kind", "is required"),
    "missing deep down": (
        f"{STORAGE}/managementPolicies",
        lambda each: each["properties"]["policy"]["rules"][0].pop("name"),
        "properties.policy.rules[0].name",
        "is required",
    ),
    "unknown": (STORAGE, lambda each: each["properties"].update(allowSharedKeys=False), "properties.allowSharedKeys", "is unknown"),
    "read-only": (SITE, lambda each: each["properties"].update(state="Running"), "properties.state", "is read-only"),
    "an enum": (
        SITE,
        lambda each: each["properties"]["functionAppConfig"]["deployment"]["storage"].update(type="blob"),
        "properties.functionAppConfig.deployment.storage.type",
        "not among the listed values",
    ),
    "an open enum": (STORAGE, lambda each: each["sku"].update(name="Standard_Cheap"), "sku.name", "not among the listed values"),
    "a pattern": (SECRET, lambda each: each.update(name="kv-x/under_score"), "name", "does not match"),
    "a length": (STORAGE, lambda each: each.update(name="st"), "name", "characters are not 3 to 24"),
    "a number": (
        BLOBS,
        lambda each: each["properties"]["containerDeleteRetentionPolicy"].update(days=400),
        "properties.containerDeleteRetentionPolicy.days",
        "is not 1 to 365",
    ),
    "a text for a number": (
        SITE,
        lambda each: each["properties"]["functionAppConfig"]["scaleAndConcurrency"].update(maximumInstanceCount="40"),
        "properties.functionAppConfig.scaleAndConcurrency.maximumInstanceCount",
        "not a number",
    ),
    "a text for a boolean": (SITE, lambda each: each["properties"].update(httpsOnly="yes"), "properties.httpsOnly", "not a boolean"),
    "an object for a list": (RULES, lambda each: each["properties"].update(scopes={}), "properties.scopes", "not a list"),
    "a discriminator": (
        f"{SITE}/config",
        lambda each: each.update(name="func-x/appsetings"),
        "name",
        "not one of",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_mistake_in_a_resource_is_found_and_nothing_else_is(compiled: Compiled, types: Types, mistake: str) -> None:
    kind, change, path, said = PLANTED[mistake]
    resource: dict[str, Any] = copy.deepcopy(compiled.smallest.of(kind)[0])
    before = set(types.check(resource))
    change(resource)
    [(where, what)] = set(types.check(resource)) - before
    assert where == f"{kind}.{path}"
    assert said in what


def test_a_type_that_there_is_not_is_found(types: Types) -> None:
    resource = {"type": "Microsoft.Web/site", "apiVersion": "2025-03-01", "name": "x"}
    assert types.check(resource) == [("Microsoft.Web/site", "no such type")]


def test_what_azure_alone_knows_passes(compiled: Compiled, types: Types) -> None:
    resource = copy.deepcopy(compiled.smallest.one(STORAGE))
    resource["properties"]["minimumTlsVersion"] = "[reference('x').tls]"
    assert types.check(resource) == []


def test_the_compiler_finds_a_value_of_the_wrong_type(compiled: Compiled, tmp_path: Path) -> None:
    resource = copy.deepcopy(compiled.smallest.one(STORAGE))
    resource["properties"]["minimumTlsVersion"] = 12
    assert "BCP036" in "\n".join(bicep.complaints([resource], tmp_path))
