"""The OpenAPI document (3.1): made of the table of operations, the models of bodies and answers, and the public kinds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from pydantic import TypeAdapter

from shared.api.schemas import ProblemView
from shared.api.submission import Submission
from shared.web.access import Role
from shared.web.answers import PROBLEM_TYPE, Answer, tagged_answer
from shared.web.operations import OPERATIONS, Operation, Parameter, Schema

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.kinds import Kind, Registry

Mode = Literal["validation", "serialization"]
_REF = "#/components/schemas/{model}"
_HEADERS: dict[str, Schema] = {
    "Location": {"description": "Where to ask for the job.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds until asking again makes sense.", "schema": {"type": "integer"}},
    "ETag": {"description": "The version of what was answered.", "schema": {"type": "string"}},
    "Preference-Applied": {"description": "How long the answer was held at most.", "schema": {"type": "string"}},
}

_SECURITY: Mapping[Role, list[Schema]] = {
    "anonymous": [], "client": [{"functionKey": []}], "operator": [{"operatorKey": []}]
}  # fmt: skip


def show(app: App, api_url: str, headers: Mapping[str, str]) -> Answer:
    """The document, for the address under which it was asked for."""
    content = {**_document(app.engine.deps.kinds), "servers": [{"url": api_url}]}
    return tagged_answer(content, headers.get("if-none-match"))


@lru_cache(maxsize=1)
def _document(kinds: Registry) -> Schema:
    return document([kind for kind in kinds if kinds.policy(kind.name).public])


def document(public: list[Kind[Any]]) -> Schema:
    """The document without servers, for an app with these public kinds."""
    operations = list(_operations(public))
    schemas = _Schemas(operations)
    paths: dict[str, Schema] = {}
    for operation, name, payload in operations:
        paths.setdefault(f"/{operation.route}", {})[operation.method] = _operation(operation, name, payload, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Nightshift", "version": "1", "description": "Durable background jobs."},
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {"functionKey": _key("Any function key."), "operatorKey": _key("The operator's key.")},
        },
    }


def _key(text: str) -> Schema:
    return {"type": "apiKey", "in": "header", "name": "x-functions-key", "description": text}


def _operations(public: list[Kind[Any]]) -> Iterator[tuple[Operation, str, type | None]]:
    """Every operation with its id; and submitting once more for each public kind, with the payload that it takes."""
    for operation in OPERATIONS:
        yield operation, operation.function, None
        if operation.function == "SubmitJob":
            rest = tuple(one for one in operation.parameters if one.where != "path")
            for kind in public:
                route = operation.route.format(kind=kind.name)
                summary = f"Submit {kind.name}"
                yield (
                    replace(operation, route=route, summary=summary, parameters=rest, samples=()),
                    f"{operation.function}-{kind.name}",
                    kind.payload,
                )


def _operation(operation: Operation, name: str, payload: type | None, schemas: _Schemas) -> Schema:
    content: Schema = {
        "operationId": name,
        "summary": operation.summary,
        "tags": [operation.tag],
        "security": _SECURITY[operation.rule.role],
        "responses": _responses(operation, schemas),
    }
    if operation.parameters:
        content["parameters"] = [_parameter(one) for one in operation.parameters]
    if operation.body:
        content["requestBody"] = _body(operation, payload, schemas)
    return content


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.text,
        "schema": dict(parameter.schema),
    }


def _body(operation: Operation, payload: type | None, schemas: _Schemas) -> Schema:
    schema = schemas.of(operation.body, "validation")
    if payload is not None and operation.body is Submission:
        # The same envelope, around what this kind takes.
        inner = {"properties": {"payload": schemas.of(payload, "validation")}}
        schema = {"allOf": [schema, inner]}
    media: Schema = {"schema": schema}
    if operation.samples:
        media["examples"] = {f"example-{n}": {"value": one} for n, one in enumerate(operation.samples, 1)}
    return {"required": operation.body_required, "content": {"application/json": media}}


def _responses(operation: Operation, schemas: _Schemas) -> Schema:
    responses: Schema = {}
    for status, answer in operation.answers.items():
        response: Schema = {"description": HTTPStatus(status).phrase}
        if operation.headers:
            response["headers"] = {name: _HEADERS[name] for name in operation.headers}
        if answer is not None:
            response["content"] = {"application/json": {"schema": schemas.of(answer, "serialization")}}
        responses[str(status)] = response
    problem = {"content": {PROBLEM_TYPE: {"schema": schemas.of(ProblemView, "serialization")}}}
    refusals = (413, 429, *([403] if operation.rule.role == "operator" else ()))
    for status in sorted({*operation.problems, *refusals}):
        retry = {"headers": {"Retry-After": _HEADERS["Retry-After"]}} if status in (409, 429, 503) else {}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, **retry, **problem}
    return responses


class _Schemas:
    """The schemas of every type that the operations use; what several use is named among the components."""

    def __init__(self, operations: Iterable[tuple[Operation, str, type | None]]) -> None:
        used = {(id(model), mode): (model, mode) for each in operations for model, mode in _types(*each)}
        inputs = [(key, mode, TypeAdapter(model)) for key, (model, mode) in used.items()]
        self._schemas, common = TypeAdapter.json_schemas(inputs, ref_template=_REF)
        self.components: dict[str, Schema] = common.get("$defs", {})

    def of(self, model: Any, mode: Mode) -> Schema:
        """The schema of a type, by reference where it has a name."""
        return dict(self._schemas[(id(model), mode), mode])


def _types(operation: Operation, _: str, payload: type | None) -> Iterator[tuple[Any, Mode]]:
    yield ProblemView, "serialization"
    yield from ((model, "serialization") for model in operation.answers.values() if model is not None)
    yield from ((model, "validation") for model in (operation.body, payload) if model is not None)
