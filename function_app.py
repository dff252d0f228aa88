"""The function app: its blueprints, and nothing else."""

import azure.functions as func

from blueprints import collect, operations, taste, tickets

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (taste.bp, collect.bp, tickets.bp, operations.bp):
    app.register_functions(blueprint)
