"""The function app: its blueprints, and nothing else."""

import azure.functions as func

from blueprints import collect, dashboard, digest, monitor, mood, operations, scraper, taste, tickets, timers, users

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (
    taste.bp,
    collect.bp,
    scraper.bp,
    mood.bp,
    digest.bp,
    users.bp,
    tickets.bp,
    timers.bp,
    operations.bp,
    monitor.bp,
    dashboard.bp,
):
    app.register_functions(blueprint)
