"""Tasks as producers send them, with Azure's own SDK, and what becomes of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from contentflow_worker import ContentProcessingTask, TaskQueueClient
from shared.domains.pipelines.intake import take_in
from shared.jobs.envelope import Delivery
from support.azurite import AzuriteProcess
from support.crawls import Workers


async def test_a_task_that_was_sent_is_taken_in_once(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> None:
    workers = Workers(azurite.connection_string, unique, tmp_path)
    name = f"{unique}-tasks"
    await workers.call("CreatePipeline", {"id": "pipeline_xyz", "text": "executors: [{id: a, type: pass_through}]"})
    task = ContentProcessingTask(
        task_id="task_123", pipeline_id="pipeline_xyz", pipeline_name="My Pipeline", execution_id="exec_456",
        content_id="content_789", content_data={"text": "Sample content"},
    )  # fmt: skip
    with TaskQueueClient(queue_name=name, connection_string=azurite.connection_string) as client:
        client.send_content_processing_task(task)
        client.send_content_processing_task(task)
        with pytest.raises(ValueError, match="49,152"):
            client.send_content_processing_task(task.model_copy(update={"content_data": {"text": "x" * 50_000}}))
    sent = await workers.app.queues.receive(name)
    assert len(sent) == 2
    for message in sent:
        await take_in(workers.app, Delivery(name, message.message_id, message.text.encode(), message.inserted_at))
    jobs = await workers.app.queues.receive(unique)
    for message in jobs:
        await workers.app.engine.process(
            Delivery(unique, message.message_id, message.text.encode(), message.inserted_at)
        )
    page = await workers.call("ListExecutions", {})
    assert [(each["id"], each["task_id"]) for each in page["items"]] == [("exec_456", "task_123")]
    await workers.close()


def test_it_says_what_it_needs() -> None:
    with pytest.raises(ValueError, match="queue_url"):
        TaskQueueClient()
