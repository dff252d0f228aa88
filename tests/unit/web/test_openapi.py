"""The OpenAPI document tells of every route of the app, and of nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.declarations import kinds
from shared.web.openapi import document
from shared.web.operations import OPERATIONS
from support.functions import functions as app_functions

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def routes() -> dict[str, tuple[str, str, bool]]:
    """The app's HTTP functions: method, route, and whether a key is needed."""
    found = {}
    for name, function in app_functions().items():
        for binding in json.loads(function.get_function_json())["bindings"]:
            if binding["type"] == "httpTrigger":
                (method,) = binding["methods"]
                keyed = binding["authLevel"].lower() != "anonymous"
                found[name] = (str(method).lower(), binding["route"], keyed)
    return found


def test_the_table_is_the_apps_routes(routes: dict[str, tuple[str, str, bool]]) -> None:
    told = {each.function: (each.method, each.route, each.key) for each in OPERATIONS}
    assert told == routes


def test_the_document_is_the_table() -> None:
    content = document([])
    operations = {
        (method, path.removeprefix("/"), operation["operationId"])
        for path, methods in content["paths"].items()
        for method, operation in methods.items()
    }
    assert operations == {(each.method, each.route, each.function) for each in OPERATIONS}


def test_every_public_kind_has_a_path_with_its_payload() -> None:
    content = document(list(kinds()))
    for kind in kinds():
        operation = content["paths"][f"/jobs/{kind.name}"]["post"]
        assert operation["operationId"] == f"SubmitJob-{kind.name}"
        assert f"/{kind.payload.__name__}" in json.dumps(operation["requestBody"])


def test_every_path_parameter_is_declared_and_every_reference_leads_somewhere() -> None:
    content = document(list(kinds()))
    for path, methods in content["paths"].items():
        for operation in methods.values():
            declared = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path)), path
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(content)))
    assert references <= set(content["components"]["schemas"])


def test_every_error_that_a_route_declares_is_a_problem() -> None:
    content: dict[str, Any] = document([])
    for methods in content["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                media = set(response.get("content", {}))
                told = int(status) < 400 or (operation["operationId"], status) == ("GetStatus", "503")  # it says why
                assert media == (media & {"application/json"} if told else {"application/problem+json"})
