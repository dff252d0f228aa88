"""Stories: their routes, and the queue on which entries of adventures wait to be made."""

import azure.functions as func

from blueprints import http, queues
from shared.declarations import settings
from shared.domains.stories.api import api
from shared.domains.stories.settings import StorySettings

bp = func.Blueprint()
http.serve(bp, api)
_QUEUE = settings().of(StorySettings).adventure_queue


@bp.function_name("ProcessAdventureEntry")
@bp.queue_trigger("msg", _QUEUE, queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_adventure_entry(msg: func.QueueMessage) -> None:
    """Make an entry of an adventure, or its audio."""
    await queues.process(msg, _QUEUE)


@bp.function_name("ProcessAdventureEntryDlq")
@bp.queue_trigger("msg", f"{_QUEUE}-poison", queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_adventure_entry_dlq(msg: bytes) -> None:
    """Record what gave up, or could not be read."""
    await queues.record(msg, f"{_QUEUE}-poison")
