"""The OpenAPI document (3.1): made of the routes as they are declared, the models of bodies and answers, and the public kinds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from pydantic import TypeAdapter

from shared.web.answers import PROBLEM_TYPE
from shared.web.examples import UUID, example_of
from shared.web.problem import ProblemView
from shared.web.routes import Parameter, Route
from shared.web.rules import Role

if TYPE_CHECKING:
    from shared.jobs.kinds import Kind

Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]
_REF = "#/components/schemas/{model}"
_HEADERS: dict[str, Schema] = {
    "Location": {"description": "Where to ask for the job.", "schema": {"type": "string"}},
    "Accept-Ranges": {"description": "`bytes`: parts can be asked for.", "schema": {"type": "string"}},
    "Content-Range": {"description": "Which bytes these are, of how many.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds until asking again makes sense.", "schema": {"type": "integer"}},
    "ETag": {"description": "The version of what was answered.", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "How long the answer was held at most.", "schema": {"type": "string"}},
}
_SECURITY: Mapping[Role, list[Schema]] = {
    "anonymous": [], "client": [{"functionKey": []}], "operator": [{"operatorKey": []}]
}  # fmt: skip
_NO_KEY = {"401": {"description": "No key, or a wrong one. The host answers, before the app: the body is empty."}}
_NEEDS = {
    411: "The body came without Content-Length (`transfer-encoding: chunked`), and so not at all: send it with one.",
}
"""What a status says beyond its phrase."""


_EXAMPLES = {
    "Idempotency-Key": "order-17", "If-Match": '"7"', "If-None-Match": '"7"', "Prefer": "wait=10", "id": UUID[:8], "ids": UUID,
    "item_id": "shirt-1", "kind": "taste-analysis", "name": "PluckItScraper", "parent_id": UUID, "source": "rss_0123456789ab",
    "source_id": "rss_0123456789ab", "user_id": "ann", "week": "2026-W12",
}  # fmt: skip
"""Parameters that are called the same mean the same."""


class _Operation(NamedTuple):
    """A route; or submitting a public kind, with what its payload is."""

    route: Route
    id: str
    payload: type | None = None


def document(routes: Iterable[Route], public: Iterable[Kind[Any]]) -> Schema:
    """The document without servers, for an app with these routes and public kinds."""
    operations = list(_operations(routes, list(public)))
    schemas = _Schemas(operations)
    paths: dict[str, Schema] = {}
    for each in operations:
        paths.setdefault(f"/{each.route.path}", {})[each.route.method.lower()] = _content(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nightshift", "version": "1", "description": "Durable background jobs."},
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"functionKey": _key("Any function key."), "operatorKey": _key("The operator's key.")},
        },
    }


_FILE: Schema = {"schema": {"type": "string", "format": "binary"}}
_FORM: Schema = {
    "schema": {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
        },
        "additionalProperties": {"type": "string"},
    }
}


def _key(text: str) -> Schema:
    return {"type": "apiKey", "in": "header", "name": "x-functions-key", "description": text}


def _operations(routes: Iterable[Route], public: list[Kind[Any]]) -> Iterator[_Operation]:
    """Every route; and submitting once more for each public kind, with the payload that it takes."""
    for route in routes:
        yield _Operation(route, route.function)
        for kind in public if route.function == "SubmitJob" else ():
            rest = tuple(each for each in route.parameters if each.where != "path")
            template = route.template.format(kind=kind.name)
            one = route._replace(template=template, parameters=rest, samples=())
            yield _Operation(one, f"{route.function}-{kind.name}", kind.payload)


def _content(operation: _Operation, schemas: _Schemas) -> Schema:
    route = operation.route
    content: Schema = {
        "operationId": operation.id,
        "summary": route.summary if operation.payload is None else f"Submit {operation.id.partition('-')[2]}",
        "tags": [route.tag],
        "security": _SECURITY[route.rule.role],
        "responses": _responses(route, schemas),
    }
    if route.parameters:
        content["parameters"] = [_parameter(route, each) for each in route.parameters]
    if route.body:
        content["requestBody"] = _body(operation, schemas)
    if route.media:
        content["requestBody"] = {
            "required": True,
            "content": {each: _FORM if each.startswith("multipart/") else _FILE for each in route.media},
        }
    return content


def _parameter(route: Route, parameter: Parameter) -> Schema:
    named = parameter.schema
    schema = _words(route.type(named)) if isinstance(named, str) else dict(named)
    told = _EXAMPLES.get(parameter.name) or (None if "pattern" in schema else example_of(schema, {}))
    if told is None and parameter.where == "path":
        told = parameter.name
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.text,
        "schema": schema,
        **({"example": told} if told is not None else {}),
    }


def _words(words: Iterable[str]) -> Schema:
    return {"type": "string", "enum": [str(word) for word in words]}


def _body(operation: _Operation, schemas: _Schemas) -> Schema:
    route = operation.route
    schema = schemas.of(route.type(str(route.body)), "validation")
    if operation.payload is not None:
        schema = schemas.around(schema, operation.payload)
    media: Schema = {"schema": schema}
    samples = route.samples or (example_of(schema, schemas.components),)
    media["examples"] = {f"example-{n}": {"value": one} for n, one in enumerate(samples, 1)}
    return {"required": not route.optional, "content": {"application/json": media}}


def _responses(route: Route, schemas: _Schemas) -> Schema:
    responses: Schema = {} if route.rule.role == "anonymous" else dict(_NO_KEY)
    for status, answer in route.answers.items():
        response: Schema = {"description": HTTPStatus(status).phrase}
        if route.headers:
            response["headers"] = {name: _HEADERS[name] for name in route.headers}
        if answer is not None:
            response["content"] = {"application/json": {"schema": schemas.of(route.type(answer), "serialization")}}
        responses[str(status)] = response
    problem = {"content": {PROBLEM_TYPE: {"schema": schemas.of(ProblemView, "serialization")}}}
    for status in sorted(route.refusals - route.answers.keys()):
        retry = {"headers": {"Retry-After": _HEADERS["Retry-After"]}} if status in (409, 429, 503) else {}
        responses[str(status)] = {"description": _NEEDS.get(status, HTTPStatus(status).phrase), **retry, **problem}
    if re.search(
        r":(guid|int)\b", route.template
    ):  # no other id reaches the app: the host answers, with nothing in the body
        responses["404"] = {"description": "Not found. The body is empty where the id in the path is no UUID."}
    return responses


_EVERYBODYS = {"api", "kinds", "model", "requests", "schemas", "views"}


class _Schemas:
    """The schemas of every type that the operations use; what several use is named among the components."""

    def __init__(self, operations: Iterable[_Operation]) -> None:
        used = {(id(model), mode): (model, mode) for each in operations for model, mode in _types(each)}
        inputs = [(key, mode, TypeAdapter(model)) for key, (model, mode) in used.items()]
        self._schemas, common = TypeAdapter.json_schemas(inputs, ref_template=_REF)
        self._schemas = {key: _renamed(schema) for key, schema in self._schemas.items()}
        named = {name: _renamed(schema) for name, schema in common.get("$defs", {}).items()}
        self.components = {_plain(name): _titled(name, schema) for name, schema in named.items()}
        if len(self.components) < len(named):
            raise ValueError(f"two schemas have one name: {sorted(name for name in named if '__' in name)}")

    def of(self, model: Any, mode: Mode) -> Schema:
        """The schema of a type, by reference where it has a name."""
        return dict(self._schemas[(id(model), mode), mode])

    def around(self, envelope: Schema, payload: type) -> Schema:
        """An envelope with what one kind takes in it. Written out: what is put together (`allOf`), generators of clients leave open."""
        whole, inner = self.components[_name_in(envelope)], self.of(payload, "validation")
        name = f"Submit{_name_in(inner)}"
        self.components[name] = {**whole, "title": name, "properties": {**whole["properties"], "payload": inner}}
        return {"$ref": _REF.format(model=name)}


def _name_in(reference: Schema) -> str:
    return str(reference["$ref"].rpartition("/")[2])


def _plain(name: str) -> str:
    """What a schema is called whose type shares its name with another: by its module, `OccurrenceState`, and not by the way there.

    Modules that each domain has, such as `views`, tell nothing apart: by the domain, `SourcesItemPage`.
    """
    *_, package, module, own = ("", "", *name.split("__"))
    module = package if module in _EVERYBODYS else module
    return "".join(word.title() for word in module.split("_")) + own


def _titled(name: str, schema: Schema) -> Schema:
    return {**schema, "title": _plain(name)} if "__" in name else schema


def _renamed(schema: Any) -> Any:
    """A schema whose references go by the plain names."""
    if isinstance(schema, dict):
        return {
            key: _REF.format(model=_plain(value.rpartition("/")[2])) if key == "$ref" else _renamed(value)
            for key, value in schema.items()
        }
    return [_renamed(each) for each in schema] if isinstance(schema, list) else schema


def _types(operation: _Operation) -> Iterator[tuple[Any, Mode]]:
    route = operation.route
    yield ProblemView, "serialization"
    yield from ((route.type(model), "serialization") for model in route.answers.values() if model is not None)
    if route.body:
        yield route.type(route.body), "validation"
    if operation.payload is not None:
        yield operation.payload, "validation"
