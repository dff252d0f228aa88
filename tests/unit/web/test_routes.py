"""Routes as they are declared."""

from __future__ import annotations

import pytest

from shared.app import App
from shared.declarations import routes
from shared.web.answers import Answer
from shared.web.routes import Api, Call, Parameter, Route
from shared.web.rules import OPERATE, READ

ROUTES = routes()


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.function)
def test_every_type_that_is_named_is_there(route: Route) -> None:
    named = [name for name in (*route.answers.values(), route.body) if name is not None]
    assert all(route.type(name) is not None for name in named)
    words = [each.schema for each in route.parameters if isinstance(each.schema, str)]
    assert all(list(route.type(name)) for name in words)


def test_names_and_paths_are_used_once() -> None:
    assert len({route.function.lower() for route in ROUTES}) == len(ROUTES)
    assert len({(route.method, route.template) for route in ROUTES}) == len(ROUTES)


def test_what_follows_from_a_declaration_need_not_be_said() -> None:
    api = Api("shared.api.x", "things", Parameter("id", "path", {}, "Its id."))

    @api.route("ChangeThing", "PUT things/{id:length(3)}", OPERATE, {200: None, 304: None}, (404,), body="x:Thing")
    async def change_thing(app: App, call: Call) -> Answer:
        """Change a thing.

        Or not.
        """
        return Answer(200)

    (route,) = api.routes
    assert (route.method, route.template, route.path) == ("PUT", "things/{id:length(3)}", "things/{id}")
    assert route.summary == "Change a thing"
    assert route.refusals == {400, 403, 404, 411, 413, 422, 429, 503}
    assert [each.name for each in route.parameters] == ["id", "If-None-Match"]
    assert route.headers == ("ETag",)


def test_a_parameter_of_a_path_must_be_known() -> None:
    with pytest.raises(KeyError, match="id"):
        Api("shared.api.x", "things").route("GetThing", "GET things/{id}", READ, {200: None})
