"""The function app: its blueprints, and nothing else. Where they cannot be had, every route says why."""

import azure.functions as func

from blueprints import found, start

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
try:
    for blueprint in found():
        app.register_functions(blueprint)
except Exception as error:  # noqa: BLE001 - whatever it is: the host would offer no function, and say that it runs
    app = start.stand_in(error)
