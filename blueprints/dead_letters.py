"""Dead letters: their routes. What records them are the triggers of poison queues, each beside its queue's."""

import azure.functions as func

from blueprints import http
from shared.api.dead_letters import api

bp = func.Blueprint()
http.serve(bp, api)
