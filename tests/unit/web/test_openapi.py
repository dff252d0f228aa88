"""The OpenAPI document tells of every route of the app, and of nothing else."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from shared.declarations import kinds, routes, settings_of
from shared.jobs import Kind
from shared.jobs.kinds import Queues, Registry
from shared.web.openapi import document
from shared.web.routes import Route

ROUTES = routes()
REGISTRY = Registry(kinds(), Queues(), settings_of({}))


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    """The document with every kind, as if all were public."""
    return document(ROUTES, kinds())


def test_the_document_is_the_routes() -> None:
    operations = {
        (method, path.removeprefix("/"), operation["operationId"])
        for path, methods in document(ROUTES, [])["paths"].items()
        for method, operation in methods.items()
    }
    assert operations == {(each.method.lower(), each.path, each.function) for each in ROUTES}


def test_every_public_kind_has_a_path_with_its_payload(content: dict[str, Any]) -> None:
    for kind in kinds():
        operation = content["paths"][f"/jobs/{kind.name}"]["post"]
        assert operation["operationId"] == f"SubmitJob-{kind.name}"
        body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        assert body == f"Submit{kind.payload.__name__}"
        payload = content["components"]["schemas"][body]["properties"]["payload"]
        assert payload == {"$ref": f"#/components/schemas/{kind.payload.__name__}"}


def test_every_path_parameter_is_declared_and_every_reference_leads_somewhere(content: dict[str, Any]) -> None:
    for path, methods in content["paths"].items():
        assert ":" not in path  # no constraint of the host's
        for operation in methods.values():
            declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(content)))
    assert references <= set(content["components"]["schemas"])


def test_no_schema_is_named_after_a_module(content: dict[str, Any]) -> None:
    """Two models of one name are called by their own module's as well: a path would change with every move."""
    assert [name for name in content["components"]["schemas"] if "__" in name or "-" in name] == []


def test_it_is_valid(content: dict[str, Any]) -> None:
    """By the rules of OpenAPI itself; defaults and examples included."""
    errors = OpenAPIV31SpecValidator(content).iter_errors()
    assert [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in errors] == []


def test_no_two_schemas_have_one_title(content: dict[str, Any]) -> None:
    titles = Counter(schema.get("title", name) for name, schema in content["components"]["schemas"].items())
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_operation_has_examples(content: dict[str, Any]) -> None:
    for path, methods in content["paths"].items():
        for operation in methods.values():
            for media, body in operation.get("requestBody", {}).get("content", {}).items():
                assert media != "application/json" or body["examples"], path
            needed = [each for each in operation.get("parameters", []) if each["required"]]
            assert [each["name"] for each in needed if "example" not in each] == [], path


@pytest.mark.parametrize(
    "kind", [each for each in REGISTRY if REGISTRY.policy(each.name).public], ids=lambda kind: kind.name
)
def test_the_example_of_a_public_kind_is_a_payload(content: dict[str, Any], kind: Kind[Any]) -> None:
    body = content["paths"][f"/jobs/{kind.name}"]["post"]["requestBody"]["content"]["application/json"]
    payload = body["examples"]["example-1"]["value"]["payload"]
    assert isinstance(kind.parse(payload, kind.version), kind.payload)


def test_every_parameter_has_a_type(content: dict[str, Any]) -> None:
    for path, methods in content["paths"].items():
        for operation in methods.values():
            untyped = [each["name"] for each in operation.get("parameters", []) if "type" not in each["schema"]]
            assert untyped == [], path


def test_every_error_that_a_route_declares_is_a_problem(content: dict[str, Any]) -> None:
    for methods in content["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                media = set(response.get("content", {}))
                told = int(status) < 400 or (operation["operationId"], status) == ("GetStatus", "503")  # it says why
                expected = set() if status == "401" else {"application/problem+json"}  # the host's own is empty
                assert media == (media & {"application/json"} if told else expected)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.function)
def test_every_route_says_what_it_does(route: Route) -> None:
    assert 5 <= len(route.summary) <= 130
    assert route.handler.__name__.replace("_", "") == route.function.lower()


@pytest.mark.parametrize("route", [each for each in ROUTES if each.samples], ids=lambda route: route.function)
def test_examples_of_bodies_are_bodies(route: Route) -> None:
    from pydantic import TypeAdapter

    for sample in route.samples:
        TypeAdapter(route.type(str(route.body))).validate_json(json.dumps(sample), strict=True)


def test_what_has_a_body_can_be_sent_wrong(content: dict[str, Any]) -> None:
    for methods in content["paths"].values():
        for operation in methods.values():
            refused = {"400", "411", "413", "422"} <= set(operation["responses"])
            assert refused or "requestBody" not in operation, operation["operationId"]
