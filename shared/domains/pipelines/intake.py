"""Messages of `contentflow-execution-requests`: tasks from any producer become jobs, each once."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from pydantic import ValidationError
from pydantic_core import from_json

from shared.domains.pipelines.tasks import ContentProcessingTask
from shared.jobs.envelope import Delivery, text_of, unwrapped
from shared.jobs.ids import derived_id
from shared.jobs.kinds import problems_of
from shared.ports import StorageError

if TYPE_CHECKING:
    from shared.app import App

LOG = logging.getLogger("nightshift.pipelines")


async def take_in(app: App, delivery: Delivery) -> str:
    """Take in a message: JSON as it is, or Base64 of it, in the seed's form or wrapped; or an envelope of this app, which is run.

    What is no task is recorded in the vault, where it can be read, mended and replayed. Where storage fails the message is sent anew.

    Returns:
        What became of it.
    """
    try:
        return await _taken(app, delivery)
    except StorageError as error:
        return await app.engine.deps.put_back(delivery, text_of(delivery.body), "task_put_back", error)


async def _taken(app: App, delivery: Delivery) -> str:
    from shared.domains.pipelines.kinds import process_content

    try:
        content = from_json(unwrapped(delivery.body), allow_inf_nan=False)
    except ValueError:
        content = None
    if isinstance(content, dict) and "nightshift" in content:
        return await app.engine.process(delivery)
    try:
        task = ContentProcessingTask.model_validate(content)
    except ValidationError as error:
        fields = ", ".join(dict.fromkeys(problem.field for problem in problems_of(error)))
        LOG.warning("no task: queue=%s message=%s fields=%s", delivery.queue, delivery.message_id, fields or "all")
        return await app.engine.record(delivery)
    moment = delivery.inserted_at or app.clock.now()
    ticket = await app.submit(process_content, task, job_id=derived_id(moment, f"content-processing\n{task.task_id}"))
    return "taken in already" if ticket.duplicate else "taken in"
